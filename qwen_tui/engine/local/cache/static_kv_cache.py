"""A KV cache whose memory stays where it is: a captured graph reads and writes it at the same addresses.

Its layers take what transformers' own take, so that prompts are read and `generate` works with them, too; but a
token is written in place, where the library's layers copy all of the cache for it.
"""

import torch
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

LEAST_TOKENS = 2048
"""How much room there is at least: a 7B model's cache of so many tokens takes 120 MB."""


class RoomyLayer(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """A layer whose `keys` and `values` (1, H, T, D) are the first T tokens of larger tensors (1, H, room, D).

    Who writes into those himself says with `hold` how many tokens there are.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most
        self.all_keys = self.all_values = torch.empty(1, 1, 0, 1)
        """With the room behind the last token: (1, H, room, D)."""

    @property
    def room(self) -> int:
        """How many tokens can be written before the tensors must move."""
        return min(int(self.all_keys.shape[-2]), int(self.all_values.shape[-2]))

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append new tokens (1, H, N, D); returns all there are, (1, H, T + N, D) each."""
        done = self.get_seq_length()
        if not self.is_initialized:
            self.lazy_initialization(keys, values)
            self.all_keys, self.all_values = (
                part.new_empty(*part.shape[:2], 0, part.shape[3]) for part in (keys, values)
            )
        end = done + keys.shape[-2]
        self.make_room(end, done)
        self.all_keys[..., done:end, :] = keys
        self.all_values[..., done:end, :] = values
        self.hold(end)
        return self.keys, self.values

    def hold(self, length: int) -> None:
        """Say that the first `length` tokens are there."""
        self.keys, self.values = self.all_keys[..., :length, :], self.all_values[..., :length, :]

    def make_room(self, tokens: int, done: int) -> None:
        """Move to where there is room for so many tokens, if there is not; the first `done` go along."""
        if tokens <= self.room:
            return
        room = LEAST_TOKENS
        while room < tokens:
            room *= 2
        room = max(tokens, min(room, self._most))
        if not self._has_moved(room, done):
            # Here and not in the handler, where the traceback would still hold what was allocated.
            self._move(tokens, done)

    def _has_moved(self, room: int, done: int) -> bool:
        try:
            self._move(room, done)
        except torch.OutOfMemoryError:
            return False
        return True

    def _move(self, room: int, done: int) -> None:
        both = (self.all_keys, self.all_values)
        # Zeros: what is behind the last token is read, too, though with no weight, and 0 * NaN is no 0.
        larger = [old.new_zeros(*old.shape[:2], room, old.shape[3]) for old in both]
        for old, new in zip(both, larger, strict=True):
            new[..., :done, :] = old[..., :done, :]
        self.all_keys, self.all_values = larger
        self.hold(done)  # what is held of the smaller ones would keep their memory

    def free(self) -> None:
        """Give the memory back; the layer holds nothing then, and moves when it is used again."""
        self.all_keys, self.all_values = (
            part.new_empty(*part.shape[:2], 0, part.shape[3]) for part in (self.all_keys, self.all_values)
        )
        if self.is_initialized:
            self.hold(0)

    def clear(self, length: int) -> None:
        """Overwrite what is behind the first `length` tokens: after a fault it may hold anything."""
        self.all_keys[..., length:, :] = 0
        self.all_values[..., length:, :] = 0


class Room:
    """The layers of one model, which every conversation uses in turn."""

    def __init__(self, model: PreTrainedModel, window: int) -> None:
        self._config = model.config.get_text_config(decoder=True)
        self.layers = [RoomyLayer(window) for _ in range(self._config.num_hidden_layers)]

    def states(self) -> DynamicCache:
        """A cache with nothing in it, in the memory of the one before: that one is not to be used any more."""
        states = DynamicCache(config=self._config)
        states.layers = list(self.layers)
        self.hold(0)
        return states

    def hold(self, length: int) -> None:
        """Say that the first `length` tokens are there."""
        for layer in self.layers:
            if layer.is_initialized:
                layer.hold(length)

    @property
    def tokens(self) -> int:
        """How many tokens can be written before the tensors must move."""
        return min(layer.room for layer in self.layers)

    @property
    def addresses(self) -> tuple[int, ...]:
        """Where the layers are, and how long: what was captured with others is of no use any more."""
        return (self.tokens, *(layer.all_keys.data_ptr() for layer in self.layers))

    def make(self, tokens: int, done: int) -> None:
        """Make room for so many tokens, if there is not; the first `done` go along."""
        for layer in self.layers:
            layer.make_room(tokens, done)

    def free(self) -> None:
        """Give the memory of all layers back."""
        for layer in self.layers:
            layer.free()

    def clear(self, length: int) -> None:
        """Overwrite what is behind the first `length` tokens."""
        for layer in self.layers:
            if layer.is_initialized:
                layer.clear(length)


def has_room_for(model: PreTrainedModel) -> bool:
    """Whether all layers of the model's cache keep every token, so that they can be replaced by roomy ones."""
    layers = DynamicCache(config=model.config.get_text_config(decoder=True)).layers
    takes_one = bool(model._supports_default_dynamic_cache())
    return takes_one and bool(layers) and all(type(layer) is DynamicLayer for layer in layers)
