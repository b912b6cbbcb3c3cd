"""The guide's shape: a Qwen2 of about seven million parameters, and the folder it is saved as."""

import json
from pathlib import Path
from typing import Any

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from qwen_tui.guide.training.tokenizer import VOCABULARY

END_OF_TEXT_ID, IM_START_ID, IM_END_ID = 0, 1, 2
WINDOW = 2048

GENERATION = {
    "do_sample": True,
    "temperature": 0.3,
    "top_p": 0.9,
    "top_k": 20,
    "repetition_penalty": 1.0,
    "eos_token_id": [IM_END_ID, END_OF_TEXT_ID],
    "pad_token_id": END_OF_TEXT_ID,
}
"""`generation_config.json`: a low temperature, because the guide has few things to say, and plainly."""


def guide_config(**changes: Any) -> Qwen2Config:
    """Return the architecture: 8 layers of width 256, 4 heads of 64 over 2 key-value heads, tied embeddings."""
    shape: dict[str, Any] = {
        "vocab_size": VOCABULARY,
        "hidden_size": 256,
        "intermediate_size": 640,
        "num_hidden_layers": 8,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": WINDOW,
        "rms_norm_eps": 1e-6,
        "tie_word_embeddings": True,
        "use_sliding_window": False,
        "attention_dropout": 0.0,
        "initializer_range": 0.02,
        "bos_token_id": END_OF_TEXT_ID,
        "eos_token_id": IM_END_ID,
        "pad_token_id": END_OF_TEXT_ID,
    }
    return Qwen2Config(**(shape | changes))


def build_model(config: Qwen2Config | None = None) -> Qwen2ForCausalLM:
    """Return a freshly initialised float32 model."""
    return Qwen2ForCausalLM(config or guide_config())


def save_model(model: Qwen2ForCausalLM, folder: Path) -> None:
    """Write `config.json`, `model.safetensors` in bfloat16 and `generation_config.json` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    half = Qwen2ForCausalLM(model.config).to(torch.bfloat16)
    half.load_state_dict(model.state_dict())
    half.config.dtype = torch.bfloat16
    half.save_pretrained(folder)
    (folder / "generation_config.json").write_text(json.dumps(GENERATION, indent=2) + "\n", encoding="utf-8")
