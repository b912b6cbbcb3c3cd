"""The activation of a gated MLP for several tokens, in one pass over the memory."""

import torch
import triton
import triton.language as tl

BLOCK = 1024


def silu_product(both: torch.Tensor) -> torch.Tensor:
    """Return silu(gate) * up, (C, I), of gate and up side by side in each row of `both` (C, 2I)."""
    tokens, width = both.shape[0], both.shape[1] // 2
    out = both.new_empty(tokens, width)
    _silu_product[(tokens, triton.cdiv(width, BLOCK))](both, out, width, BLOCK=BLOCK, num_warps=4)
    return out


@triton.jit
def _silu_product(both, out, width, BLOCK: tl.constexpr):
    token = tl.program_id(0).to(tl.int64)
    at = tl.program_id(1) * BLOCK + tl.arange(0, BLOCK)
    row = both + token * 2 * width + at
    gate = tl.load(row, mask=at < width, other=0.0).to(tl.float32)
    up = tl.load(row + width, mask=at < width, other=0.0).to(tl.float32)
    tl.store(out + token * width + at, gate * tl.sigmoid(gate) * up, mask=at < width)
