"""What of the next prompt is certain is read while the person is still typing.

A template may write an old reply in another way than the model did: Qwen3's leaves out what was thought. So a turn
would begin with reading the last reply again, and when old messages are left out, with reading all that remains.
"""

import logging
from collections.abc import Sequence

import torch

from qwen_tui.engine.base import PromptMessage
from qwen_tui.engine.local.forward.prefill import interruptible, on_device, prefill, prefill_in_parts
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.stopping import IsStopped, Stopped

log = logging.getLogger(__name__)

LEAST_TOKENS = 16
"""With fewer to read, a turn reads them together with its own message as fast as that alone."""


def read_ahead(
    loaded: Loaded, messages: Sequence[PromptMessage], thinking: bool | None, is_stopped: IsStopped
) -> None:
    """Read what any next message would be asked after, or as much of it as a stop leaves time for.

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
                prefill_in_parts(model, ids[:, done:], cache, cache.states)
        finally:
            cache.end(certain)
    except Stopped:
        return
    log.debug("%d tokens read ahead", len(certain) - known)
