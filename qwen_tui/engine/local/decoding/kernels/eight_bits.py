"""Products of one vector and an int8 matrix with a scale for each row, as bitsandbytes keeps LLM.int8.

Converting integers to floats would be the slowest part: a GPU does it at an eighth of its rate for additions. So
four weights are loaded as a word, and each byte becomes the lowest bits of a float of a known exponent, from which
a constant is subtracted. Sums are in float32.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl


class Tile(NamedTuple):
    """What a program computes."""

    rows: int
    step: int
    """Words per row that are read at once."""
    warps: int


def tile_of(rows: int, columns: int, *, has_norm: bool) -> Tile:
    """Return the tile for a matrix of this shape."""
    return Tile(4, 128, 2) if has_norm else Tile(2, 256, 4)


GATED = Tile(1, 64, 1)
"""The tile of a gated product: so many rows of the gate, and as many of up."""


def product(
    codes: torch.Tensor,
    scales: torch.Tensor,
    bias: torch.Tensor | None,
    x: torch.Tensor,
    out: torch.Tensor,
    norm_weight: torch.Tensor | None = None,
    eps: float = 0.0,
    *,
    adds: bool = False,
    is_gated: bool = False,
    tile: Tile | None = None,
) -> None:
    """Compute `dense.product` for `codes` (N, K) int8 with `scales` (N) float32; K is a multiple of 4.

    `is_gated` computes `dense.gated_product` for `codes` (2I, K), gate above up.
    """
    rows, columns = out.shape[0], codes.shape[1]
    tile = tile or (GATED if is_gated else tile_of(rows, columns, has_norm=norm_weight is not None))
    _product[(triton.cdiv(rows, tile.rows),)](
        codes.view(torch.int32),
        scales,
        x if bias is None else bias,
        x,
        x if norm_weight is None else norm_weight,
        out,
        rows,
        eps,
        WORDS=columns // 4,
        STEP=tile.step,
        ROWS=tile.rows,
        HAS_BIAS=bias is not None,
        HAS_NORM=norm_weight is not None,
        ADDS=adds,
        IS_GATED=is_gated,
        num_warps=tile.warps,
    )


@triton.jit
def _weight(words, SHIFT: tl.constexpr):
    """Return one byte of each word, which is 128 more than the weight, as the weight in float32."""
    bits = ((words >> SHIFT) & 255) | 0x4B000000  # 2 ** 23 and this many ones
    return bits.to(tl.float32, bitcast=True) - 8388736.0  # 2 ** 23 + 128


@triton.jit
def _dotted(codes, row, at, is_inside, WORDS: tl.constexpr, x0, x1, x2, x3):
    """Multiply the weights in words of these rows (R, STEP) by four elements of x for each word."""
    base = codes + (row.to(tl.int64) * WORDS)[:, None] + at[None, :]
    # The sign bits are flipped, so that every byte is the weight and 128; beyond the end it is 0.
    words = tl.load(base, mask=is_inside[None, :], other=0, eviction_policy="evict_first") ^ -2139062144
    even = _weight(words, 0) * x0[None, :] + _weight(words, 8) * x1[None, :]
    return even + _weight(words, 16) * x2[None, :] + _weight(words, 24) * x3[None, :]


@triton.jit
def _product(
    codes,
    scales,
    bias,
    x,
    norm_weight,
    out,
    rows,
    eps,
    WORDS: tl.constexpr,
    STEP: tl.constexpr,
    ROWS: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    HAS_NORM: tl.constexpr,
    ADDS: tl.constexpr,
    IS_GATED: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    is_row = row < rows
    there = tl.minimum(row, rows - 1)
    sums = tl.zeros((ROWS, STEP), tl.float32)
    ups = tl.zeros((ROWS, STEP), tl.float32)
    squares = tl.zeros((STEP,), tl.float32)
    for start in tl.range(0, WORDS, STEP, loop_unroll_factor=2):
        at = start + tl.arange(0, STEP)
        is_inside = at < WORDS
        x0 = tl.load(x + 4 * at, mask=is_inside, other=0.0).to(tl.float32)
        x1 = tl.load(x + 4 * at + 1, mask=is_inside, other=0.0).to(tl.float32)
        x2 = tl.load(x + 4 * at + 2, mask=is_inside, other=0.0).to(tl.float32)
        x3 = tl.load(x + 4 * at + 3, mask=is_inside, other=0.0).to(tl.float32)
        if HAS_NORM:
            squares += x0 * x0 + x1 * x1 + x2 * x2 + x3 * x3
            x0 *= tl.load(norm_weight + 4 * at, mask=is_inside, other=0.0).to(tl.float32)
            x1 *= tl.load(norm_weight + 4 * at + 1, mask=is_inside, other=0.0).to(tl.float32)
            x2 *= tl.load(norm_weight + 4 * at + 2, mask=is_inside, other=0.0).to(tl.float32)
            x3 *= tl.load(norm_weight + 4 * at + 3, mask=is_inside, other=0.0).to(tl.float32)
        sums += _dotted(codes, there, at, is_inside, WORDS, x0, x1, x2, x3)
        if IS_GATED:
            ups += _dotted(codes, there + rows, at, is_inside, WORDS, x0, x1, x2, x3)
    factor = 1.0
    if HAS_NORM:
        factor = tl.rsqrt(tl.sum(squares, 0) / (4 * WORDS) + eps)
    total = tl.sum(sums, 1) * factor * tl.load(scales + row, mask=is_row, other=0.0)
    if IS_GATED:
        up = tl.sum(ups, 1) * factor * tl.load(scales + rows + row, mask=is_row, other=0.0)
        total *= tl.sigmoid(total) * up
    if HAS_BIAS:
        total += tl.load(bias + row, mask=is_row, other=0.0).to(tl.float32)
    if ADDS:
        total += tl.load(out + row, mask=is_row, other=0.0).to(tl.float32)
    tl.store(out + row, total, mask=is_row)
