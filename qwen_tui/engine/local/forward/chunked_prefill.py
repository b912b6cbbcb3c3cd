"""How a chunk of a prompt is read that comes behind others.

The library gives the attention a mask then, since what it calls causal begins at the first token; with a mask the
fast kernels do not work, and on a GPU a long prompt took twice as long in chunks as at once. On a CPU it is the
copies of what several heads share that take time.
"""

import logging
from contextlib import AbstractContextManager, nullcontext

import torch
from transformers import DynamicCache, PreTrainedModel

from qwen_tui.engine.local.cache.static_kv_cache import supports_static_cache
from qwen_tui.engine.local.forward.attention import CHUNK, attending
from qwen_tui.engine.local.forward.checking import TOKENS, Reference, reference

log = logging.getLogger(__name__)

LEAST_CAPABILITY = (8, 0)
"""Before this a GPU has no kernel that sees which tokens come before a query, and makes a mask after all."""


def prefills_without_mask(model: PreTrainedModel) -> bool:
    """Whether this model's chunks are read faster so, and to the same end."""
    if not supports_static_cache(model) or not _has_kernels(model):
        return False
    try:
        check_chunks(model, reference(model))
    except Exception as error:  # a model's own attention may raise anything
        log.warning("prompts are read with a mask: %s: %s", type(error).__name__, error)
        return False
    return True


def check_chunks(model: PreTrainedModel, expected: Reference) -> None:
    """Read some tokens in two chunks; raises `Mismatch`, and what the model raises."""
    states = DynamicCache(config=model.config.get_text_config(decoder=True))
    half = TOKENS // 2
    with torch.no_grad(), attending(model, CHUNK):
        model(input_ids=expected.ids[:, :half], past_key_values=states, use_cache=True)
        said = model(input_ids=expected.ids[:, half:], past_key_values=states, use_cache=True).logits[0]
    for place in range(half, TOKENS):
        expected.check(said[place - half], place)


def prefilling(model: PreTrainedModel, *, without_mask: bool) -> AbstractContextManager[None]:
    """Within this, the model reads chunks so."""
    return attending(model, CHUNK) if without_mask else nullcontext()


def _has_kernels(model: PreTrainedModel) -> bool:
    if model.device.type == "cuda":
        is_recent = torch.cuda.get_device_capability(model.device) >= LEAST_CAPABILITY
        return is_recent and model.dtype in (torch.bfloat16, torch.float16)
    # With a mask, the library copies keys and values for every head that shares them. In float32 the attention
    # takes half as long without. In bf16 that is a tenth of a chunk, and trying a large model takes seconds.
    is_copied = bool(model.config._attn_implementation == "sdpa")
    return model.device.type == "cpu" and model.dtype == torch.float32 and is_copied
