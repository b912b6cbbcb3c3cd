"""Snapshots of caches whose layers cannot be cropped.

To restore one, layers that keep every token are cropped; a sliding window's keys and values are kept; a recurrent
state is copied, since the library updates it in place.
"""

from typing import Any, NamedTuple

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
