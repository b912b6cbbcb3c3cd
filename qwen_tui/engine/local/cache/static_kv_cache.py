"""A static cache, whose memory does not move, so that captured CUDA graphs stay valid.

Its attention layers have the interface of transformers' own, so prefill and `generate` work with them; but a new
token is written in place, while the library's layers copy the whole cache for it. Linear attention layers are
transformers' own, which updates their states in place.
"""

from collections.abc import Callable
from contextlib import suppress

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, LinearAttentionLayer

from qwen_tui.engine.local.library_internals import accepts_dynamic_cache

LEAST_TOKENS = 2048
"""Minimum capacity; a 7B model's cache of this many tokens takes 120 MB."""


class StaticLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """A layer whose `keys` and `values` (1, H, T, D) are the first T tokens of larger tensors (1, H, capacity, D).

    Code that writes into those directly sets the number of tokens with `set_length`.
    """

    def __init__(self, most_tokens: int) -> None:
        super().__init__()
        self._most_tokens = most_tokens
        self.all_keys = self.all_values = torch.empty(1, 1, 0, 1)
        """The larger tensors: (1, H, capacity, D)."""

    @property
    def capacity(self) -> int:
        """Number of tokens that fit before the tensors must be reallocated."""
        return min(int(self.all_keys.shape[-2]), int(self.all_values.shape[-2]))

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append new tokens (1, H, N, D); return all keys and values, (1, H, T + N, D) each."""
        done = self.get_seq_length()
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
            self.all_keys, self.all_values = _emptied(keys), _emptied(values)
        end = done + keys.shape[-2]
        self.reserve(end, done)
        self.all_keys[..., done:end, :] = keys
        self.all_values[..., done:end, :] = values
        self.set_length(end)
        return self.keys, self.values

    def set_length(self, length: int) -> None:
        """Declare the first `length` tokens valid."""
        self.keys, self.values = self.all_keys[..., :length, :], self.all_values[..., :length, :]

    def reserve(self, tokens: int, done: int) -> None:
        """Grow the capacity to at least `tokens` if necessary, keeping the first `done` tokens."""
        if tokens <= self.capacity:
            return
        capacity = max(LEAST_TOKENS, 1 << (tokens - 1).bit_length())  # the next power of two
        with suppress(torch.OutOfMemoryError):
            self._move(max(tokens, min(capacity, self._most_tokens)), done)
            return
        # After the handler, not in it: the traceback would keep the failed allocation alive.
        self._move(tokens, done)

    def _move(self, capacity: int, done: int) -> None:
        both = (self.all_keys, self.all_values)
        # Zeros: positions after the last token are read, with zero weight, but 0 * NaN is not 0.
        larger = [old.new_zeros(*old.shape[:2], capacity, old.shape[3]) for old in both]
        for old, new in zip(both, larger, strict=True):
            new[..., :done, :] = old[..., :done, :]
        self.all_keys, self.all_values = larger
        self.set_length(done)  # views of the smaller tensors would keep their memory alive

    def free(self) -> None:
        """Free the memory; the empty layer allocates new memory when it is used again."""
        self.all_keys, self.all_values = _emptied(self.all_keys), _emptied(self.all_values)
        if self.is_initialized:
            self.set_length(0)

    def zero_after(self, length: int) -> None:
        """Clear everything after the first `length` tokens, which may be garbage after a fault."""
        self.all_keys[..., length:, :] = 0
        self.all_values[..., length:, :] = 0


class StaticKVCache:
    """The static layers of one model, shared by all conversations."""

    def __init__(self, model: PreTrainedModel, window: int) -> None:
        self._config = model.config.get_text_config(decoder=True)
        self.layers: list[StaticLayer | LinearAttentionLayer] = [
            StaticLayer(window) if type(layer) is DynamicLayer else layer
            for layer in DynamicCache(config=self._config).layers
        ]
        self.attention_layers = [layer for layer in self.layers if isinstance(layer, StaticLayer)]
        self.make_room: Callable[[], bool] = lambda: False
        """Frees memory that the cache could use; returns whether there was any."""
        self._linear_layers = [layer for layer in self.layers if not isinstance(layer, StaticLayer)]

    def empty_states(self) -> DynamicCache:
        """Return an empty cache in the memory of the previous one, which must not be used any more."""
        states = DynamicCache(config=self._config)
        states.layers = list(self.layers)
        self.set_length(0)
        self.clear_running()
        return states

    def clear_running(self) -> None:
        """Set the states of linear attention to zero, keeping their memory."""
        for layer in self._linear_layers:
            layer.reset()

    def set_length(self, length: int) -> None:
        """Declare the first `length` tokens of the attention layers valid."""
        for layer in self.attention_layers:
            if layer.is_initialized:
                layer.set_length(length)

    @property
    def capacity(self) -> int:
        """Number of tokens that fit before the tensors must be reallocated."""
        return min(layer.capacity for layer in self.attention_layers)

    @property
    def has_linear_layers(self) -> bool:
        """Whether some layers are linear attention, whose states cannot be cropped."""
        return bool(self._linear_layers)

    @property
    def running_states(self) -> list[torch.Tensor]:
        """Tensors that every token changes as a whole: convolution and recurrent states of linear attention."""
        return [
            state
            for layer in self._linear_layers
            for states in (layer.conv_states, layer.recurrent_states)
            for state in states.values()
            if state is not None
        ]

    @property
    def addresses(self) -> tuple[int, ...]:
        """Addresses and capacity of the layers; a graph captured with other values is invalid."""
        tensors = (*(layer.all_keys for layer in self.attention_layers), *self.running_states)
        return (self.capacity, *(tensor.data_ptr() for tensor in tensors))

    def reserve(self, tokens: int, done: int) -> None:
        """Prepare every layer for this many tokens, `done` of which are cached; see `StaticLayer.reserve`."""
        try:
            for layer in self.attention_layers:
                layer.reserve(tokens, done)
        except torch.OutOfMemoryError:
            if not self.make_room():
                raise
            for layer in self.attention_layers:
                layer.reserve(tokens, done)
        for linear in self._linear_layers:
            # Before the first token the states are zeros, with the same result: a graph has one path for all
            # tokens.
            linear.has_previous_state = dict(linear.is_conv_states_initialized)

    def free(self) -> None:
        """Free the memory of keys and values; the recurrent states are small, and stay."""
        for layer in self.attention_layers:
            layer.free()
        self.clear_running()

    def zero_after(self, length: int) -> None:
        """Clear the end of the attention layers; see `StaticLayer.zero_after`."""
        for layer in self.attention_layers:
            if layer.is_initialized:
                layer.zero_after(length)


def supports_static_cache(model: PreTrainedModel) -> bool:
    """Whether the model's cache consists of layers that keep every token and perhaps linear attention."""
    kinds = {type(layer) for layer in DynamicCache(config=model.config.get_text_config(decoder=True)).layers}
    return (
        accepts_dynamic_cache(model)
        and DynamicLayer in kinds
        and kinds <= {DynamicLayer, LinearAttentionLayer}
    )


def _emptied(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.new_empty(*tensor.shape[:2], 0, tensor.shape[3])
