"""Rotary embedding of queries and keys, and storing keys and values in the cache."""

import torch
import triton
import triton.language as tl


def place(
    projected: torch.Tensor,
    norm_weights: tuple[torch.Tensor, torch.Tensor] | None,
    eps: float,
    cosines: torch.Tensor,
    sines: torch.Tensor,
    position: torch.Tensor,
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
) -> None:
    """Store a layer's `projected` (C, (H + 2G) * D) for C tokens where attention reads it.

    Rotated queries go to `query` (C, H, D); rotated keys, and values, to `keys` and `values` (1, G, capacity, D),
    from `position` (1) on. `cosines` and `sines` (T, D) are those of each position. With `norm_weights` (D) for
    queries and keys, each head is first normalized by RMSNorm, as in Qwen3.
    """
    tokens, heads, head_dim = query.shape
    kv_heads, capacity = keys.shape[1:3]
    query_norm, key_norm = norm_weights if norm_weights is not None else (projected, projected)
    _place[(heads + 2 * kv_heads, tokens)](
        projected,
        query_norm,
        key_norm,
        eps,
        cosines,
        sines,
        position,
        query,
        keys,
        values,
        capacity,
        HEADS=heads,
        KV_HEADS=kv_heads,
        HEAD_DIM=head_dim,
        HAS_NORM=norm_weights is not None,
        num_warps=1,
    )


@triton.jit
def _normed(part, norm_weight, at, factor, HAS_NORM: tl.constexpr):
    if HAS_NORM:
        return part * factor * tl.load(norm_weight + at).to(tl.float32)
    return part


@triton.jit
def _rotated(
    source, norm_weight, eps, cosines, sines, where, target, HEAD_DIM: tl.constexpr, HAS_NORM: tl.constexpr
):
    """Rotate one head (HEAD_DIM), whose halves are the two coordinates."""
    HALF: tl.constexpr = HEAD_DIM // 2
    at = tl.arange(0, HALF)
    one = tl.load(source + at).to(tl.float32)
    two = tl.load(source + HALF + at).to(tl.float32)
    factor = tl.rsqrt((tl.sum(one * one, 0) + tl.sum(two * two, 0)) / HEAD_DIM + eps)
    one = _normed(one, norm_weight, at, factor, HAS_NORM)
    two = _normed(two, norm_weight, HALF + at, factor, HAS_NORM)
    cosine = tl.load(cosines + where * HEAD_DIM + at).to(tl.float32)
    sine = tl.load(sines + where * HEAD_DIM + at).to(tl.float32)
    tl.store(target + at, one * cosine - two * sine)
    tl.store(target + HALF + at, two * cosine + one * sine)


@triton.jit
def _place(
    projected,
    query_norm,
    key_norm,
    eps,
    cosines,
    sines,
    position,
    query,
    keys,
    values,
    capacity,
    HEADS: tl.constexpr,
    KV_HEADS: tl.constexpr,
    HEAD_DIM: tl.constexpr,
    HAS_NORM: tl.constexpr,
):
    head = tl.program_id(0)
    token = tl.program_id(1)
    where = tl.load(position) + token
    source = projected + (token * (HEADS + 2 * KV_HEADS) + head) * HEAD_DIM
    if head < HEADS:
        target = query + (token * HEADS + head) * HEAD_DIM
        _rotated(source, query_norm, eps, cosines, sines, where, target, HEAD_DIM, HAS_NORM)
    else:
        kv_head = (head - HEADS) % KV_HEADS
        place = (kv_head * capacity + where) * HEAD_DIM
        if head < HEADS + KV_HEADS:
            _rotated(source, key_norm, eps, cosines, sines, where, keys + place, HEAD_DIM, HAS_NORM)
        else:
            at = tl.arange(0, HEAD_DIM)
            tl.store(values + place + at, tl.load(source + at))
