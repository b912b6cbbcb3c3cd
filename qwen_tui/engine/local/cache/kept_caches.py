"""Keep the caches of other conversations, so that coming back to one does not read it again.

They are copies: on the device while it has room to spare, else in main memory. They give way to whatever else needs
the memory.
"""

import logging
from collections.abc import Sequence
from typing import NamedTuple

import torch
from transformers import DynamicCache
from transformers.cache_utils import LinearAttentionLayer

from qwen_tui.engine.local.cache.snapshot import Snapshot
from qwen_tui.engine.local.cache.static_kv_cache import StaticLayer
from qwen_tui.engine.local.faults import free_memory
from qwen_tui.engine.models.main_memory import main_memory

log = logging.getLogger(__name__)

MOST = 16
"""How many caches are kept."""

DEVICE_RESERVE = 1 / 16
"""Share of a GPU's memory that stays free."""

MAIN_SHARE = 1 / 4
"""Share of the free main memory that kept caches may take."""


class Kept(NamedTuple):
    """The cache of one text."""

    ids: list[int]
    tensors: tuple[torch.Tensor, ...]
    """Keys and values of each attention layer, states of each linear one, in the order of the layers."""
    snapshots: list[Snapshot]

    @property
    def nbytes(self) -> int:
        """Memory that it takes, snapshots aside."""
        return sum(tensor.nbytes for tensor in self.tensors)

    @property
    def is_on_device(self) -> bool:
        """Whether it takes memory of a GPU."""
        return bool(self.tensors) and self.tensors[0].is_cuda


class KeptCaches:
    """Caches of one model, the one that was used last at the end."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self.device_share = 1.0 - DEVICE_RESERVE
        """Share of a GPU's memory that may be in use once a cache is kept there; 0 keeps all in main memory."""
        self.each: list[Kept] = []

    def keep(self, ids: list[int], states: DynamicCache, snapshots: list[Snapshot]) -> None:
        """Copy a cache, unless there is no memory for it; caches of its beginnings are dropped."""
        self.each = [kept for kept in self.each if kept.ids != ids[: len(kept.ids)]]
        tensors = _tensors_of(states, len(ids))
        needed = sum(tensor.nbytes for tensor in tensors)
        copied: tuple[torch.Tensor, ...] | None = None
        try:
            if self._fits_on_device(needed):
                copied = tuple(tensor.clone() for tensor in tensors)
            elif self._fits_in_main_memory(needed):
                copied = tuple(map(_in_main_memory, tensors))
        except RuntimeError as error:  # no memory, or none that can be pinned
            log.info("a cache of %d tokens is not kept: %s", len(ids), error)
        if copied is not None:
            self.each = [*self.each, Kept(ids, copied, snapshots)][-MOST:]

    def take(self, kept: Kept, states: DynamicCache) -> None:
        """Write a kept cache into the static layers, and keep it no longer."""
        self.each = [each for each in self.each if each is not kept]
        length, left = len(kept.ids), list(kept.tensors)
        for layer in states.layers:
            if isinstance(layer, StaticLayer):
                layer.reserve(length, 0)
                for target in (layer.all_keys, layer.all_values):
                    target[..., :length, :].copy_(left.pop(0), non_blocking=True)
                layer.set_length(length)
            elif isinstance(layer, LinearAttentionLayer):
                for states_of in (layer.conv_states, layer.recurrent_states):
                    for target in states_of.values():
                        target.copy_(left.pop(0), non_blocking=True)
                layer.has_previous_state = dict.fromkeys(layer.has_previous_state, True)
        log.debug("a kept cache of %d tokens is used again", length)

    def give_way(self) -> bool:
        """Drop what is kept on the device; return whether that was anything."""
        left = [kept for kept in self.each if not kept.is_on_device]
        has_any, self.each = len(left) < len(self.each), left
        if has_any:
            free_memory()
        return has_any

    def clear(self) -> None:
        """Drop everything."""
        self.each = []

    def _fits_on_device(self, needed: int) -> bool:
        if self._device.type != "cuda":
            return False
        free, total = torch.cuda.mem_get_info(self._device)
        reserved = torch.cuda.memory_reserved(self._device) - torch.cuda.memory_allocated(self._device)
        return total - free - reserved + needed <= self.device_share * total

    def _fits_in_main_memory(self, needed: int) -> bool:
        """Drop the oldest ones there until there is room for this one."""
        here = [kept for kept in self.each if not kept.is_on_device]
        taken = sum(kept.nbytes for kept in here)
        most = MAIN_SHARE * (main_memory().free + taken)
        while here and taken + needed > most:
            oldest = here.pop(0)
            taken -= oldest.nbytes
            self.each = [kept for kept in self.each if kept is not oldest]
        return taken + needed <= most


def _tensors_of(states: DynamicCache, length: int) -> list[torch.Tensor]:
    found: list[torch.Tensor] = []
    for layer in states.layers:
        if isinstance(layer, StaticLayer):
            found += (layer.keys[..., :length, :], layer.values[..., :length, :])
        elif isinstance(layer, LinearAttentionLayer):
            found += (*layer.conv_states.values(), *layer.recurrent_states.values())
    return found


def _in_main_memory(tensor: torch.Tensor) -> torch.Tensor:
    """Copy a tensor; pinned memory is copied back at the full speed of the bus."""
    if not tensor.is_cuda:
        return tensor.clone()
    try:
        copied = torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
    except RuntimeError:  # the system allows a process only so much of it
        return tensor.cpu()
    return copied.copy_(tensor)


def reusable(ids: Sequence[int], can_crop: bool, snapshots: Sequence[Snapshot], shared: int) -> int:
    """Return how many tokens of a text `ids` a prompt can use, of which it shares the first `shared`."""
    if shared == len(ids) or can_crop:
        return shared
    return max((each.length for each in snapshots if each.length <= shared), default=0)
