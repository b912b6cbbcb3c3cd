"""Matrix-vector products at the rate at which memory delivers the matrix.

Measured on an H200 in a CUDA graph, in bf16, where copying reaches 4.26 TB/s (cuBLAS in brackets): 4608 x 3584 2.9
TB/s (3.0), 3584 x 3584 3.1 (2.4), 3584 x 18944 4.0 (3.6), gate and up of 18944 x 3584 4.4, 152064 x 3584 4.5
(4.4). The rows and columns per program are the best of 10 to 14 variants for the shapes of Qwen2.5 from 1.5B to
32B, Qwen3 from 0.6B to 14B and Llama 8B: the best for one shape costs another up to a fifth.

In int8 the limit is the conversion of integers: in the order above 1.7, 1.6, 2.6 and (gate and up) 2.9 TB/s, with
the fastest of 12 to 40 tiles.
"""

from typing import NamedTuple

import torch
import triton
import triton.language as tl

MANY_ROWS = 4096
"""From this many rows on there are enough programs even if each takes twice as many."""


class Tile(NamedTuple):
    """Work of one program of `product`."""

    rows: int
    step: int
    """Columns read at a time."""
    warps: int
    unroll: int
    """Unroll factor of the loop over the columns."""


def tile_of(rows: int, columns: int, *, has_norm: bool, is_int8: bool = False) -> Tile:
    """Return the tile for a matrix of this shape."""
    if is_int8:
        if has_norm:
            return Tile(8, 256, 8, 2)
        return Tile(1, 2048, 8, 2) if columns >= 8192 else Tile(8, 512, 8, 2)
    if has_norm:
        steps = triton.cdiv(columns, 256)
        return Tile(2, 256, 1, steps if steps <= 16 else 2)
    return Tile(8, 512, 4, 2) if rows >= MANY_ROWS else Tile(4, 1024, 4, 2)


def product(
    weight: torch.Tensor,
    bias: torch.Tensor | None,
    x: torch.Tensor,
    out: torch.Tensor,
    norm_weight: torch.Tensor | None = None,
    eps: float = 0.0,
    *,
    adds: bool = False,
    tile: Tile | None = None,
    scales: torch.Tensor | None = None,
) -> None:
    """Set `out` (N) to `weight` (N, K) @ x (K) + `bias` (N), or add that to `out` with `adds`.

    With `norm_weight` (K), x is first normalized by RMSNorm; with `scales` (N, float32), each row of `weight` is
    multiplied by its own. Sums are in float32. `tile` defaults to the one for the shape.
    """
    rows, columns = weight.shape
    is_int8 = weight.dtype is torch.int8
    tile = tile or tile_of(rows, columns, has_norm=norm_weight is not None, is_int8=is_int8)
    _product[(triton.cdiv(rows, tile.rows),)](
        weight,
        x if bias is None else bias,
        x,
        x if norm_weight is None else norm_weight,
        x if scales is None else scales,
        out,
        rows,
        eps,
        COLUMNS=columns,
        STEP=tile.step,
        ROWS=tile.rows,
        HAS_BIAS=bias is not None,
        HAS_NORM=norm_weight is not None,
        HAS_SCALES=scales is not None,
        ADDS=adds,
        UNROLL=tile.unroll,
        num_warps=tile.warps,
    )


def gated_product(
    weight: torch.Tensor,
    x: torch.Tensor,
    out: torch.Tensor,
    norm_weight: torch.Tensor,
    eps: float,
    scales: torch.Tensor | None = None,
) -> None:
    """Set `out` (I) to silu(gate @ n) * (up @ n), for `weight` (2I, K), gate above up, and n = RMSNorm(x) (K).

    `scales` (2I) as in `product`.
    """
    width, columns = out.shape[0], weight.shape[1]
    step, warps = (256, 1) if weight.dtype is torch.int8 else gated_step(columns)
    _gated_product[(width,)](
        weight,
        x,
        norm_weight,
        x if scales is None else scales,
        out,
        width,
        eps,
        COLUMNS=columns,
        STEP=step,
        HAS_SCALES=scales is not None,
        num_warps=warps,
    )


def gated_step(columns: int) -> tuple[int, int]:
    """Return the number of columns read at a time, and the number of warps."""
    if columns <= 1536:
        return 512, 1
    if columns <= 2560:
        return 1024, 2
    return (512, 2) if columns < 4096 else (2048, 4)


