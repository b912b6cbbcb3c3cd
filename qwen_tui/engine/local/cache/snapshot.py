"""A place in a text to which a cache can be brought back whose layers cannot be cropped.

Layers that keep every token are cropped there; of a window its keys and values are kept, and a running state is
copied, since the library changes it in place.
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
    """What it takes to bring a cache back to its first `length` tokens."""

    length: int
    layers: tuple[Any, ...]


def take_snapshot(states: DynamicCache, length: int) -> Snapshot | None:
    """A snapshot of a cache of `length` tokens; None where it has layers of another kind."""
    if not all(type(layer) in KNOWN for layer in states.layers):
        return None
    return Snapshot(length, tuple(map(_state_of, states.layers)))


def restore(states: DynamicCache, snapshot: Snapshot) -> None:
    """Bring a cache back to what it was, however much has been read since, and wherever that was broken off."""
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
