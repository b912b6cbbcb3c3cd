"""Write a checkpoint of a known shape with random weights, to measure time and memory without the model.

`main` runs in a separate process, since it needs torch. Tokenizer and chat template are the guide's: its ids are
few, but all valid for the model.
"""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import split_torch_state_dict_into_shards
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig

from qwen_tui.engine.models.catalogue import Shape, shape_named
from qwen_tui.engine.models.checkpoint import INDEX
from qwen_tui.guide import model_folder

SHARD_BYTES = 2_000_000_000
"""Approximate size of each checkpoint shard."""

DEVIATION = 0.02
"""Standard deviation of the weights, as Qwen's `initializer_range`: keeps hidden states in a usable range."""


def config_of(shape: Shape) -> PretrainedConfig:
    """Return the transformers config of a shape, in bfloat16."""
    family = "qwen3" if shape.is_qwen3 else "qwen2"
    values: dict[str, Any] = {
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.attention_heads,
        "num_key_value_heads": shape.kv_heads,
        "vocab_size": shape.vocab_size,
        "max_position_embeddings": shape.context_window,
        "tie_word_embeddings": shape.is_tied,
        "rope_theta": 1_000_000.0,
        "rms_norm_eps": 1e-6,
        "dtype": "bfloat16",
    }
    if shape.is_qwen3:
        values["head_dim"] = shape.head_dim
    if shape.linear is not None:
        family = "qwen3_5_text"
        values |= {
            "linear_num_key_heads": shape.linear.key_heads,
            "linear_num_value_heads": shape.linear.value_heads,
            "linear_key_head_dim": shape.linear.head_dim,
            "linear_value_head_dim": shape.linear.head_dim,
            "linear_conv_kernel_dim": shape.linear.taps,
            "full_attention_interval": shape.linear.full_attention_interval,
        }
    if shape.experts:
        hybrid = "qwen3_next" if shape.is_next else "qwen3_5_moe_text"
        family = "qwen3_moe" if shape.linear is None else hybrid
        values |= {
            "num_experts": shape.experts,
            "num_experts_per_tok": shape.active_experts,
            "moe_intermediate_size": shape.intermediate_size,
            "norm_topk_prob": True,
        }
    if shape.shared_size:
        values["shared_expert_intermediate_size"] = shape.shared_size
    return AutoConfig.for_model(family, **values)


def write(shape: Shape, folder: Path) -> None:
    """Write a checkpoint of this shape into an empty folder. Raises OSError."""
    config = config_of(shape)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    config.architectures = [type(model).__name__]
    config.save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(model_folder() / name, folder / name)
    weights = dict(model.state_dict())
    if shape.is_tied:
        weights.pop("lm_head.weight", None)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    random = torch.Generator(device).manual_seed(0)
    shards = split_torch_state_dict_into_shards(weights, max_shard_size=SHARD_BYTES)
    for file, names in shards.filename_to_tensors.items():
        tensors = {name: _tensor(name, weights[name].shape, random) for name in names}
        save_file(tensors, folder / file, metadata={"format": "pt"})
    index = {"metadata": shards.metadata, "weight_map": shards.tensor_to_filename}
    (folder / INDEX).write_text(json.dumps(index))


def _tensor(name: str, shape: tuple[int, ...], random: torch.Generator) -> torch.Tensor:
    """Return ones for a norm's weights and for a state's decay, else normally distributed values."""
    if "norm" in name or name.endswith(("A_log", "dt_bias")):
        return torch.ones(shape, dtype=torch.bfloat16)
    drawn = torch.empty(shape, dtype=torch.bfloat16, device=random.device)
    return drawn.normal_(0, DEVIATION, generator=random).cpu()


def main() -> None:
    """Write a checkpoint: the arguments are the shape's name and the folder."""
    write(shape_named(sys.argv[1]), Path(sys.argv[2]))
