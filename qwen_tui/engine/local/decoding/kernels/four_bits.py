"""Products of one vector and a 4-bit matrix as bitsandbytes packs it.

The limit is not memory but the number of instructions that unpack a code. Each thread of a warp holds one of the
sixteen values, and a shuffle gives every thread the value for its code: one instruction per weight, plus one that
moves the code to where the shuffle reads it. Everything is in float32, as the values are.

On an H200 the four products of a layer of Qwen2.5-7B take 70 us, including norms, SiLU and residual. Without
those, and with sixteen evenly spaced values, torch's `_weight_int4pack_mm` takes 82, and gemlite 0.6.0 86 after
half a minute of tuning; both need the weights of bitsandbytes converted.
"""

import torch
import triton
import triton.language as tl

BLOCK = 64
"""Number of weights that share a scale: bitsandbytes' default."""

LANES = 32
"""Threads of a warp, among which the values are shuffled."""

UNPACKED_BYTES = 1024
"""Bytes of codes that a program unpacks."""

ROWS = 4
"""Rows per program, which share the work on the vector."""


def product(
    codes: torch.Tensor,
    scales: torch.Tensor,
    values: torch.Tensor,
    bias: torch.Tensor | None,
    x: torch.Tensor,
    out: torch.Tensor,
    norm_weight: torch.Tensor | None = None,
    eps: float = 0.0,
    *,
    adds: bool = False,
    is_gated: bool = False,
) -> None:
    """Compute `dense.product` for `codes` (N, K / 2) uint8 with `scales` (N, K / 64) float16; x (K) in bf16.

    `norm_weight` (K) is in bf16 or float32, `values` (16) are the float32 values of the codes. N is a multiple
    of 4. The upper half of each byte is the earlier weight. `is_gated` computes `dense.gated_product` for `codes`
    (2I, K / 2), gate above up; I is even.
    """
    rows = out.shape[0]
    # Measured on an H200, 7B: 35 us gated, 7.9 with a norm, 6.5 and 21 with few and with many columns.
    warps = 1 if is_gated else 4
    words = x.view(torch.int32)
    is_float_norm = norm_weight is not None and norm_weight.dtype is torch.float32
    if norm_weight is not None and not is_float_norm:
        norm_weight = norm_weight.view(torch.int32)
    _product[(rows // (ROWS // 2 if is_gated else ROWS),)](
        codes.view(torch.int32),
        scales,
        x if bias is None else bias,
        values,
        words,
        words if norm_weight is None else norm_weight,
        out,
        rows,
        eps,
        WORDS=codes.shape[1] // 4,
        STEP=LANES * warps,
        ROWS=ROWS,
        HAS_BIAS=bias is not None,
        HAS_NORM=norm_weight is not None,
        IS_FLOAT_NORM=is_float_norm,
        ADDS=adds,
        IS_GATED=is_gated,
        num_warps=warps,
    )


def unpacked(
    codes: torch.Tensor, scales: torch.Tensor, values: torch.Tensor, dtype: torch.dtype
) -> torch.Tensor:
    """Unpack `codes` (N, K / 2) with their `scales` and `values` to a matrix (N, K)."""
    rows, bytes_a_row = codes.shape
    out = torch.empty(rows, 2 * bytes_a_row, dtype=dtype, device=codes.device)
    programs = triton.cdiv(codes.numel(), UNPACKED_BYTES)
    _unpack[(programs,)](
        codes, scales, values, out, codes.numel(), STEP=UNPACKED_BYTES, BYTES_A_SCALE=BLOCK // 2
    )
    return out


@triton.jit
def _unpack(codes, scales, values, out, size, STEP: tl.constexpr, BYTES_A_SCALE: tl.constexpr):
    begin = tl.program_id(0).to(tl.int64) * STEP
    at = begin + tl.arange(0, STEP)
    is_inside = at < size
    code = tl.load(codes + at, mask=is_inside, other=0).to(tl.int32)
    scale = tl.load(scales + at // BYTES_A_SCALE, mask=is_inside, other=0.0).to(tl.float32)
    pairs = tl.interleave(tl.load(values + (code >> 4)) * scale, tl.load(values + (code & 15)) * scale)
    both = 2 * begin + tl.arange(0, 2 * STEP)
    tl.store(out + both, pairs, mask=both < 2 * size)


@triton.jit
def _low(words):
    """Return the first of two bf16 in a word as float32."""
    return (words << 16).to(tl.float32, bitcast=True)


@triton.jit
def _high(words):
    """Return the second of two bf16 in a word as float32."""
    return (words & -65536).to(tl.float32, bitcast=True)


@triton.jit
def _four(x, at, is_inside):
    """Load four words, starting at each of these."""
    words = tl.load(x + at[:, None] + tl.arange(0, 4)[None, :], mask=is_inside[:, None], other=0)
    even, odd = tl.split(tl.reshape(words, (words.shape[0], 2, 2)))
    w0, w2 = tl.split(even)
    w1, w3 = tl.split(odd)
    return (w0, w1, w2, w3)


@triton.jit
def _eight(x, at, is_inside):
    """Load eight elements of x in float32, starting at each of these words."""
    w0, w1, w2, w3 = _four(x, at, is_inside)
    return (_low(w0), _high(w0), _low(w1), _high(w1), _low(w2), _high(w2), _low(w3), _high(w3))


@triton.jit
def _sixteen(x, at, is_inside):
    """Load the sixteen elements of x that belong to the two words of codes at each position."""
    return _eight(x, at * 8, is_inside) + _eight(x, at * 8 + 4, is_inside)


@triton.jit
def _sixteen_floats(x, at, is_inside):
    """Load the same elements of an x in float32."""
    first, second = at * 16, at * 16 + 8
    return (
        _four(x, first, is_inside)
        + _four(x, first + 4, is_inside)
        + _four(x, second, is_inside)
        + _four(x, second + 4, is_inside)
    )


@triton.jit
def _dotted(codes, value, x):
    """Multiply the eight codes in a word by eight elements. `value` is the value of the thread's number modulo 16.

    The earlier weight of a byte is in its upper half. A shuffle uses only the five lowest bits of its index.
    """
    return tl.inline_asm_elementwise(
        """
        {
        .reg .b32 at;
        .reg .f32 v, sum;
        shr.u32 at, $1, 4;
        shfl.sync.idx.b32 v, $2, at, 31, -1;
        mul.f32 sum, v, $3;
        shfl.sync.idx.b32 v, $2, $1, 31, -1;
        fma.rn.f32 sum, v, $4, sum;
        shr.u32 at, $1, 12;
        shfl.sync.idx.b32 v, $2, at, 31, -1;
        fma.rn.f32 sum, v, $5, sum;
        shr.u32 at, $1, 8;
        shfl.sync.idx.b32 v, $2, at, 31, -1;
        fma.rn.f32 sum, v, $6, sum;
        shr.u32 at, $1, 20;
        shfl.sync.idx.b32 v, $2, at, 31, -1;
        fma.rn.f32 sum, v, $7, sum;
        shr.u32 at, $1, 16;
        shfl.sync.idx.b32 v, $2, at, 31, -1;
        fma.rn.f32 sum, v, $8, sum;
        shr.u32 at, $1, 28;
        shfl.sync.idx.b32 v, $2, at, 31, -1;
        fma.rn.f32 sum, v, $9, sum;
        shr.u32 at, $1, 24;
        shfl.sync.idx.b32 v, $2, at, 31, -1;
        fma.rn.f32 $0, v, $10, sum;
        }
        """,
        "=f,r,f,f,f,f,f,f,f,f,f",
        [codes, value, x[0], x[1], x[2], x[3], x[4], x[5], x[6], x[7]],
        dtype=tl.float32,
        is_pure=True,
        pack=1,
    )


@triton.jit
def _row(codes, scales, row, at, is_inside, WORDS: tl.constexpr, value, x):
    """Multiply a row's pairs of words (STEP) by the sixteen elements of x for each; float32 (STEP)."""
    begin = row.to(tl.int64) * WORDS
    pairs = codes + begin + (at * 2)[:, None] + tl.arange(0, 2)[None, :]
    first, second = tl.split(tl.load(pairs, mask=is_inside[:, None], other=0, eviction_policy="evict_first"))
    scale = tl.load(scales + begin // 8 + at // 4, mask=is_inside, other=0.0)
    return (_dotted(first, value, x[:8]) + _dotted(second, value, x[8:])) * scale.to(tl.float32)


@triton.jit
def _product(
    codes,
    scales,
    bias,
    values,
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
    IS_FLOAT_NORM: tl.constexpr,
    ADDS: tl.constexpr,
    IS_GATED: tl.constexpr,
):
    # ROWS rows per program; if gated, half of them are gate rows and half the matching up rows.
    HALF: tl.constexpr = ROWS // 2
    first = tl.program_id(0) * (HALF if IS_GATED else ROWS)
    sums = ()
    for _ in tl.static_range(ROWS):
        sums = sums + (tl.zeros((STEP,), tl.float32),)
    squares = tl.zeros((STEP,), tl.float32)
    value = tl.load(values + tl.arange(0, STEP) % 16)
    for start in tl.range(0, WORDS // 2, STEP, loop_unroll_factor=2):
        at = start + tl.arange(0, STEP)
        is_inside = at < WORDS // 2
        elements = _sixteen(x, at, is_inside)
        if HAS_NORM:
            if IS_FLOAT_NORM:
                norm_weights = _sixteen_floats(norm_weight, at, is_inside)
            else:
                norm_weights = _sixteen(norm_weight, at, is_inside)
            scaled = ()
            for i in tl.static_range(16):
                squares += elements[i] * elements[i]
                scaled = scaled + (elements[i] * norm_weights[i],)
            elements = scaled
        more = ()
        for i in tl.static_range(ROWS):
            row = first + i + (rows - HALF if IS_GATED and i >= HALF else 0)
            more = more + (sums[i] + _row(codes, scales, row, at, is_inside, WORDS, value, elements),)
        sums = more
    factor = 1.0
    if HAS_NORM:
        factor = tl.rsqrt(tl.sum(squares, 0) / (8 * WORDS) + eps)
    for i in tl.static_range(HALF if IS_GATED else ROWS):
        total = tl.sum(sums[i], 0) * factor
        if IS_GATED:
            tl.store(out + first + i, total * tl.sigmoid(total) * (tl.sum(sums[HALF + i], 0) * factor))
        else:
            if HAS_BIAS:
                total += tl.load(bias + first + i).to(tl.float32)
            if ADDS:
                total += tl.load(out + first + i).to(tl.float32)
            tl.store(out + first + i, total)
