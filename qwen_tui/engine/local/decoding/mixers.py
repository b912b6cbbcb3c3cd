"""How a layer mixes tokens: attention over the KV cache, or linear attention with a running state."""

from typing import NamedTuple

import torch

from qwen_tui.engine.local.decoding.matrices import Matrix


class Attention(NamedTuple):
    """Softmax attention; H query heads, G heads of keys, D elements a head, K of the hidden state."""

    projections: Matrix
    """(H * W + 2G * D, K): queries over keys over values; W is D, or 2D with a gate behind each head's query."""
    head_norms: tuple[torch.Tensor, torch.Tensor] | None
    """(D) for queries and keys, where a model has such norms."""
    output: Matrix
    """(K, H * D)."""
    has_gate: bool


class DeltaRule(NamedTuple):
    """The gated delta rule; G key heads of D elements, H value heads of V, C = 2G * D + H * V channels."""

    projections: Matrix
    """(C + H * V + 2H, K): queries, keys and values, then what else `delta_rule.recur` takes as `projected`."""
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
