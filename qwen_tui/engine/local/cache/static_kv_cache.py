"""A static cache: its memory stays where it is, so that a captured graph finds it at the same addresses.

Attention layers have the interface of transformers' own, so that prefill and `generate` work with them, too; but a
token is written in place, where the library's layers copy the whole cache for it. Layers of linear attention are
transformers' own: it updates their states in place.
"""

from contextlib import suppress

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, LinearAttentionLayer

LEAST_TOKENS = 2048
"""The smallest capacity: a 7B model's cache of so many tokens takes 120 MB."""


class StaticLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """A layer whose `keys` and `values` (1, H, T, D) are the first T tokens of larger tensors (1, H, capacity, D).

    Who writes into those directly says with `set_length` how many tokens there are.
    """

    def __init__(self, most_tokens: int) -> None:
        super().__init__()
        self._most_tokens = most_tokens
        self.all_keys = self.all_values = torch.empty(1, 1, 0, 1)
        """The larger tensors: (1, H, capacity, D)."""

    @property
    def capacity(self) -> int:
        """How many tokens can be written before the tensors must move."""
        return min(int(self.all_keys.shape[-2]), int(self.all_values.shape[-2]))

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append new tokens (1, H, N, D); returns all there are, (1, H, T + N, D) each."""
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
        """Say that the first `length` tokens are there."""
        self.keys, self.values = self.all_keys[..., :length, :], self.all_values[..., :length, :]

    def reserve(self, tokens: int, done: int) -> None:
        """Move to a capacity of at least so many tokens, unless there is one; the first `done` go along."""
        if tokens <= self.capacity:
            return
        capacity = max(LEAST_TOKENS, 1 << (tokens - 1).bit_length())  # the next power of two
        with suppress(torch.OutOfMemoryError):
            self._move(max(tokens, min(capacity, self._most_tokens)), done)
            return
        # Behind a handler and not in it, where the traceback would keep what was allocated.
        self._move(tokens, done)

    def _move(self, capacity: int, done: int) -> None:
        both = (self.all_keys, self.all_values)
        # Zeros: what is behind the last token is read, too, though with no weight, and 0 * NaN is no 0.
        larger = [old.new_zeros(*old.shape[:2], capacity, old.shape[3]) for old in both]
        for old, new in zip(both, larger, strict=True):
            new[..., :done, :] = old[..., :done, :]
        self.all_keys, self.all_values = larger
        self.set_length(done)  # views of the smaller ones would keep their memory

    def free(self) -> None:
        """Give the memory back; the layer is empty then, and moves when it is used again."""
        self.all_keys, self.all_values = _emptied(self.all_keys), _emptied(self.all_values)
        if self.is_initialized:
            self.set_length(0)

    def zero_after(self, length: int) -> None:
        """Overwrite what is behind the first `length` tokens: after a fault anything may be there."""
        self.all_keys[..., length:, :] = 0
        self.all_values[..., length:, :] = 0


class StaticKVCache:
    """The layers of one model, which every conversation uses in turn."""

    def __init__(self, model: PreTrainedModel, window: int) -> None:
        self._config = model.config.get_text_config(decoder=True)
        self.layers: list[StaticLayer | LinearAttentionLayer] = [
            StaticLayer(window) if type(layer) is DynamicLayer else layer
            for layer in DynamicCache(config=self._config).layers
        ]
        self.attention_layers = [layer for layer in self.layers if isinstance(layer, StaticLayer)]
        self._linear_layers = [layer for layer in self.layers if not isinstance(layer, StaticLayer)]

    def empty_states(self) -> DynamicCache:
        """A cache with nothing in it, in the memory of the one before: that one is not to be used any more."""
        states = DynamicCache(config=self._config)
        states.layers = list(self.layers)
        self.set_length(0)
        self.clear_running()
        return states

    def clear_running(self) -> None:
        """Set the states of linear attention to zero; their memory stays."""
        for layer in self._linear_layers:
            layer.reset()

    def set_length(self, length: int) -> None:
        """Say that the first `length` tokens are in the attention layers."""
        for layer in self.attention_layers:
            if layer.is_initialized:
                layer.set_length(length)

    @property
    def capacity(self) -> int:
        """How many tokens can be written before the tensors must move."""
        return min(layer.capacity for layer in self.attention_layers)

    @property
    def running_states(self) -> list[torch.Tensor]:
        """What each token changes as a whole: the convolution and recurrent states of linear attention."""
        return [
            state
            for layer in self._linear_layers
            for states in (layer.conv_states, layer.recurrent_states)
            for state in states.values()
            if state is not None
        ]

    @property
    def addresses(self) -> tuple[int, ...]:
        """Where the layers are, and how long: what was captured with others is of no use any more."""
        tensors = (*(layer.all_keys for layer in self.attention_layers), *self.running_states)
        return (self.capacity, *(tensor.data_ptr() for tensor in tensors))

    def reserve(self, tokens: int, done: int) -> None:
        """Make ready for so many tokens, of which `done` are there: see `StaticLayer.reserve`."""
        for layer in self.attention_layers:
            layer.reserve(tokens, done)
        for linear in self._linear_layers:
            # Before the first token they are zeros, which is as good: a graph has one way for all tokens.
            linear.has_previous_state = dict(linear.is_conv_states_initialized)

    def free(self) -> None:
        """Give back the memory of keys and values; running states are small, and stay."""
        for layer in self.attention_layers:
            layer.free()
        self.clear_running()

    def zero_after(self, length: int) -> None:
        """See `StaticLayer.zero_after`."""
        for layer in self.attention_layers:
            if layer.is_initialized:
                layer.zero_after(length)


def supports_static_cache(model: PreTrainedModel) -> bool:
    """Whether the model's cache has layers that keep every token and maybe linear attention, but nothing else."""
    kinds = {type(layer) for layer in DynamicCache(config=model.config.get_text_config(decoder=True)).layers}
    takes_one = bool(model._supports_default_dynamic_cache())
    return takes_one and DynamicLayer in kinds and kinds <= {DynamicLayer, LinearAttentionLayer}


def _emptied(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.new_empty(*tensor.shape[:2], 0, tensor.shape[3])
