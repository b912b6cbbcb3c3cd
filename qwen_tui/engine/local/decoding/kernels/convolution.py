"""The causal convolution before linear attention, for many tokens: what `delta_rule.convolve` does for one."""

import torch
import triton
import triton.language as tl

TOKENS, CHANNELS = 64, 128
"""Tokens and channels per program."""


def convolve(projected: torch.Tensor, weight: torch.Tensor, state: torch.Tensor) -> torch.Tensor:
    """Return silu of each channel's causal convolution, (T, C), and leave the last inputs in `state`.

    `projected` (T, at least C) has the inputs in its first columns; `weight` (C, 1, taps); `state` (1, C, taps)
    contains the latest inputs of each channel.
    """
    tokens, (channels, _, taps) = projected.shape[0], weight.shape
    out = projected.new_empty(tokens, channels)
    _convolve[(triton.cdiv(tokens, TOKENS), triton.cdiv(channels, CHANNELS))](
        projected,
        weight,
        state,
        out,
        tokens,
        channels,
        projected.stride(0),
        TAPS=taps,
        ROWS=TOKENS,
        BLOCK=CHANNELS,
        num_warps=4,
    )
    latest = torch.cat([state[0], projected[-taps:, :channels].T], dim=1)
    state[0].copy_(latest[:, -taps:])
    return out


@triton.jit(do_not_specialize=["tokens"])
def _convolve(
    projected,
    weight,
    state,
    out,
    tokens,
    channels,
    stride,
    TAPS: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    token = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    channel = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)[None, :]
    is_there = channel < channels
    total = tl.zeros((ROWS, BLOCK), tl.float32)
    for tap in tl.static_range(TAPS):
        source = token - (TAPS - 1) + tap
        is_new = (source >= 0) & (source < tokens) & is_there
        new = tl.load(projected + source * stride + channel, mask=is_new, other=0.0)
        is_old = (source < 0) & is_there
        old = tl.load(state + channel * TAPS + TAPS + source, mask=is_old, other=0.0)
        factor = tl.load(weight + channel * TAPS + tap, mask=is_there, other=0.0)
        total += (new.to(tl.float32) + old.to(tl.float32)) * factor.to(tl.float32)
    tl.store(out + token * channels + channel, total * tl.sigmoid(total), mask=(token < tokens) & is_there)
