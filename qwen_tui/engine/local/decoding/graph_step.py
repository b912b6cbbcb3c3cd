"""Decode step through the model's own forward pass, with static shapes for a CUDA graph.

It works for every model whose layers keep all tokens or are linear attention, quantized or not.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from transformers import Cache, PreTrainedModel
from transformers.cache_utils import DynamicLayer, LinearAttentionLayer

from qwen_tui.engine.local.cache.kv_cache import FastPrefill
from qwen_tui.engine.local.cache.static_kv_cache import StaticLayer
from qwen_tui.engine.local.forward.attention import ONE_QUERY, attending

LEAST_WINDOW = 1024

NO_MASK = {"linear_attention": None, "conv": None}
"""Masks of the layers that are not attention, by their names in hybrid models."""


class GraphStep:
    """The forward pass for one token with static shapes: it attends to a power-of-two window."""

    name = "graph"
    fast_prefill: FastPrefill | None = None

    def __init__(self, model: PreTrainedModel, layers: Sequence[StaticLayer | LinearAttentionLayer]) -> None:
        self._model = model
        self._layers = layers

    def window(self, tokens: int, capacity: int) -> int:
        """Return how many cache positions to attend to for this many tokens."""
        return min(max(LEAST_WINDOW, 1 << (tokens - 1).bit_length()), capacity)

    def __call__(self, token: torch.Tensor, position: torch.Tensor, window: int) -> torch.Tensor:
        """Return the logits (V, float32) after `token` (1) at `position` (1), and cache its keys and values."""
        model = self._model
        cache = Cache(
            layers=[
                _Written(layer, position, window) if isinstance(layer, StaticLayer) else layer
                for layer in self._layers
            ]
        )
        is_later = torch.arange(window, device=token.device) > position
        mask = torch.zeros(window, dtype=model.dtype, device=token.device).masked_fill(is_later, -torch.inf)
        mask = mask[None, None, None]
        is_hybrid = any(isinstance(layer, LinearAttentionLayer) for layer in self._layers)
        with attending(model, ONE_QUERY), batching(model):
            out = model(
                input_ids=token[None],
                position_ids=position[None],
                attention_mask={"full_attention": mask, **NO_MASK} if is_hybrid else mask,
                past_key_values=cache,
                use_cache=True,
            )
        logits: torch.Tensor = out.logits[0, -1].float()
        return logits


@contextmanager
def batching(model: PreTrainedModel) -> Iterator[None]:
    """Make layers of experts multiply as `generate` makes them for one token.

    Their default is for many tokens: on an H200, 12 layers with 128 experts decoded 59 tok/s with it, not 328.
    """
    before = model.get_experts_implementation()
    one_token = {part: "batched_mm" if name == "grouped_mm" else name for part, name in before.items()}
    if one_token == before:
        yield
        return
    model.set_experts_implementation(one_token)
    try:
        yield
    finally:
        model.set_experts_implementation(before)


class _Written(DynamicLayer):  # type: ignore[misc]  # transformers is not typed
    """A layer that writes one position and returns the positions of the window."""

    def __init__(self, layer: StaticLayer, position: torch.Tensor, window: int) -> None:
        super().__init__()
        self._layer, self._position, self._window = layer, position, window
        self.is_initialized = True

    def update(
        self, keys: torch.Tensor, values: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        self._layer.all_keys.index_copy_(2, self._position, keys)
        self._layer.all_values.index_copy_(2, self._position, values)
        return self._layer.all_keys[..., : self._window, :], self._layer.all_values[..., : self._window, :]

    def get_seq_length(self) -> int:
        return 0

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return self._window, 0
