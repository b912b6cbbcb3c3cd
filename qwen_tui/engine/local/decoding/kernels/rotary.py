"""The rotary embedding of queries and keys, and the place in the cache for keys and values."""

import torch
import triton
import triton.language as tl


def place(
    projected: torch.Tensor,
    gains: tuple[torch.Tensor, torch.Tensor] | None,
    eps: float,
    cosines: torch.Tensor,
    sines: torch.Tensor,
    position: torch.Tensor,
    query: torch.Tensor,
    keys: torch.Tensor,
    values: torch.Tensor,
) -> None:
    """Put what a layer has `projected` (C, (H + 2G) * D) for C tokens where attention finds it.

    The queries, rotated, go to `query` (C, H, D); the keys, rotated, and the values to `keys` and `values`
    (1, G, room, D), from `position` (1) on. `cosines` and `sines` (T, D) are those of each position. With `gains`
    (D) for queries and keys each head is taken through RMSNorm before that, as in Qwen3.
    """
    tokens, heads, size = query.shape
    groups, room = keys.shape[1:3]
    query_gain, key_gain = gains if gains is not None else (projected, projected)
    _place[(heads + 2 * groups, tokens)](
        projected,
        query_gain,
        key_gain,
        eps,
        cosines,
        sines,
        position,
        query,
        keys,
        values,
        room,
        HEADS=heads,
        GROUPS=groups,
        SIZE=size,
        HAS_GAIN=gains is not None,
        num_warps=1,
    )


@triton.jit
def _normed(part, gain, at, factor, HAS_GAIN: tl.constexpr):
    if HAS_GAIN:
        return part * factor * tl.load(gain + at).to(tl.float32)
    return part


@triton.jit
def _rotated(source, gain, eps, cosines, sines, where, target, SIZE: tl.constexpr, HAS_GAIN: tl.constexpr):
    """One head (SIZE): its two halves are the two coordinates of what is rotated."""
    HALF: tl.constexpr = SIZE // 2
    at = tl.arange(0, HALF)
    one = tl.load(source + at).to(tl.float32)
    two = tl.load(source + HALF + at).to(tl.float32)
    factor = tl.rsqrt((tl.sum(one * one, 0) + tl.sum(two * two, 0)) / SIZE + eps)
    one = _normed(one, gain, at, factor, HAS_GAIN)
    two = _normed(two, gain, HALF + at, factor, HAS_GAIN)
    cosine = tl.load(cosines + where * SIZE + at).to(tl.float32)
    sine = tl.load(sines + where * SIZE + at).to(tl.float32)
    tl.store(target + at, one * cosine - two * sine)
    tl.store(target + HALF + at, two * cosine + one * sine)


@triton.jit
def _place(
    projected,
    query_gain,
    key_gain,
    eps,
    cosines,
    sines,
    position,
    query,
    keys,
    values,
    room,
    HEADS: tl.constexpr,
    GROUPS: tl.constexpr,
    SIZE: tl.constexpr,
    HAS_GAIN: tl.constexpr,
):
    head = tl.program_id(0)
    token = tl.program_id(1)
    where = tl.load(position) + token
    source = projected + (token * (HEADS + 2 * GROUPS) + head) * SIZE
    if head < HEADS:
        target = query + (token * HEADS + head) * SIZE
        _rotated(source, query_gain, eps, cosines, sines, where, target, SIZE, HAS_GAIN)
    else:
        group = (head - HEADS) % GROUPS
        place = (group * room + where) * SIZE
        if head < HEADS + GROUPS:
            _rotated(source, key_gain, eps, cosines, sines, where, keys + place, SIZE, HAS_GAIN)
        else:
            at = tl.arange(0, SIZE)
            tl.store(values + place + at, tl.load(source + at))
