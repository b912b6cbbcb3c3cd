"""The keys and values of what the model read last, and beside them the token ids they belong to.

A prompt that begins as the last one did is read only from where the two part. Layers that keep every token can be
cropped to any length. Those that keep only a window of them, or a running state, can only be built upon, or be
restored to the one snapshot; before that, the prompt is read from its beginning.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from qwen_tui.engine.local.cache.snapshot import Snapshot, restore, take_snapshot
from qwen_tui.engine.local.cache.static_kv_cache import StaticKVCache, StaticLayer

CHANGING_ROPES = frozenset({"dynamic", "longrope"})
"""Rotary embeddings that depend on how long the whole text is: the keys of a shorter one are others."""


class KVCache:
    """The cache of one model: one prompt and its reply. Not safe to use from two threads."""

    def __init__(
        self,
        model: PreTrainedModel,
        static: StaticKVCache | None = None,
        *,
        prefills_without_mask: bool = False,
        short_prefill: Callable[[torch.Tensor], None] | None = None,
    ) -> None:
        self._static = static
        """Its memory; None for a model whose layers do not keep every token."""
        self.prefills_without_mask = prefills_without_mask
        """How chunks are read into it: see `chunked_prefill.prefills_without_mask`."""
        self.short_prefill = short_prefill
        """Puts a few tokens (C) into `states` faster than the forward pass does."""
        self._config = model.config.get_text_config(decoder=True)
        # A Mamba, for instance, has a cache of another kind.
        takes_one = "past_key_values" in inspect.signature(model.forward).parameters
        self._is_dynamic = takes_one and bool(model._supports_default_dynamic_cache())
        self.can_reuse = self._is_dynamic and not CHANGING_ROPES & rope_types(self._config)
        """Whether what was read for one prompt can serve another."""
        self.states: DynamicCache | None = None
        """What the model takes as `past_key_values`; None for one with a cache of another kind."""
        self.ids: list[int] = []
        """The tokens in `states`; between `begin` and `end` there are more."""
        self._snapshot: Snapshot | None = None
        """Where a cache that cannot be cropped can be brought back to."""
        self._is_whole = True
        """No forward pass was broken off, so all layers have the same tokens."""

    def reusable(self, prompt_ids: Sequence[int]) -> int:
        """How many of a prompt's first tokens need not be read again.

        Never all of them: the next token's logits come from reading the last one. With nothing left to read,
        `generate` silently computes something else.
        """
        shared = common_prefix(self.ids, prompt_ids[:-1])
        if shared == len(self.ids) or can_crop(self.states):
            return shared
        return self._snapshot.length if self._snapshot is not None and self._snapshot.length <= shared else 0

    def begin(self, prompt_ids: Sequence[int], *, reuse: bool = True) -> int:
        """Make ready to read a prompt, and return how many of its tokens are in `states` already."""
        shared = self.reusable(prompt_ids) if reuse else 0
        if shared and self.states is not None:
            self._bring_to(self.states, shared)
        else:
            self.forget()
            if self._static is not None:
                self.states = self._static.empty_states()
            elif self._is_dynamic:
                self.states = DynamicCache(config=self._config)
        self.ids = self.ids[:shared]
        return shared

    @contextmanager
    def watching(self, model: PreTrainedModel) -> Iterator[None]:
        """Within this, it is seen whether each forward pass comes to its end."""

        def note(is_whole: bool) -> Callable[..., None]:
            return lambda *_: setattr(self, "_is_whole", is_whole)

        with (
            model.register_forward_pre_hook(note(False)),
            model.register_forward_hook(note(True)),
        ):
            yield

    def take_snapshot(self, length: int) -> None:
        """Take the place to come back to: there are so many tokens now."""
        self._snapshot = take_snapshot(self.states, length) if self.states is not None else None

    def end(self, sequence: Sequence[int]) -> None:
        """Take note of what was read: the first tokens of `sequence`, a prompt with what was generated after it.

        A forward pass that was broken off, by a stop or for want of memory, leaves layers of different lengths:
        what all of them have is kept.
        """
        length = length_of(self.states) if self.states is not None and self.can_reuse else 0
        if self.states is None or not 0 < length <= len(sequence):
            self.forget()
        elif self._is_whole or can_crop(self.states):
            crop(self.states, length)
            self.ids = list(sequence[:length])
        elif self._snapshot is not None:
            restore(self.states, self._snapshot)
            self.ids = list(sequence[: self._snapshot.length])
        else:
            self.forget()
        self._is_whole = True

    def forget(self) -> None:
        """Let go of all of it."""
        self.states, self.ids, self._snapshot = None, [], None

    def release(self) -> None:
        """Give back what it would keep for the next prompt, too."""
        if self._static is not None:
            self.forget()
            self._static.free()

    def _bring_to(self, states: DynamicCache, length: int) -> None:
        if length < len(self.ids) and not can_crop(states) and self._snapshot is not None:
            restore(states, self._snapshot)
        else:
            crop(states, length)
        if self._snapshot is not None and self._snapshot.length > length:
            self._snapshot = None


def common_prefix(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with. Compared in halves, each at once: 24,000 one by one take 4 ms."""
    first, second = list(one), list(other)
    same, end = 0, min(len(first), len(second))
    while same < end:
        middle = (same + end + 1) // 2
        if first[same:middle] == second[same:middle]:
            same = middle
        else:
            end = middle - 1
    return same


def length_of(states: DynamicCache) -> int:
    """How many tokens are in every layer that keeps keys and values; 0 where there is no such layer."""
    return min((_length(layer) for layer in states.layers if isinstance(layer, DynamicLayer)), default=0)


def can_crop(states: DynamicCache | None) -> bool:
    """Whether every layer keeps all tokens, so that the last ones can be cropped."""
    return states is not None and all(map(_keeps_all, states.layers))


def crop(states: DynamicCache, length: int) -> None:
    """Bring every layer to the first `length` tokens, each by itself: their lengths may differ.

    Memory is freed when a layer grows again, which copies what was left of it.
    """
    for layer in states.layers:
        if _keeps_all(layer) and layer.is_initialized:
            layer.keys, layer.values = layer.keys[..., :length, :], layer.values[..., :length, :]
            if isinstance(layer, DynamicSlidingWindowLayer):
                layer.cumulative_length = length


def rope_types(config: Any) -> set[str]:
    """The kinds of rotary embedding that a config names: one for all layers, or one for each kind of layer."""
    parameters = getattr(config, "rope_parameters", None) or {}
    each = [parameters, *(value for value in parameters.values() if isinstance(value, dict))]
    return {str(one["rope_type"]) for one in each if "rope_type" in one}


def _keeps_all(layer: Any) -> bool:
    if type(layer) is DynamicSlidingWindowLayer:
        return bool(layer.cumulative_length < layer.sliding_window)
    return type(layer) in (DynamicLayer, StaticLayer)


def _length(layer: DynamicLayer) -> int:
    """How many tokens a layer (1, H, T, D) has both keys and values of."""
    if not layer.is_initialized or layer.keys.numel() == 0 or layer.values.numel() == 0:
        return 0
    if not _keeps_all(layer):
        return int(layer.get_seq_length())
    return min(int(layer.keys.shape[-2]), int(layer.values.shape[-2]))
