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
    """Store a layer's `projected` (C, H * W + 2G * D) for C tokens where attention reads it.

    Rotated queries go to `query` (C, H, D); rotated keys, and values, to `keys` and `values` (1, G, capacity, D),
    from `position` (1) on. `cosines` and `sines` (T, R) are those of each position, for the first R elements of a
    head; the others are not rotated. With `norm_weights` (D) for queries and keys, each head is first normalized
    by RMSNorm, as in Qwen3. W is D, or 2D with a gate after each query, as in Qwen3.5.
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
        QUERY_WIDTH=(projected.shape[1] - 2 * kv_heads * head_dim) // heads,
        ROTATED=cosines.shape[1],
        HAS_NORM=norm_weights is not None,
        num_warps=1,
    )


@triton.jit
def _normed(source, norm_weight, at, factor, HAS_NORM: tl.constexpr):
    part = tl.load(source + at).to(tl.float32)
    if HAS_NORM:
        part *= factor * tl.load(norm_weight + at).to(tl.float32)
    return part


@triton.jit
def _rotated(
    source,
    norm_weight,
    eps,
    cosines,
    sines,
    where,
    target,
    HEAD_DIM: tl.constexpr,
    ROTATED: tl.constexpr,
    HAS_NORM: tl.constexpr,
):
    """Rotate one head (HEAD_DIM): the halves of its first ROTATED elements are the two coordinates."""
    at = tl.arange(0, HEAD_DIM)
    whole = tl.load(source + at).to(tl.float32)
    factor = tl.rsqrt(tl.sum(whole * whole, 0) / HEAD_DIM + eps)
    is_first = at < ROTATED // 2
    is_rotated = at < ROTATED
    partner = tl.where(is_first, at + ROTATED // 2, tl.where(is_rotated, at - ROTATED // 2, at))
    one = _normed(source, norm_weight, at, factor, HAS_NORM)
    other = _normed(source, norm_weight, partner, factor, HAS_NORM)
    cosine = tl.load(cosines + where * ROTATED + at, mask=is_rotated, other=1.0).to(tl.float32)
    sine = tl.load(sines + where * ROTATED + at, mask=is_rotated, other=0.0).to(tl.float32)
    tl.store(target + at, one * cosine + tl.where(is_first, -other, other) * sine)


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
    QUERY_WIDTH: tl.constexpr,
    ROTATED: tl.constexpr,
    HAS_NORM: tl.constexpr,
):
    head = tl.program_id(0)
    token = tl.program_id(1)
    where = tl.load(position) + token
    row = projected + token * (HEADS * QUERY_WIDTH + 2 * KV_HEADS * HEAD_DIM)
    if head < HEADS:
        source = row + head * QUERY_WIDTH
        target = query + (token * HEADS + head) * HEAD_DIM
        _rotated(source, query_norm, eps, cosines, sines, where, target, HEAD_DIM, ROTATED, HAS_NORM)
    else:
        source = row + HEADS * QUERY_WIDTH + (head - HEADS) * HEAD_DIM
        kv_head = (head - HEADS) % KV_HEADS
        place = (kv_head * capacity + where) * HEAD_DIM
        if head < HEADS + KV_HEADS:
            _rotated(source, key_norm, eps, cosines, sines, where, keys + place, HEAD_DIM, ROTATED, HAS_NORM)
        else:
            at = tl.arange(0, HEAD_DIM)
            tl.store(values + place + at, tl.load(source + at))
