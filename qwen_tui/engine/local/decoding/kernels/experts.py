"""Products with the experts that a router chooses for one token, read in place among all experts.

Measured on an H200 in a CUDA graph, in bf16, for 8 of 128 experts of 768 x 2048 as in Qwen3-30B-A3B: choosing them
2.6 us, gate and up 14.7 us (3.4 TB/s), down 8.1 us (3.1 TB/s).
"""

import torch
import triton
import triton.language as tl

from qwen_tui.engine.local.decoding.kernels.dense import columns_of, gated_row, gated_step, row_columns

ROWS, STEP, WARPS = 2, 256, 1
"""Tile of `add_products`: the fastest of 14 for those experts; others took up to three times as long."""


def choose(
    logits: torch.Tensor,
    ids: torch.Tensor,
    shares: torch.Tensor,
    *,
    adds_to_one: bool,
    has_shared: bool = False,
) -> None:
    """Choose the C largest of a router's `logits` (E): `ids` (C) int32 and `shares` (C), largest first.

    A share is the expert's softmax over all experts or, with `adds_to_one`, over the chosen ones. With
    `has_shared`, the last logit is that of an expert which is always used, and its share the sigmoid of it.
    """
    shared = int(has_shared)
    experts, chosen = logits.shape[0] - shared, ids.shape[0] - shared
    _choose[(1,)](
        logits,
        ids,
        shares,
        EXPERTS=experts,
        SIZE=triton.next_power_of_2(experts),
        CHOSEN=chosen,
        SLOTS=triton.next_power_of_2(chosen),
        ADDS_TO_ONE=adds_to_one,
        HAS_SHARED=has_shared,
        num_warps=1,
    )


def gated_products(
    weight: torch.Tensor,
    ids: torch.Tensor,
    x: torch.Tensor,
    out: torch.Tensor,
    norm_weight: torch.Tensor,
    eps: float,
) -> None:
    """Set `out` (C, I) to `dense.gated_product` of x (K) with each of the `ids` (C) in `weight` (E, 2I, K)."""
    chosen, width = out.shape
    columns = weight.shape[2]
    step, warps = gated_step(columns)
    _gated_products[(width, chosen)](
        weight, ids, x, norm_weight, out, width, eps, COLUMNS=columns, STEP=step, num_warps=warps
    )


def add_products(
    weight: torch.Tensor, ids: torch.Tensor, shares: torch.Tensor, x: torch.Tensor, out: torch.Tensor
) -> None:
    """Add to `out` (K) the sum over C of `shares` (C) * (`weight` (E, K, I) of `ids` (C) @ x (C, I))."""
    rows, columns = weight.shape[1:]
    _add_products[(triton.cdiv(rows, ROWS),)](
        weight,
        ids,
        shares,
        x,
        out,
        rows,
        COLUMNS=columns,
        STEP=STEP,
        ROWS=ROWS,
        CHOSEN=ids.shape[0],
        num_warps=WARPS,
    )


@triton.jit
def _choose(
    logits,
    ids,
    shares,
    EXPERTS: tl.constexpr,
    SIZE: tl.constexpr,
    CHOSEN: tl.constexpr,
    SLOTS: tl.constexpr,
    ADDS_TO_ONE: tl.constexpr,
    HAS_SHARED: tl.constexpr,
):
    at = tl.arange(0, SIZE)
    slots = tl.arange(0, SLOTS)
    said = tl.load(logits + at, mask=at < EXPERTS, other=-float("inf")).to(tl.float32)
    odds = tl.exp(said - tl.max(said, 0))
    total = tl.sum(odds, 0)
    # NaN is excluded from the choice, so that the ids are valid; it still shows in the shares.
    left = tl.where(odds == odds, odds, 0.0)
    chosen = tl.zeros((SLOTS,), tl.float32)
    for slot in tl.static_range(CHOSEN):
        best = tl.argmax(left, 0)
        chosen += tl.where(slots == slot, tl.max(left, 0), 0.0)
        left = tl.where(at == best, -1.0, left)
        tl.store(ids + slot, best)
    chosen /= total
    if ADDS_TO_ONE:
        chosen /= tl.sum(chosen, 0)
    tl.store(shares + slots, chosen, mask=slots < CHOSEN)
    if HAS_SHARED:
        tl.store(ids + CHOSEN, EXPERTS)
        tl.store(shares + CHOSEN, tl.sigmoid(tl.load(logits + EXPERTS).to(tl.float32)))


@triton.jit
def _gated_products(weight, ids, x, norm_weight, out, width, eps, COLUMNS: tl.constexpr, STEP: tl.constexpr):
    row, slot = tl.program_id(0), tl.program_id(1)
    gate_row = weight + (tl.load(ids + slot).to(tl.int64) * 2 * width + row) * COLUMNS
    tl.store(out + slot * width + row, gated_row(gate_row, width, x, norm_weight, eps, COLUMNS, STEP))


@triton.jit
def _add_products(
    weight,
    ids,
    shares,
    x,
    out,
    rows,
    COLUMNS: tl.constexpr,
    STEP: tl.constexpr,
    ROWS: tl.constexpr,
    CHOSEN: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)
    sums = tl.zeros((ROWS, STEP), tl.float32)
    for slot in tl.static_range(CHOSEN):
        first = tl.load(ids + slot).to(tl.int64) * rows
        share = tl.load(shares + slot).to(tl.float32)
        base = weight + ((first + tl.minimum(row, rows - 1)) * COLUMNS)[:, None]
        for start in tl.static_range(0, COLUMNS, STEP):
            at = start + tl.arange(0, STEP)
            w = row_columns(base, at[None, :], COLUMNS, STEP).to(tl.float32)
            v = columns_of(x + slot * COLUMNS, at, COLUMNS, STEP).to(tl.float32) * share
            sums += w * v[None, :]
    total = tl.sum(sums, 1) + tl.load(out + row, mask=row < rows, other=0.0).to(tl.float32)
    tl.store(out + row, total, mask=row < rows)
