"""Prefill the certain part of the next prompt while the user is still typing.

A template may render an old reply differently from what the model generated: Qwen3's omits the thinking. A turn
would then start by reading the last reply again and, when old messages are dropped, everything that remains.
"""

import logging
from collections.abc import Sequence

import torch

from qwen_tui.engine.base import PromptMessage, Thinking
from qwen_tui.engine.local.forward.prefill import interruptible, on_device, prefill, prefill_in_parts
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.stopping import IsStopped, Stopped

log = logging.getLogger(__name__)

LEAST_TOKENS = 16
"""Below this, a turn reads the tokens along with its own message in the same time."""


def read_ahead(
    loaded: Loaded, messages: Sequence[PromptMessage], thinking: Thinking, is_stopped: IsStopped
) -> None:
    """Read the common beginning of all prompts that can follow, as far as a stop leaves time for it.

    Raises QwenTuiError, and whatever the model raises.
    """
    model, cache = loaded.model, loaded.cache
    try:
        certain = loaded.prompts.certain(messages, thinking, is_stopped=is_stopped)
        known = cache.reusable(certain)
        is_worth_it = len(certain) - known >= LEAST_TOKENS and len(certain) < loaded.info.context_window
        if not cache.can_reuse or not is_worth_it:
            return
        ids = on_device(certain, model)
        done = cache.begin(certain)
        if cache.states is None:
            return
        try:
            with torch.no_grad(), interruptible(model, is_stopped), cache.watching(model):
                done = prefill(model, ids, cache, done, lambda _: None, is_stopped)
                prefill_in_parts(model, ids[:, done:], cache, cache.states, is_stopped)
        finally:
            cache.end(certain)
    except Stopped:
        return
    log.debug("%d tokens read ahead", len(certain) - known)
