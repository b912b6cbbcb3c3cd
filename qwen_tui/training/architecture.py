"""The guide's shape: a Qwen2 of about seven million parameters, and the folder it is saved as.

Shape, sampling and chat template are declared once, in the JSON files of the shipped `model/`; what is trained gets
copies of them. The temperature is low because the guide has few things to say, and plainly.
"""

from pathlib import Path

import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from qwen_tui.guide import model_folder

END_OF_TEXT_ID, IM_START_ID, IM_END_ID = 0, 1, 2
WINDOW = 2048


def build_model(layers: int) -> Qwen2ForCausalLM:
    """Return a freshly initialised float32 model of the shipped shape, with fewer layers if asked for."""
    config = Qwen2Config.from_pretrained(model_folder())
    config.num_hidden_layers = layers
    config.layer_types = config.layer_types[:layers]
    return Qwen2ForCausalLM(config).float()


def save_model(model: Qwen2ForCausalLM, folder: Path) -> None:
    """Write `config.json`, `model.safetensors` in bfloat16 and `generation_config.json` into `folder`."""
    half = Qwen2ForCausalLM(model.config).to(torch.bfloat16)
    half.load_state_dict(model.state_dict())
    half.config.dtype = torch.bfloat16
    half.save_pretrained(folder)
    copy_shipped("generation_config.json", folder)


def copy_shipped(name: str, folder: Path) -> None:
    """Copy a file of the shipped model; `folder` may be the shipped one itself."""
    (folder / name).write_bytes((model_folder() / name).read_bytes())
