"""Prefill a few tokens through the weights in their decoding layout.

With so few tokens, a GPU finishes each kernel before Python launches the next: the model's own forward pass takes
some forty launches per layer, this one a dozen.
"""

from collections.abc import Sequence

import torch
from torch.nn.functional import embedding, rms_norm

from qwen_tui.engine.local.cache.static_kv_cache import StaticLayer
from qwen_tui.engine.local.decoding.kernels import rotary
from qwen_tui.engine.local.decoding.mixers import Attention
from qwen_tui.engine.local.decoding.weights import Weights
from qwen_tui.engine.local.forward.attention import attended_behind

Angles = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines (T, D) of each position."""


def short_prefill(weights: Weights, layers: Sequence[StaticLayer], angles: Angles, ids: torch.Tensor) -> None:
    """Add the keys and values of tokens (C) to the cache, skipping what only logits would need."""
    done = layers[0].get_seq_length()
    position = torch.full((1,), done, dtype=torch.long, device=ids.device)
    hidden = embedding(ids, weights.embedding)  # (C, K)
    for layer, cached in zip(weights.layers, layers, strict=True):
        cached.reserve(done + ids.shape[0], done)
        normed = rms_norm(hidden, hidden.shape[1:], layer.input_norm, weights.eps)
        mixer = layer.mixer
        assert isinstance(mixer, Attention)
        projected = mixer.projections.linear(normed)
        query = hidden.new_empty(hidden.shape[0], weights.heads, weights.head_dim)
        keys, values = cached.all_keys, cached.all_values
        rotary.place(projected, mixer.head_norms, weights.eps, *angles, position, query, keys, values)
        cached.set_length(done + ids.shape[0])
        if cached is layers[-1]:
            break
        attended = attended_behind(query.transpose(0, 1)[None], cached.keys, cached.values, weights.scale)
        hidden = hidden + mixer.output.linear(attended.reshape(ids.shape[0], -1))
        normed = rms_norm(hidden, hidden.shape[1:], layer.mlp_norm, weights.eps)
        hidden = hidden + layer.mlp(normed)
