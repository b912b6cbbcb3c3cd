"""Prefill tokens through the weights in their decoding layout.

With few tokens, a GPU finishes each kernel before Python launches the next: the model's own forward pass takes
some forty launches per layer, this one a dozen. With many, it is faster for linear attention, which the library
computes in many small operations.
"""

from collections.abc import Callable, Sequence

import torch
from torch.nn.functional import embedding, rms_norm
from transformers.cache_utils import LinearAttentionLayer

from qwen_tui.engine.local.cache.static_kv_cache import StaticLayer
from qwen_tui.engine.local.decoding.kernels import convolution, delta_rule_prefill, rotary
from qwen_tui.engine.local.decoding.mixers import Attention, DeltaRule
from qwen_tui.engine.local.decoding.weights import Weights
from qwen_tui.engine.local.forward.attention import attended_behind

Angles = tuple[torch.Tensor, torch.Tensor]
"""Cosines and sines (T, D) of each position."""

SEGMENT = 2048
"""Tokens for which linear attention is computed at once; more would need more memory and save no time."""


def kernel_prefill(
    weights: Weights,
    layers: Sequence[StaticLayer | LinearAttentionLayer],
    angles: Angles,
    ids: torch.Tensor,
    before_layer: Callable[[int], None],
) -> None:
    """Add tokens (C) to the cache, skipping what only logits would need.

    `before_layer` is called with the number of each layer, and may raise.
    """
    done = next(layer for layer in layers if isinstance(layer, StaticLayer)).get_seq_length()
    position = torch.full((1,), done, dtype=torch.long, device=ids.device)
    hidden = embedding(ids, weights.embedding)  # (C, K)
    for index, (layer, cached) in enumerate(zip(weights.layers, layers, strict=True)):
        before_layer(index)
        projected = layer.mixer.projections.linear(_normed(hidden, layer.input_norm, weights.eps))
        if isinstance(layer.mixer, Attention):
            query = _place(weights, layer.mixer, cached, angles, position, projected)
            if cached is layers[-1]:
                break
            mixed = _attended(weights, layer.mixer, cached, query, projected)
        else:
            mixed = _recurred(layer.mixer, cached, projected)
            if cached is layers[-1]:
                break
        hidden = hidden + layer.mixer.output.linear(mixed)
        hidden = hidden + layer.mlp(_normed(hidden, layer.mlp_norm, weights.eps))


def _normed(hidden: torch.Tensor, norm: torch.Tensor, eps: float) -> torch.Tensor:
    """Apply RMSNorm to vectors (C, K), in float32 where the weights (K) are."""
    return rms_norm(hidden.to(norm.dtype), norm.shape, norm, eps).to(hidden.dtype)


def _place(
    weights: Weights,
    mixer: Attention,
    cached: StaticLayer,
    angles: Angles,
    position: torch.Tensor,
    projected: torch.Tensor,
) -> torch.Tensor:
    """Append keys and values to the cache, and return the rotated queries (C, H, D)."""
    tokens, done = projected.shape[0], cached.get_seq_length()
    cached.reserve(done + tokens, done)
    query = projected.new_empty(tokens, weights.heads, weights.head_dim)
    keys, values = cached.all_keys, cached.all_values
    rotary.place(projected, mixer.head_norms, weights.eps, *angles, position, query, keys, values)
    cached.set_length(done + tokens)
    return query


def _attended(
    weights: Weights,
    mixer: Attention,
    cached: StaticLayer,
    query: torch.Tensor,
    projected: torch.Tensor,
) -> torch.Tensor:
    """Return the attention's output (C, H * D)."""
    attended = attended_behind(query.transpose(0, 1)[None], cached.keys, cached.values, weights.scale)[0]
    if mixer.has_gate:
        width = 2 * weights.heads * weights.head_dim
        gates = projected[:, :width].view(-1, weights.heads, 2, weights.head_dim)[:, :, 1]
        attended = attended * gates.sigmoid()
    return attended.reshape(projected.shape[0], -1)


def _recurred(mixer: DeltaRule, cached: LinearAttentionLayer, projected: torch.Tensor) -> torch.Tensor:
    """Update the recurrent states, and return the value heads' output (C, H * V)."""
    convolved, state = cached.conv_states[0], cached.recurrent_states[0]
    outputs = []
    for part in torch.split(projected, SEGMENT):
        mixed = convolution.convolve(part, mixer.convolution, convolved)
        outputs.append(
            delta_rule_prefill.recur(
                mixed, part, mixer.decay, mixer.bias, state, mixer.norm, mixer.eps, mixer.key_heads
            )
        )
    cached.has_previous_state[0] = True
    return torch.cat(outputs) if len(outputs) > 1 else outputs[0]
