"""The kernels that a model will need, compiled while its weights are still being read.

Triton compiles each for its shapes and types: 2 to 4 seconds for all of a model the first time; from then on they
come from its cache. They are run on a few rows here, in the way that suits the model's number of them.
"""

from typing import Any, NamedTuple

import torch

from qwen_tui.engine.local.fast.kernels import attention, dense, experts, four_bits, rotary

ROWS = 16
"""Triton tells apart numbers that 16 divides; a model's numbers of rows are such numbers."""

ROOM = 2048


class Kind(NamedTuple):
    """What the kernels of a model depend on; the letters are those of `weights.Layer`."""

    hidden: int
    """K."""
    inner: int
    """I."""
    heads: int
    """H."""
    groups: int
    """G."""
    size: int
    """D."""
    has_bias: bool
    has_head_gains: bool
    is_four_bits: bool
    dtype: torch.dtype
    experts: int = 0
    """E."""
    chosen: int = 0
    """C."""
    expert: int = 0
    """I of an expert."""
    shares_add_to_one: bool = True


def kind_of(config: Any, dtype: torch.dtype, *, is_four_bits: bool) -> Kind:
    """By the configuration of one of `weights.ARCHITECTURES`."""
    is_qwen2 = config.model_type == "qwen2"
    has_experts = config.model_type == "qwen3_moe"
    return Kind(
        config.hidden_size,
        config.intermediate_size,
        config.num_attention_heads,
        config.num_key_value_heads,
        getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads,
        is_qwen2 or bool(getattr(config, "attention_bias", False)),
        config.model_type in ("qwen3", "qwen3_moe"),
        is_four_bits,
        dtype,
        *(
            (
                config.num_experts,
                config.num_experts_per_tok,
                config.moe_intermediate_size,
                config.norm_topk_prob,
            )
            if has_experts
            else ()
        ),
    )


def compile_all(kind: Kind, device: torch.device) -> None:
    """Compile and run every kernel once. Raises whatever Triton raises."""

    def vector(size: int, dtype: torch.dtype = kind.dtype) -> torch.Tensor:
        return torch.zeros(size, dtype=dtype, device=device)

    hidden, inner = vector(kind.hidden), vector(kind.inner)
    bias = vector(ROWS) if kind.has_bias else None
    for columns, x, gain, with_bias, adds in (
        (kind.hidden, hidden, hidden, bias, False),
        (kind.heads * kind.size, vector(kind.heads * kind.size), None, None, True),
        (kind.inner, inner, None, None, True),
    ):
        if kind.is_four_bits:
            packed = _packed(columns, device)
            four_bits.product(*packed, with_bias, x, vector(ROWS), gain, 1e-6, adds=adds)
        else:
            matrix = torch.zeros(ROWS, columns, dtype=kind.dtype, device=device)
            tile = dense.tile_of(kind.hidden, columns, has_gain=gain is not None)
            dense.product(matrix, with_bias, x, vector(ROWS), gain, 1e-6, adds=adds, tile=tile)
    if kind.is_four_bits:
        four_bits.unpacked(*_packed(kind.hidden, device), kind.dtype)
        four_bits.gated_product(*_packed(kind.hidden, device, 2 * ROWS), hidden, vector(ROWS), hidden, 1e-6)
    else:
        both = torch.zeros(2 * ROWS, kind.hidden, dtype=kind.dtype, device=device)
        dense.gated_product(both, hidden, vector(ROWS), hidden, 1e-6)
    head = torch.zeros(ROWS, kind.hidden, dtype=kind.dtype, device=device)
    dense.product(head, None, hidden, vector(ROWS, torch.float32), hidden, 1e-6)
    if kind.experts:
        _experts(kind, device)
    _attention(kind, device)


def _packed(
    columns: int, device: torch.device, rows: int = ROWS
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    return (
        torch.zeros(rows, columns // 2, dtype=torch.uint8, device=device),
        torch.zeros(rows, columns // four_bits.BLOCK, dtype=torch.float16, device=device),
        torch.zeros(16, device=device),
    )


def _experts(kind: Kind, device: torch.device) -> None:
    def zeros(*shape: int, dtype: torch.dtype = kind.dtype) -> torch.Tensor:
        return torch.zeros(shape, dtype=dtype, device=device)

    ids, shares = zeros(kind.chosen, dtype=torch.int32), zeros(kind.chosen, dtype=torch.float32)
    router, normed = zeros(ROWS, kind.hidden), zeros(kind.hidden)
    dense.product(router, None, normed, zeros(ROWS), normed, 1e-6)
    experts.choose(zeros(kind.experts), ids, shares, adds_to_one=kind.shares_add_to_one)
    ids.zero_()  # the matrices are those of one
    both, hidden = zeros(1, 2 * ROWS, kind.hidden), zeros(kind.hidden)
    experts.gated_products(both, ids, hidden, zeros(kind.chosen, ROWS), hidden, 1e-6)
    experts.add_products(zeros(1, ROWS, kind.expert), ids, shares, zeros(kind.chosen, kind.expert), hidden)


def _attention(kind: Kind, device: torch.device) -> None:
    def zeros(*shape: int) -> torch.Tensor:
        return torch.zeros(shape, dtype=kind.dtype, device=device)

    query, angles = zeros(1, kind.heads, kind.size), zeros(1, kind.size)
    keys, values = (zeros(1, kind.groups, ROOM, kind.size) for _ in range(2))
    gains = (zeros(kind.size), zeros(kind.size)) if kind.has_head_gains else None
    position = torch.zeros(1, dtype=torch.long, device=device)
    projected = zeros(1, (kind.heads + 2 * kind.groups) * kind.size)
    rotary.place(projected, gains, 1e-6, angles, angles, position, query, keys, values)
    between = attention.scratch(kind.heads, kind.size, device)
    attention.attend(query[0], keys, values, position, 1.0, between, torch.empty_like(query[0]))
