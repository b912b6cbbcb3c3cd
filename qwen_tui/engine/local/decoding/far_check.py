"""Check a decode step far into a text, where its attention is split among more programs than at the beginning."""

import inspect
import logging

import torch
from transformers import PreTrainedModel

from qwen_tui.engine.local.decoding.decoder import Decoder
from qwen_tui.engine.local.forward.checking import Mismatch, Reference
from qwen_tui.engine.local.forward.prefill import chunk_tokens

log = logging.getLogger(__name__)

NEAR = (40, 300)
"""The second and the tenth block of the kernels' attention, which reads 32 tokens at a time."""

FARTHEST = 4500
"""A place where each of the kernels' 128 splits has more than one block; it takes 0.3 s for 7B on an H200."""

LEAST_CHUNK = 512
"""Prompts of this length are read at once everywhere."""

TIMES_TOLERANCE = 1.5
"""What is tolerated far away, as a multiple of what is tolerated near: rounding adds up over more tokens."""

LEAST_TOLERATED = {torch.float32: 0.02, torch.float16: 0.1, torch.bfloat16: 0.1}
"""Only gross errors are sought here, such as a part of the text that is not attended to."""


def check_far(model: PreTrainedModel, decoder: Decoder, expected: Reference, window: int) -> float:
    """Return the largest error of the step at these places; leaves the cache with other tokens.

    0 if the model cannot return the logits of some tokens alone, or memory is too small. Raises `Mismatch`.
    """
    limit = min(window, max(LEAST_CHUNK, chunk_tokens(model)))
    places = sorted({place for place in (*NEAR, min(FARTHEST, limit - 1)) if place < limit}, reverse=True)
    if not places or "logits_to_keep" not in inspect.signature(model.forward).parameters:
        return 0.0
    try:
        tolerance = max(LEAST_TOLERATED[model.dtype], TIMES_TOLERANCE * expected.tolerance)
        return _largest_error(model, decoder, places, tolerance)
    except torch.OutOfMemoryError:
        log.info("not checked beyond the first tokens: too little memory")
        return 0.0


def _largest_error(model: PreTrainedModel, decoder: Decoder, places: list[int], tolerance: float) -> float:
    cache, vocabulary = decoder.cache, model.config.get_text_config().vocab_size
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(0, vocabulary, (1, places[0] + 1), generator=generator).to(model.device)
    kept = torch.tensor(places, device=model.device)
    expected = model(input_ids=ids, use_cache=False, logits_to_keep=kept).logits[0].float()
    errors = []
    for place, row in zip(places, expected, strict=True):
        # What comes after a place is not attended to, but is part of a recurrent state.
        if place == places[0] or cache.running_states:
            states = cache.empty_states()
            model(input_ids=ids[:, :place], past_key_values=states, use_cache=True, logits_to_keep=1)
        said = decoder.logits(int(ids[0, place]), place)
        errors.append(float((said - row).norm() / row.norm()))
        if not errors[-1] <= tolerance:
            raise Mismatch(
                f"after {place} tokens its logits deviate by {errors[-1]:.2g}, not {tolerance:.2g}"
            )
    return max(errors)
