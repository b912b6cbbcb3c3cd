"""The rotary embedding of one token's queries and keys, and the place in the cache for its keys and values."""

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
    """Put what a layer has `projected` ((H + 2G) * D) where attention finds it.

    The queries, rotated, go to `query` (H, D); the keys, rotated, and the values to `position` (1) of `keys` and
    `values` (1, G, room, D). `cosines` and `sines` (T, D) are those of each position. With `gains` (D) for queries
    and keys each head is taken through RMSNorm before that, as in Qwen3.
    """
    heads, size = query.shape
    groups, room = keys.shape[1:3]
    query_gain, key_gain = gains if gains is not None else (projected, projected)
    _place[(heads + 2 * groups,)](
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
    where = tl.load(position)
    source = projected + head * SIZE
    if head < HEADS:
        _rotated(source, query_gain, eps, cosines, sines, where, query + head * SIZE, SIZE, HAS_GAIN)
    else:
        group = (head - HEADS) % GROUPS
        target = (group * room + where) * SIZE
        if head < HEADS + GROUPS:
            _rotated(source, key_gain, eps, cosines, sines, where, keys + target, SIZE, HAS_GAIN)
        else:
            at = tl.arange(0, SIZE)
            tl.store(values + target + at, tl.load(source + at))
