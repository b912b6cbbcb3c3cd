"""Token mixers of a layer: attention over the KV cache, or linear attention with a recurrent state."""

from typing import NamedTuple

import torch

from qwen_tui.engine.local.decoding.matrices import Matrix


class Attention(NamedTuple):
    """Softmax attention, with H query heads, G KV heads, D elements per head, and a hidden size of K."""

    projections: Matrix
    """(H * W + 2G * D, K): queries, keys and values stacked; W is D, or 2D with a gate after each head's query."""
    head_norms: tuple[torch.Tensor, torch.Tensor] | None
    """(D) for queries and keys, in models with such norms."""
    output: Matrix
    """(K, H * D)."""
    has_gate: bool


class DeltaRule(NamedTuple):
    """The gated delta rule, with G key heads of D, H value heads of V, and C = 2G * D + H * V channels."""

    projections: Matrix
    """(C + H * V + 2H, K): queries, keys, values, and the rest of `projected` in `delta_rule.recur`."""
    convolution: torch.Tensor
    """(C, 1, T)."""
    decay: torch.Tensor
    """(H)."""
    bias: torch.Tensor
    """(H)."""
    norm: torch.Tensor
    """(V)."""
    output: Matrix
    """(K, H * V)."""
    key_heads: int
    eps: float


Mixer = Attention | DeltaRule
