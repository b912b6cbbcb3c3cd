"""Decode step of Llama-like models through our kernels: seven launches per layer, without copies.

A layer with experts takes nine.
"""

from collections.abc import Sequence
from functools import partial

import torch
from transformers import PreTrainedModel

from qwen_tui.engine.local.cache.static_kv_cache import StaticLayer
from qwen_tui.engine.local.decoding.kernels import attention, rotary
from qwen_tui.engine.local.decoding.short_prefill import short_prefill
from qwen_tui.engine.local.decoding.weights import Layer, Unsupported, Weights


class KernelStep:
    """The forward pass for one token, computed in preallocated tensors."""

    name = "kernels"

    def __init__(
        self, model: PreTrainedModel, weights: Weights, layers: Sequence[StaticLayer], window: int
    ) -> None:
        self._weights = weights
        self._layers = layers
        device, dtype = weights.embedding.device, weights.embedding.dtype
        query_size = weights.heads * weights.head_dim
        projected_size = query_size + 2 * weights.kv_heads * weights.head_dim
        self._hidden = torch.empty(1, weights.embedding.shape[1], dtype=dtype, device=device)
        self._projected = torch.empty(1, projected_size, dtype=dtype, device=device)
        self._query = torch.empty(1, weights.heads, weights.head_dim, dtype=dtype, device=device)
        self._attended = torch.empty_like(self._query[0])
        most = max(layer.mlp.width for layer in weights.layers)
        self._between = torch.empty(most, dtype=dtype, device=device)
        self._logits = torch.empty(weights.embedding.shape[0], dtype=torch.float32, device=device)
        self._split = attention.scratch(weights.heads, weights.head_dim, device)
        # From the model itself, so that every kind of rotary scaling is right; 8 MB for 32,768 positions.
        positions = torch.arange(window, device=device)[None]
        cosines, sines = (part[0].contiguous() for part in model.model.rotary_emb(self._hidden, positions))
        if cosines.shape[1] != weights.head_dim:
            raise Unsupported(f"only {cosines.shape[1]} elements of {weights.head_dim} are rotated")
        self._angles = cosines, sines
        self.short_prefill = partial(short_prefill, weights, layers, self._angles)

    def window(self, tokens: int, capacity: int) -> int:
        """Return the capacity: the kernels read the length from the device, so one capture serves all lengths."""
        return capacity

    def __call__(self, token: torch.Tensor, position: torch.Tensor, window: int) -> torch.Tensor:
        """Return the logits (V, float32) after `token` (1) at `position` (1), and cache its keys and values."""
        weights = self._weights
        torch.index_select(weights.embedding, 0, token, out=self._hidden)
        for layer, cached in zip(weights.layers, self._layers, strict=True):
            self._attention(layer, cached, position)
            between = self._between[: layer.mlp.width]
            layer.mlp.add(self._hidden[0], between, layer.mlp_norm, weights.eps)
        weights.head.product(self._hidden[0], self._logits, weights.final_norm, weights.eps)
        return self._logits

    def _attention(self, layer: Layer, cached: StaticLayer, position: torch.Tensor) -> None:
        weights, hidden = self._weights, self._hidden[0]
        layer.projections.product(hidden, self._projected[0], layer.input_norm, weights.eps)
        query, keys, values = self._query, cached.all_keys, cached.all_values
        norms, eps = layer.head_norms, weights.eps
        rotary.place(self._projected, norms, eps, *self._angles, position, query, keys, values)
        attention.attend(query[0], keys, values, position, weights.scale, self._split, self._attended)
        layer.output.product(self._attended.view(-1), hidden, adds=True)
