"""Reading a prompt into the cache: in chunks, with progress, and stopped at every depth."""

import inspect
import logging
from array import array
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel

from qwen_tui.engine.base import PrefillProgress
from qwen_tui.engine.local.cache.kv_cache import KVCache, can_crop, crop, length_of
from qwen_tui.engine.local.faults import free_memory
from qwen_tui.engine.local.forward.chunked_prefill import prefilling
from qwen_tui.engine.local.stopping import IsStopped, Stopped
from qwen_tui.engine.models.devices import CPU_CHUNK_TOKENS, gpu_chunk_tokens
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

SMALL_PARAMETERS = 100_000_000
"""Below this size a CPU reads 256 tokens of a prompt within a tenth of a second."""

LAST_TOKENS = 16
"""Before so many of a prompt's last tokens is where a cache that cannot be cropped is brought back to.

These are the generation prompt with what a template may write there in another way once there is a reply.
"""

LAYERS_BETWEEN_CHECKS = 2
"""After how many layers of a prefill the device is waited for, so that a stop does not find a full queue.

Measured on a H200, 7B: waiting every 4 or every 100 layers takes the same time.
"""

LEAST_TOKENS = 256
"""What is not read in parts, however little memory there is."""

SHORT_TOKENS = 512
"""A chunk of no more is not waited for within: its kernels are so short that the device would stand still."""


def prefill(
    model: PreTrainedModel,
    ids: torch.Tensor,
    cache: KVCache,
    done: int,
    send: Callable[[PrefillProgress], None],
    is_stopped: IsStopped,
) -> int:
    """Read a prompt (1, T), of which the cache has `done` tokens, but for its last tokens: those are the caller's.

    Returns how many tokens are in the cache then, at least one less than T. Raises `Stopped`.
    """
    total = ids.shape[1]
    if cache.states is None:
        return done
    while (end := done + chunk_tokens(model, done)) < total:
        prefill_in_parts(model, ids[:, done:end], cache, cache.states)
        done = end
        send(PrefillProgress(done, total))
        if is_stopped():
            raise Stopped
    if done < total - LAST_TOKENS and not can_crop(cache.states):
        prefill_in_parts(model, ids[:, done : total - LAST_TOKENS], cache, cache.states)
        done = total - LAST_TOKENS
        cache.take_snapshot(done)
    return done


def on_device(ids: Sequence[int], model: PreTrainedModel) -> torch.Tensor:
    """Token ids as a tensor (1, T) on the model's device, several times as fast as `torch.tensor` makes one.

    Raises QwenTuiError for a token that the embedding has no row for: a GPU would be lost to it.
    """
    here = torch.frombuffer(array("q", ids), dtype=torch.long)[None]
    rows, largest = model.get_input_embeddings().weight.shape[0], int(here.max())
    if largest >= rows:
        raise QwenTuiError("engine.no_such_row", token=largest, rows=rows)
    return here.to(model.device)


def prefill_in_parts(model: PreTrainedModel, ids: torch.Tensor, cache: KVCache, states: DynamicCache) -> None:
    """Put these tokens (1, C) into the `states` of the cache, behind those that are there.

    Where there is no memory for so many at once, one half after the other.
    """
    before = length_of(states)
    if ids.shape[1] <= LEAST_TOKENS or not can_crop(states):
        _prefill(model, ids, cache, states)
        return
    with suppress(torch.OutOfMemoryError):
        _prefill(model, ids, cache, states)
        return
    # Behind a handler and not in it, where the traceback would keep what was computed.
    crop(states, before)
    free_memory()
    half = ids.shape[1] // 2
    log.info("no memory to read %d tokens at once: in two parts", ids.shape[1])
    prefill_in_parts(model, ids[:, :half], cache, states)
    prefill_in_parts(model, ids[:, half:], cache, states)


def _prefill(model: PreTrainedModel, ids: torch.Tensor, cache: KVCache, states: DynamicCache) -> None:
    if cache.short_prefill is not None and ids.shape[1] <= SHORT_TOKENS:
        cache.short_prefill(ids[0])
        wait_for(model.device)
        return
    keeps_last = "logits_to_keep" in inspect.signature(model.forward).parameters
    last_only = {"logits_to_keep": 1} if keeps_last else {}
    with prefilling(model, without_mask=cache.prefills_without_mask):
        model(input_ids=ids, past_key_values=states, use_cache=True, **last_only)
    # Without waiting, all chunks would be queued on the device at once: no progress, and nothing to stop.
    wait_for(model.device)


def chunk_tokens(model: PreTrainedModel, done: int = 0) -> int:
    """How many tokens are read next of a prompt of which so many are done.

    Depends on the hardware and the place alone, so that a seed repeats a reply.

    A chunk after the first goes through slower attention kernels, since it needs a mask (7B in bf16, 24,050
    tokens on a H200: 2.2 s in chunks of 512, 1.6 s of 8,192, 0.9 s in one), and a chunk that is too large takes
    memory and lets progress stand still. A stop does not wait for a chunk: see `interruptible`.
    """
    if model.device.type == "cuda":
        return gpu_chunk_tokens(torch.cuda.get_device_capability(model.device)[0])
    if model.device.type == "cpu":
        # A stop waits for one layer's attention, which grows with what has been read: 8 layers of 256, on one
        # core, 46 ms at 4,096 tokens in chunks of 256, 163 ms at 16,384, and 49 ms there in chunks of 64.
        if model.num_parameters() >= SMALL_PARAMETERS or done >= 8192:
            return 64
        return CPU_CHUNK_TOKENS if done < 2048 else 128
    return 512


@contextmanager
def interruptible(model: PreTrainedModel, is_stopped: IsStopped) -> Iterator[None]:
    """Within this, a stop is seen before each layer of the model, which then raises `Stopped`."""

    def check(index: int, _: Any, args: tuple[Any, ...]) -> None:
        is_long = bool(args) and isinstance(args[0], torch.Tensor) and args[0].shape[1] > SHORT_TOKENS
        if is_long and index % LAYERS_BETWEEN_CHECKS == 0:  # (1, T, D)
            wait_for(model.device)
        if is_stopped():
            raise Stopped

    layers = getattr(model.get_decoder(), "layers", None) or [model]
    with ExitStack() as hooks:
        for index, layer in enumerate(layers):
            hooks.enter_context(layer.register_forward_pre_hook(partial(check, index)))
        yield


def wait_for(device: torch.device) -> None:
    """Wait until the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
