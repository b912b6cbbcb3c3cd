"""Prefill the chunks of a prompt after the first without an attention mask.

The library uses a mask for these chunks, since its causal attention starts at the first token. With a mask the
fast kernels are unavailable, and a long prompt took twice as long on a GPU in chunks as at once. On a CPU, the
copies of keys and values that several heads share cost time.
"""

import logging
from contextlib import AbstractContextManager, nullcontext

import torch
from transformers import DynamicCache, PreTrainedModel

from qwen_tui.engine.local.cache.static_kv_cache import supports_static_cache
from qwen_tui.engine.local.forward.attention import CHUNK, attending
from qwen_tui.engine.local.forward.checking import TOKENS, Reference, reference
from qwen_tui.engine.local.library_internals import attention_name

log = logging.getLogger(__name__)

LEAST_CAPABILITY = (8, 0)
"""Earlier GPUs have no kernel for causal attention with an offset and build a mask after all."""


def prefills_without_mask(model: PreTrainedModel) -> bool:
    """Whether this model reads chunks faster without a mask, and with the same result."""
    if not supports_static_cache(model) or not _has_kernels(model):
        return False
    try:
        check_chunks(model, reference(model))
    except Exception as error:  # a model's own attention may raise anything
        log.warning("prompts are read with a mask: %s: %s", type(error).__name__, error)
        return False
    return True


def check_chunks(model: PreTrainedModel, expected: Reference) -> None:
    """Read some tokens in two chunks. Raises `Mismatch`, or what the model raises."""
    states = DynamicCache(config=model.config.get_text_config(decoder=True))
    half = TOKENS // 2
    with torch.no_grad(), attending(model, CHUNK):
        model(input_ids=expected.ids[:, :half], past_key_values=states, use_cache=True)
        said = model(input_ids=expected.ids[:, half:], past_key_values=states, use_cache=True).logits[0]
    for place in range(half, TOKENS):
        expected.check(said[place - half], place)


def prefilling(model: PreTrainedModel, *, without_mask: bool) -> AbstractContextManager[None]:
    """Make the model read chunks without a mask, if it supports that."""
    return attending(model, CHUNK) if without_mask else nullcontext()


def _has_kernels(model: PreTrainedModel) -> bool:
    if model.device.type == "cuda":
        is_recent = torch.cuda.get_device_capability(model.device) >= LEAST_CAPABILITY
        return is_recent and model.dtype in (torch.bfloat16, torch.float16)
    # With a mask, the library copies keys and values for every head that shares them. In float32, attention takes
    # half as long without. In bf16 that saves a tenth of a chunk, and trying a large model takes seconds.
    is_copied = attention_name(model.config) == "sdpa"
    return model.device.type == "cpu" and model.dtype == torch.float32 and is_copied