@triton.jit
def columns_of(pointer, at, COLUMNS: tl.constexpr, STEP: tl.constexpr):
    """Load elements (STEP) of a vector, with zeros after its end."""
    if COLUMNS % STEP == 0:
        return tl.load(pointer + at)
    return tl.load(pointer + at, mask=at < COLUMNS, other=0.0)


@triton.jit
def row_columns(base, at, COLUMNS: tl.constexpr, STEP: tl.constexpr):
    """Load weights (STEP) or (R, STEP) like `columns_of`, evicted first since they are read only once."""
    if COLUMNS % STEP == 0:
        return tl.load(base + at, eviction_policy="evict_first")
    return tl.load(base + at, mask=at < COLUMNS, other=0.0, eviction_policy="evict_first")


@triton.jit
def _product(
    weight,
    bias,
    x,
    norm_weight,
    scales,
    out,
    rows,
    eps,
    COLUMNS: tl.constexpr,
    STEP: tl.constexpr,
    ROWS: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    HAS_NORM: tl.constexpr,
    HAS_SCALES: tl.constexpr,
    ADDS: tl.constexpr,
    UNROLL: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    base = weight + (tl.minimum(row, rows - 1).to(tl.int64) * COLUMNS)[:, None]
    sums = tl.zeros((ROWS, STEP), tl.float32)
    squares = tl.zeros((STEP,), tl.float32)
    for start in tl.range(0, COLUMNS, STEP, loop_unroll_factor=UNROLL):
        at = start + tl.arange(0, STEP)
        w = row_columns(base, at[None, :], COLUMNS, STEP).to(tl.float32)
        v = columns_of(x, at, COLUMNS, STEP).to(tl.float32)
        if HAS_NORM:
            squares += v * v
            v *= columns_of(norm_weight, at, COLUMNS, STEP).to(tl.float32)
        sums += w * v[None, :]
    total = tl.sum(sums, 1)
    if HAS_NORM:
        # The norm is a single factor for all of x, so it can be applied at the end.
        total *= tl.rsqrt(tl.sum(squares, 0) / COLUMNS + eps)
    if HAS_SCALES:
        total *= tl.load(scales + row, mask=row < rows, other=0.0)
    if HAS_BIAS:
        total += tl.load(bias + row, mask=row < rows, other=0.0).to(tl.float32)
    if ADDS:
        total += tl.load(out + row, mask=row < rows, other=0.0).to(tl.float32)
    tl.store(out + row, total, mask=row < rows)


@triton.jit
def _gated_product(
    weight,
    x,
    norm_weight,
    scales,
    out,
    width,
    eps,
    COLUMNS: tl.constexpr,
    STEP: tl.constexpr,
    HAS_SCALES: tl.constexpr,
):
    row = tl.program_id(0).to(tl.int64)
    gate, up = gate_and_up(weight + row * COLUMNS, width, x, norm_weight, eps, COLUMNS, STEP)
    if HAS_SCALES:
        gate *= tl.load(scales + row)
        up *= tl.load(scales + row + width)
    tl.store(out + row, gate * tl.sigmoid(gate) * up)


@triton.jit
def gated_row(gate_row, width, x, norm_weight, eps, COLUMNS: tl.constexpr, STEP: tl.constexpr):
    """One element of a gated product: of a row of the gate, and the one `width` rows behind it."""
    gate, up = gate_and_up(gate_row, width, x, norm_weight, eps, COLUMNS, STEP)
    return gate * tl.sigmoid(gate) * up


@triton.jit
def gate_and_up(gate_row, width, x, norm_weight, eps, COLUMNS: tl.constexpr, STEP: tl.constexpr):
    """The two products of `gated_row`."""
    up_row = gate_row + width.to(tl.int64) * COLUMNS
    gates = tl.zeros((STEP,), tl.float32)
    ups = tl.zeros((STEP,), tl.float32)
    squares = tl.zeros((STEP,), tl.float32)
    for start in tl.static_range(0, COLUMNS, STEP):
        at = start + tl.arange(0, STEP)
        gate = row_columns(gate_row, at, COLUMNS, STEP).to(tl.float32)
        up = row_columns(up_row, at, COLUMNS, STEP).to(tl.float32)
        v = columns_of(x, at, COLUMNS, STEP).to(tl.float32)
        squares += v * v
        v *= columns_of(norm_weight, at, COLUMNS, STEP).to(tl.float32)
        gates += gate * v
        ups += up * v
    factor = tl.rsqrt(tl.sum(squares, 0) / COLUMNS + eps)
    return tl.sum(gates, 0) * factor, tl.sum(ups, 0) * factor
