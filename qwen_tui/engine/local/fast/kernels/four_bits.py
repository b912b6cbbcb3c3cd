"""Products of a matrix in four bits (NF4, as bitsandbytes packs it) and one vector.

What limits them is not the memory but how many whole-number instructions it takes to unpack a code. `prmt`, which
picks four bytes out of eight by four indices, looks up four codes at once in a table of bytes; the values, in bf16,
stay packed in pairs and are multiplied as pairs. Four products are added up in bf16, everything else in float32:
that is exact to 0.5 %, where the quantization itself is exact to 10 %.
"""

import functools

import torch
import triton
import triton.language as tl

BLOCK = 64
"""How many weights share a scale: what bitsandbytes takes when nothing is said."""

TABLE = (0xBEBFBFBF, 0x00BDBEBE, 0x3E3E3E3D, 0x3F3F3F3E, 0xCA063280, 0x00BA3D92, 0xAD7C25A3, 0x803910E2)
"""The upper bytes of the sixteen values in bf16, four a word, then their lower ones."""

LARGE = 8192
"""From so many columns on, more threads share a row."""

ROWS = 4
"""How many rows a program does: they share the work on the vector."""


def product(
    codes: torch.Tensor,
    scales: torch.Tensor,
    bias: torch.Tensor | None,
    x: torch.Tensor,
    out: torch.Tensor,
    gain: torch.Tensor | None = None,
    eps: float = 0.0,
    *,
    adds: bool = False,
) -> None:
    """As `dense.product`, of `codes` (N, K / 2) uint8 with `scales` (N, K / 64) float16; x (K) in bf16.

    N is a multiple of 4. The upper half of each byte is the earlier weight.
    """
    rows, columns = codes.shape[0], 2 * codes.shape[1]
    _launch(codes, scales, bias, x, out, gain, eps, rows // ROWS, rows, columns, adds=adds, is_gated=False)


def gated_product(
    codes: torch.Tensor,
    scales: torch.Tensor,
    x: torch.Tensor,
    out: torch.Tensor,
    gain: torch.Tensor,
    eps: float,
) -> None:
    """As `dense.gated_product`, of `codes` (2I, K / 2), gate over up; I is even."""
    inner, columns = out.shape[0], 2 * codes.shape[1]
    _launch(codes, scales, None, x, out, gain, eps, inner // 2, inner, columns, adds=False, is_gated=True)


def _launch(
    codes: torch.Tensor,
    scales: torch.Tensor,
    bias: torch.Tensor | None,
    x: torch.Tensor,
    out: torch.Tensor,
    gain: torch.Tensor | None,
    eps: float,
    programs: int,
    rows: int,
    columns: int,
    *,
    adds: bool,
    is_gated: bool,
) -> None:
    words = x.view(torch.int32)
    # Measured on a H200, 7B: 42 us gated, 9 and 25 with gain or many columns, 8 with few of them.
    warps = 1 if is_gated else 8 if gain is not None or columns >= LARGE else 4
    _product[(programs,)](
        codes.view(torch.int32),
        scales,
        x if bias is None else bias,
        _table(x.device),
        words,
        words if gain is None else gain.view(torch.int32),
        out,
        rows,
        eps,
        WORDS=columns // 8,
        STEP=32 * warps,
        HAS_BIAS=bias is not None,
        HAS_GAIN=gain is not None,
        ADDS=adds,
        IS_GATED=is_gated,
        num_warps=warps,
    )


@functools.cache
def _table(device: torch.device) -> torch.Tensor:
    """`TABLE`, each word 32 times (8, 32)."""
    return (
        torch.tensor(TABLE, dtype=torch.int64)[:, None].expand(8, 32).to(torch.int32).contiguous().to(device)
    )


@triton.jit
def _low(words):
    """The first of two bf16 in a word, as float32."""
    return (words << 16).to(tl.float32, bitcast=True)


@triton.jit
def _high(words):
    """The second of two bf16 in a word, as float32."""
    return (words & -65536).to(tl.float32, bitcast=True)


@triton.jit
def _squares(words):
    return _low(words) * _low(words) + _high(words) * _high(words)


@triton.jit
def _four(x, at, is_inside):
    """Four words, of two bf16 each, for each place: those that belong to the eight codes there."""
    words = tl.load(x + (at * 4)[:, None] + tl.arange(0, 4)[None, :], mask=is_inside[:, None], other=0)
    even, odd = tl.split(tl.reshape(words, (words.shape[0], 2, 2)))
    first, third = tl.split(even)
    second, fourth = tl.split(odd)
    return first, second, third, fourth


@triton.jit
def _times(x, y):
    """Products of two bf16 a word, rounded."""
    return tl.inline_asm_elementwise(
        "{ .reg .b32 none; mov.b32 none, 0x80008000; fma.rn.bf16x2 $0, $1, $2, none; }",
        "=r,r,r",
        [x, y],
        dtype=tl.int32,
        is_pure=True,
        pack=1,
    )


@triton.jit
def _dotted(codes, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3):
    """Eight codes a word times eight bf16 in four words: two sums of four products, as bf16. t0 to t7 are `TABLE`.

    A selector's fourth bit means something else to `prmt`: so each half of the table is looked up, and that bit
    chooses. The earlier weight of a byte is in its upper half, which is why the pairs are put together crosswise.
    """
    return tl.inline_asm_elementwise(
        """
        {
        .reg .b32 index, bit, is_upper, a, b, high, low, sum;
        mov.b32 sum, 0x80008000;
        and.b32 index, $1, 0x77777777;
        shr.u32 bit, $1, 3;
        and.b32 bit, bit, 0x11111111;
        prmt.b32 is_upper, 0xff00, 0, bit;
        prmt.b32 a, $2, $3, index;
        prmt.b32 b, $4, $5, index;
        lop3.b32 high, is_upper, b, a, 0xCA;
        prmt.b32 a, $6, $7, index;
        prmt.b32 b, $8, $9, index;
        lop3.b32 low, is_upper, b, a, 0xCA;
        prmt.b32 a, low, high, 0x4051;
        prmt.b32 b, low, high, 0x6273;
        fma.rn.bf16x2 sum, a, $10, sum;
        fma.rn.bf16x2 sum, b, $11, sum;
        shr.u32 index, index, 16;
        shr.u32 bit, bit, 16;
        prmt.b32 is_upper, 0xff00, 0, bit;
        prmt.b32 a, $2, $3, index;
        prmt.b32 b, $4, $5, index;
        lop3.b32 high, is_upper, b, a, 0xCA;
        prmt.b32 a, $6, $7, index;
        prmt.b32 b, $8, $9, index;
        lop3.b32 low, is_upper, b, a, 0xCA;
        prmt.b32 a, low, high, 0x4051;
        prmt.b32 b, low, high, 0x6273;
        fma.rn.bf16x2 sum, a, $12, sum;
        fma.rn.bf16x2 $0, b, $13, sum;
        }
        """,
        "=r,r,r,r,r,r,r,r,r,r,r,r,r,r",
        [codes, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3],
        dtype=tl.int32,
        is_pure=True,
        pack=1,
    )


@triton.jit
def _row(
    codes, scales, row, at, is_inside, WORDS: tl.constexpr, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3
):
    """What one row's words (STEP) come to with the eight elements of x at each, in float32 (STEP)."""
    begin = row.to(tl.int64) * WORDS
    word = tl.load(codes + begin + at, mask=is_inside, other=0, eviction_policy="evict_first")
    scale = tl.load(scales + begin // 8 + at // 8, mask=is_inside, other=0.0)
    sums = _dotted(word, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3)
    return (_low(sums) + _high(sums)) * scale.to(tl.float32)


@triton.jit
def _finished(total, bias, out, row, HAS_BIAS: tl.constexpr, ADDS: tl.constexpr):
    if HAS_BIAS:
        total += tl.load(bias + row).to(tl.float32)
    if ADDS:
        total += tl.load(out + row).to(tl.float32)
    tl.store(out + row, total)


@triton.jit
def _product(
    codes,
    scales,
    bias,
    table,
    x,
    gain,
    out,
    rows,
    eps,
    WORDS: tl.constexpr,
    STEP: tl.constexpr,
    HAS_BIAS: tl.constexpr,
    HAS_GAIN: tl.constexpr,
    ADDS: tl.constexpr,
    IS_GATED: tl.constexpr,
):
    # Four rows; gated, two of gate and the two of up that belong to them.
    first = tl.program_id(0) * (2 if IS_GATED else 4)
    third = first + (rows if IS_GATED else 2)
    sums0 = tl.zeros((STEP,), tl.float32)
    sums1 = tl.zeros((STEP,), tl.float32)
    sums2 = tl.zeros((STEP,), tl.float32)
    sums3 = tl.zeros((STEP,), tl.float32)
    squares = tl.zeros((STEP,), tl.float32)
    # One for each thread: what all threads share lies in registers of another kind, and would be moved each time.
    lane = table + tl.arange(0, STEP) % 32
    t0, t1, t2, t3 = tl.load(lane), tl.load(lane + 32), tl.load(lane + 64), tl.load(lane + 96)
    t4, t5, t6, t7 = tl.load(lane + 128), tl.load(lane + 160), tl.load(lane + 192), tl.load(lane + 224)
    for start in tl.range(0, WORDS, STEP, loop_unroll_factor=2):
        at = start + tl.arange(0, STEP)
        is_inside = at < WORDS
        x0, x1, x2, x3 = _four(x, at, is_inside)
        if HAS_GAIN:
            squares += _squares(x0) + _squares(x1) + _squares(x2) + _squares(x3)
            g0, g1, g2, g3 = _four(gain, at, is_inside)
            x0, x1, x2, x3 = _times(x0, g0), _times(x1, g1), _times(x2, g2), _times(x3, g3)
        sums0 += _row(
            codes, scales, first, at, is_inside, WORDS, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3
        )
        sums1 += _row(
            codes, scales, first + 1, at, is_inside, WORDS, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3
        )
        sums2 += _row(
            codes, scales, third, at, is_inside, WORDS, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3
        )
        sums3 += _row(
            codes, scales, third + 1, at, is_inside, WORDS, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3
        )
    factor = 1.0
    if HAS_GAIN:
        factor = tl.rsqrt(tl.sum(squares, 0) / (8 * WORDS) + eps)
    total0 = tl.sum(sums0, 0) * factor
    total1 = tl.sum(sums1, 0) * factor
    total2 = tl.sum(sums2, 0) * factor
    total3 = tl.sum(sums3, 0) * factor
    if IS_GATED:
        tl.store(out + first, total0 * tl.sigmoid(total0) * total2)
        tl.store(out + first + 1, total1 * tl.sigmoid(total1) * total3)
    else:
        _finished(total0, bias, out, first, HAS_BIAS, ADDS)
        _finished(total1, bias, out, first + 1, HAS_BIAS, ADDS)
        _finished(total2, bias, out, first + 2, HAS_BIAS, ADDS)
        _finished(total3, bias, out, first + 3, HAS_BIAS, ADDS)
