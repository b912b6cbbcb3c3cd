"""A few tokens of a prompt, read through the weights that are laid out for decoding.

So few, that a GPU has done its part before Python has launched the next: the model's own forward pass takes some
forty launches a layer, this one a dozen.
"""

from collections.abc import Sequence

import torch
from torch.nn.functional import embedding, rms_norm

from qwen_tui.engine.local.cache.static_kv_cache import StaticLayer
from qwen_tui.engine.local.decoding.kernels import rotary
from qwen_tui.engine.local.decoding.weights import Layer, Weights
from qwen_tui.engine.local.forward.attention import attended_behind


class ShortPrefill:
    """Puts the keys and values of a few tokens into the cache, and computes nothing that only logits would need."""

    def __init__(
        self, weights: Weights, layers: Sequence[StaticLayer], angles: tuple[torch.Tensor, torch.Tensor]
    ) -> None:
        """`angles`: cosines and sines (T, D) of each position."""
        self._weights = weights
        self._layers = layers
        self._angles = angles

    def __call__(self, ids: torch.Tensor) -> None:
        """Read tokens (C) behind those that are there."""
        weights, done = self._weights, self._layers[0].get_seq_length()
        position = torch.full((1,), done, dtype=torch.long, device=ids.device)
        hidden = embedding(ids, weights.embedding)  # (C, K)
        for layer, cached in zip(weights.layers, self._layers, strict=True):
            cached.reserve(done + ids.shape[0], done)
            query = self._rotated(layer, cached, hidden, position)
            cached.set_length(done + ids.shape[0])
            if cached is self._layers[-1]:
                break
            attended = attended_behind(query.transpose(0, 1)[None], cached.keys, cached.values, weights.scale)
            hidden = hidden + layer.output.linear(attended.reshape(ids.shape[0], -1))
            normed = rms_norm(hidden, hidden.shape[1:], layer.mlp_norm, weights.eps)
            hidden = hidden + layer.mlp(normed)

    def _rotated(
        self, layer: Layer, cached: StaticLayer, hidden: torch.Tensor, position: torch.Tensor
    ) -> torch.Tensor:
        """Write keys and values of what is hidden (C, K) into their place; returns the queries (C, H, D)."""
        weights, norms = self._weights, layer.head_norms
        normed = rms_norm(hidden, hidden.shape[1:], layer.input_norm, weights.eps)
        projected = layer.projections.linear(normed)
        query = hidden.new_empty(hidden.shape[0], weights.heads, weights.head_dim)
        keys, values = cached.all_keys, cached.all_values
        rotary.place(projected, norms, weights.eps, *self._angles, position, query, keys, values)
        return query
