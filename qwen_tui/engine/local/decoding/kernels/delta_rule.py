"""Linear attention by the gated delta rule (Gated DeltaNet) for one token: convolution and recurrent state.

The arithmetic is that of transformers' `torch_recurrent_gated_delta_rule`, with sums in float32; the states are
the tensors of its cache, updated in place.
"""

import torch
import triton
import triton.language as tl

CHANNELS = 256
"""Channels per program of the convolution."""


def convolve(projected: torch.Tensor, weight: torch.Tensor, state: torch.Tensor, out: torch.Tensor) -> None:
    """Set `out` (C) to silu of each channel's causal convolution, with its latest input in `projected` (at least
    C).

    `weight` (C, 1, T) contains the taps; `state` (1, C, T) the last T inputs of each channel, shifted by one.
    """
    channels, taps = out.shape[0], weight.shape[-1]
    _convolve[(triton.cdiv(channels, CHANNELS),)](
        projected, weight, state, out, channels, TAPS=taps, BLOCK=CHANNELS, num_warps=4
    )


def recur(
    mixed: torch.Tensor,
    projected: torch.Tensor,
    decay: torch.Tensor,
    bias: torch.Tensor,
    state: torch.Tensor,
    norm_weight: torch.Tensor,
    eps: float,
    key_heads: int,
    out: torch.Tensor,
) -> None:
    """Write one token to the `state` (1, H, K, V) of each value head, and read the heads into `out` (H * V).

    `mixed` (C) contains queries and keys (G * K each) and values (H * V) after the convolution. `projected`
    contains, after as many elements, the output gates (H * V), the write strengths (H) and the decay rates (H), to
    which `decay` and `bias` (H) apply. A head's output goes through RMSNorm with `norm_weight` (V), then the gate.
    """
    heads, key_dim, value_dim = state.shape[1:]
    _recur[(heads,)](
        mixed,
        projected,
        decay,
        bias,
        state,
        norm_weight,
        out,
        eps,
        HEADS=heads,
        KEY_HEADS=key_heads,
        KEY_DIM=key_dim,
        VALUE_DIM=value_dim,
        num_warps=8,
    )


@triton.jit
def _convolve(projected, weight, state, out, channels, TAPS: tl.constexpr, BLOCK: tl.constexpr):
    channel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    is_there = channel < channels
    newest = tl.load(projected + channel, mask=is_there, other=0.0)
    total = newest.to(tl.float32) * tl.load(weight + channel * TAPS + TAPS - 1, mask=is_there, other=0.0)
    for tap in tl.static_range(1, TAPS):
        before = tl.load(state + channel * TAPS + tap, mask=is_there, other=0.0)
        factor = tl.load(weight + channel * TAPS + tap - 1, mask=is_there, other=0.0)
        total += before.to(tl.float32) * factor.to(tl.float32)
        tl.store(state + channel * TAPS + tap - 1, before, mask=is_there)
    tl.store(state + channel * TAPS + TAPS - 1, newest, mask=is_there)
    tl.store(out + channel, total * tl.sigmoid(total), mask=is_there)


@triton.jit
def _recur(
    mixed,
    projected,
    decay,
    bias,
    state,
    norm_weight,
    out,
    eps,
    HEADS: tl.constexpr,
    KEY_HEADS: tl.constexpr,
    KEY_DIM: tl.constexpr,
    VALUE_DIM: tl.constexpr,
):
    head = tl.program_id(0)
    key_head = head // (HEADS // KEY_HEADS)
    at_key = tl.arange(0, KEY_DIM)
    at_value = tl.arange(0, VALUE_DIM)
    gates = projected + 2 * KEY_HEADS * KEY_DIM + HEADS * VALUE_DIM
    query = tl.load(mixed + key_head * KEY_DIM + at_key).to(tl.float32)
    key = tl.load(mixed + (KEY_HEADS + key_head) * KEY_DIM + at_key).to(tl.float32)
    value = tl.load(mixed + 2 * KEY_HEADS * KEY_DIM + head * VALUE_DIM + at_value).to(tl.float32)
    query *= tl.rsqrt(tl.sum(query * query, 0) + 1e-6) * (KEY_DIM**-0.5)
    key *= tl.rsqrt(tl.sum(key * key, 0) + 1e-6)
    written = tl.sigmoid(tl.load(gates + HEADS * VALUE_DIM + head).to(tl.float32))
    slowness = tl.load(gates + HEADS * (VALUE_DIM + 1) + head).to(tl.float32)
    slowness += tl.load(bias + head).to(tl.float32)
    # softplus, which equals its argument where exp would overflow
    softplus = tl.where(slowness > 20.0, slowness, tl.log(1.0 + tl.exp(tl.minimum(slowness, 20.0))))
    kept = tl.exp(-tl.exp(tl.load(decay + head).to(tl.float32)) * softplus)
    tile = state + (head * KEY_DIM + at_key[:, None]) * VALUE_DIM + at_value[None, :]
    memory = tl.load(tile).to(tl.float32) * kept
    change = (value - tl.sum(memory * key[:, None], 0)) * written
    memory += key[:, None] * change[None, :]
    tl.store(tile, memory)
    read = tl.sum(memory * query[:, None], 0)
    read *= tl.rsqrt(tl.sum(read * read, 0) / VALUE_DIM + eps)
    gate = tl.load(gates + head * VALUE_DIM + at_value).to(tl.float32)
    read *= tl.load(norm_weight + at_value).to(tl.float32) * gate * tl.sigmoid(gate)
    tl.store(out + head * VALUE_DIM + at_value, read)
