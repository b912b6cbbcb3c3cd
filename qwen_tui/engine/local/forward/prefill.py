"""Prefill: read a prompt into the cache in chunks, with progress, interruptible at any layer."""

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
from qwen_tui.engine.local.forward.blocks import blocks
from qwen_tui.engine.local.forward.chunked_prefill import prefilling
from qwen_tui.engine.local.stopping import IsStopped, Stopped
from qwen_tui.engine.models.devices import CPU_CHUNK_TOKENS, gpu_chunk_tokens
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

SMALL_PARAMETERS = 100_000_000
"""Below this size, a CPU reads 256 tokens of a prompt within a tenth of a second."""

LAST_TOKENS = 16
"""How many tokens before the end of a prompt the snapshot of an uncroppable cache is taken.

These tokens are the generation prompt, and what a template may render differently once there is a reply.
"""

LAYERS_BETWEEN_CHECKS = 2
"""Number of prefill layers after which to synchronize with the device, so that a stop does not find a full queue.

Measured on an H200, 7B: synchronizing every 4 or every 100 layers takes the same time.
"""

LEAST_TOKENS = 256
"""Chunks up to this size are never split, however little memory there is."""

SHORT_TOKENS = 512
"""Largest chunk without synchronization inside: its kernels are so short that the device would idle."""


def prefill(
    model: PreTrainedModel,
    ids: torch.Tensor,
    cache: KVCache,
    done: int,
    send: Callable[[PrefillProgress], None],
    is_stopped: IsStopped,
) -> int:
    """Read a prompt (1, T), of which the cache has `done` tokens, except for its last tokens.

    Returns how many tokens are then in the cache, at least one less than T; the caller reads the rest. Raises
    `Stopped`.
    """
    total = ids.shape[1]
    if cache.states is None:
        return done
    while (end := done + chunk_tokens(model, done)) < total:
        prefill_in_parts(model, ids[:, done:end], cache, cache.states, is_stopped)
        done = end
        if not can_crop(cache.states):
            cache.take_snapshot(done)
        send(PrefillProgress(done, total))
        if is_stopped():
            raise Stopped
    if done < total - LAST_TOKENS and not can_crop(cache.states):
        prefill_in_parts(model, ids[:, done : total - LAST_TOKENS], cache, cache.states, is_stopped)
        done = total - LAST_TOKENS
        cache.take_snapshot(done)
    return done


def on_device(ids: Sequence[int], model: PreTrainedModel) -> torch.Tensor:
    """Convert token ids to a tensor (1, T) on the model's device, several times as fast as `torch.tensor`.

    Raises QwenTuiError for a token without a row in the embedding, which would break the CUDA context.
    """
    here = torch.frombuffer(array("q", ids), dtype=torch.long)[None]
    rows, largest = model.get_input_embeddings().weight.shape[0], int(here.max())
    if largest >= rows:
        raise QwenTuiError("engine.no_such_row", token=largest, rows=rows)
    return here.to(model.device)


def prefill_in_parts(
    model: PreTrainedModel,
    ids: torch.Tensor,
    cache: KVCache,
    states: DynamicCache,
    is_stopped: IsStopped,
) -> None:
    """Append these tokens (1, C) to the `states` of the cache.

    If memory is too small for all at once, they are read in halves. Raises `Stopped`.
    """
    before = length_of(states)
    if ids.shape[1] <= LEAST_TOKENS or not can_crop(states):
        _prefill(model, ids, cache, states, is_stopped)
        return
    with suppress(torch.OutOfMemoryError):
        _prefill(model, ids, cache, states, is_stopped)
        return
    # After the handler, not in it: the traceback would keep the computed tensors alive.
    crop(states, before)
    free_memory()
    if cache.kept is not None and cache.kept.give_way():
        prefill_in_parts(model, ids, cache, states, is_stopped)
        return
    half = ids.shape[1] // 2
    log.info("no memory to read %d tokens at once: splitting them", ids.shape[1])
    prefill_in_parts(model, ids[:, :half], cache, states, is_stopped)
    prefill_in_parts(model, ids[:, half:], cache, states, is_stopped)


def _prefill(
    model: PreTrainedModel,
    ids: torch.Tensor,
    cache: KVCache,
    states: DynamicCache,
    is_stopped: IsStopped,
) -> None:
    fast = cache.fast_prefill
    if fast is not None and ids.shape[1] <= fast.most_tokens:
        with cache.reading():
            fast.read(ids[0], partial(_before_layer, model.device, is_stopped, ids.shape[1]))
            wait_for(model.device)
        return
    keeps_last = "logits_to_keep" in inspect.signature(model.forward).parameters
    last_only = {"logits_to_keep": 1} if keeps_last else {}
    with prefilling(model, without_mask=cache.prefills_without_mask):
        model(input_ids=ids, past_key_values=states, use_cache=True, **last_only)
    # Without synchronizing, all chunks would be queued at once: no progress, and nothing to stop.
    wait_for(model.device)


def chunk_tokens(model: PreTrainedModel, done: int = 0) -> int:
    """Return the size of the next chunk of a prompt of which `done` tokens have been read.

    It depends only on the hardware and the position, so that a seed reproduces a reply.

    With a mask (see `chunked_prefill`), chunks after the first use slower attention kernels (7B in bf16, 24,050
    tokens on an H200: 2.2 s in chunks of 512, 1.6 s of 8,192, 0.9 s in one); too large a chunk needs memory and
    delays progress. A stop does not wait for a chunk: see `interruptible`.
    """
    if model.device.type == "cuda":
        return gpu_chunk_tokens(torch.cuda.get_device_capability(model.device)[0])
    if model.device.type == "cpu":
        # A stop waits for one layer's attention, which grows with the tokens read: 8 layers of 256, on one core,
        # 46 ms at 4,096 tokens in chunks of 256, 163 ms at 16,384, and 49 ms there in chunks of 64.
        if model.num_parameters() >= SMALL_PARAMETERS or done >= 8192:
            return 64
        return CPU_CHUNK_TOKENS if done < 2048 else 128
    return 512


def _before_layer(device: torch.device, is_stopped: IsStopped, tokens: int, index: int) -> None:
    """Raise `Stopped` if a reply that is reading so many tokens at once should end at this layer."""
    if tokens > SHORT_TOKENS and index % LAYERS_BETWEEN_CHECKS == 0:
        wait_for(device)
    if is_stopped():
        raise Stopped


@contextmanager
def interruptible(model: PreTrainedModel, is_stopped: IsStopped) -> Iterator[None]:
    """Check for a stop before each layer of the model, which then raises `Stopped`."""

    def check(index: int, _: Any, args: tuple[Any, ...]) -> None:
        tokens = args[0].shape[1] if args and isinstance(args[0], torch.Tensor) else 0  # (1, T, D)
        _before_layer(model.device, is_stopped, tokens, index)

    with ExitStack() as hooks:
        for index, layer in enumerate(blocks(model)):
            hooks.enter_context(layer.register_forward_pre_hook(partial(check, index)))
        yield


def wait_for(device: torch.device) -> None:
    """Wait until the device has finished its queue."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
