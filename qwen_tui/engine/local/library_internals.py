"""The private names of transformers and torch that we use, each behind a function; there are no others.

A new release may rename them without notice: `tests/engine/local/test_library_internals.py` finds out.
"""

import inspect
from typing import Any

import torch
from transformers import PreTrainedModel

CACHE_ARGUMENTS = {"past_key_values", "cache"}
"""The argument of `generate` and of a forward pass for the cache: up to 5.23, and from 5.24 on."""


def attention_name(config: Any) -> str:
    """Return the attention that the layers with this config look up at each call."""
    return str(config._attn_implementation)


def set_attention_name(config: Any, name: str) -> None:
    """Change the attention of a config, without the checks and the copies of `set_attn_implementation`."""
    config._attn_implementation = name


def accepts_dynamic_cache(model: PreTrainedModel) -> bool:
    """Whether the model takes a cache made of layers, as `generate` would give it one; a Mamba has another kind."""
    taken = inspect.signature(model.forward).parameters
    return not CACHE_ARGUMENTS.isdisjoint(taken) and bool(model._supports_default_dynamic_cache())


def computed_buffers(module: torch.nn.Module) -> set[str]:
    """Return the names of the module's own buffers that are not saved with its weights."""
    return set(module._non_persistent_buffers_set)


def generates_with(model: PreTrainedModel, states: Any) -> dict[str, Any]:
    """Return the argument that gives `generate` its cache; transformers 5.24 warns of the old name."""
    taken = inspect.signature(model.forward).parameters
    return {"cache" if "cache" in taken else "past_key_values": states}
