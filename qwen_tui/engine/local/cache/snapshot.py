"""Snapshots of caches whose layers cannot be cropped, several of them within a budget of memory.

To restore one, layers that keep every token are cropped; a sliding window's keys and values are kept; a recurrent
state is copied, since the library updates it in place.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache
from transformers.cache_utils import (
    DynamicLayer,
    DynamicSlidingWindowLayer,
    LinearAttentionAndFullAttentionLayer,
    LinearAttentionLayer,
)

from qwen_tui.engine.local.cache.static_kv_cache import StaticLayer

KNOWN = (
    DynamicLayer,
    DynamicSlidingWindowLayer,
    LinearAttentionLayer,
    LinearAttentionAndFullAttentionLayer,
    StaticLayer,
)


class Snapshot(NamedTuple):
    """The state needed to restore a cache to its first `length` tokens."""

    length: int
    layers: tuple[Any, ...]

    @property
    def nbytes(self) -> int:
        """Memory that it takes."""
        return sum(tensor.nbytes for tensor in _tensors(self.layers))


class Snapshots:
    """The snapshots of one text, shortest first."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self.each: list[Snapshot] = []

    def add(self, snapshot: Snapshot) -> None:
        """Add the longest one; over the budget, drop the one without which the fewest tokens are read again."""
        self.each = [*(each for each in self.each if each.length < snapshot.length), snapshot]
        while len(self.each) > 1 and sum(each.nbytes for each in self.each) > self._most_bytes:
            lengths = [0, *(each.length for each in self.each)]
            gaps = [after - before for before, after in zip(lengths, lengths[2:], strict=False)]
            del self.each[gaps.index(min(gaps))]

    def before(self, length: int) -> Snapshot | None:
        """Return the longest snapshot of at most this many tokens."""
        return next((each for each in reversed(self.each) if each.length <= length), None)

    def drop_after(self, length: int) -> None:
        """Drop those of more tokens, since the text has changed there."""
        self.each = [each for each in self.each if each.length <= length]


def take_snapshot(states: DynamicCache, length: int) -> Snapshot | None:
    """Return a snapshot of a cache of `length` tokens; None if it has layers of an unknown kind."""
    if not all(type(layer) in KNOWN for layer in states.layers):
        return None
    return Snapshot(length, tuple(map(_state_of, states.layers)))


def restore(states: DynamicCache, snapshot: Snapshot) -> None:
    """Restore a cache, however much has been read since, and wherever that was interrupted."""
    for layer, state in zip(states.layers, snapshot.layers, strict=True):
        if isinstance(layer, DynamicSlidingWindowLayer):
            layer.keys, layer.values, layer.cumulative_length = state
            continue
        if isinstance(layer, DynamicLayer) and layer.is_initialized:
            layer.keys, layer.values = (
                part[..., : snapshot.length, :] for part in (layer.keys, layer.values)
            )
        if isinstance(layer, LinearAttentionLayer):
            for now, then in zip((layer.conv_states, layer.recurrent_states), state, strict=True):
                for index, saved in then.items():
                    now[index].copy_(saved)


def _state_of(layer: Any) -> Any:
    if isinstance(layer, DynamicSlidingWindowLayer):
        return layer.keys, layer.values, layer.cumulative_length
    if isinstance(layer, LinearAttentionLayer):
        states = (layer.conv_states, layer.recurrent_states)
        return tuple({i: state.clone() for i, state in each.items() if state is not None} for each in states)
    return None


def _tensors(part: Any) -> Iterator[torch.Tensor]:
    if isinstance(part, torch.Tensor):
        yield part
    elif isinstance(part, dict | tuple):
        for each in part.values() if isinstance(part, dict) else part:
            yield from _tensors(each)
