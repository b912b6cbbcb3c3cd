"""The Triton kernels, run by Triton's interpreter on the processor. Importing this skips a test where it cannot."""

import os

import pytest
import torch

triton = pytest.importorskip(
    "triton", reason="comes with a torch for CUDA, and with the extra `dev` on Linux"
)

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("with a GPU here, `-m gpu` tries the kernels on it", allow_module_level=True)

from qwen_tui.engine.local.fast.kernels import attention, dense, four_bits, rotary  # noqa: E402

tl = triton.language


@triton.jit
def _byte(index, w0, w1, w2, w3):  # type: ignore[no-untyped-def]
    word = tl.where(index < 4, w0, tl.where(index < 8, w1, tl.where(index < 12, w2, w3)))
    return (word >> (8 * (index & 3))) & 255


@triton.jit
def _value(codes, t0, t1, t2, t3, t4, t5, t6, t7):  # type: ignore[no-untyped-def]
    index = codes & 15
    half = (_byte(index, t0, t1, t2, t3) << 8) | _byte(index, t4, t5, t6, t7)
    return (half << 16).to(tl.float32, bitcast=True)


@triton.jit
def _bits(value):  # type: ignore[no-untyped-def]
    return value.to(tl.bfloat16).to(tl.float32).to(tl.int32, bitcast=True)


@triton.jit
def _pair(first, second):  # type: ignore[no-untyped-def]
    return ((_bits(first) >> 16) & 0xFFFF) | _bits(second)


@triton.jit
def dotted(codes, t0, t1, t2, t3, t4, t5, t6, t7, x0, x1, x2, x3):  # type: ignore[no-untyped-def]
    """What `four_bits._dotted` does, without the instructions that only a GPU has."""
    even = _value(codes >> 4, t0, t1, t2, t3, t4, t5, t6, t7) * four_bits._low(x0)
    even += _value(codes >> 12, t0, t1, t2, t3, t4, t5, t6, t7) * four_bits._low(x1)
    even += _value(codes >> 20, t0, t1, t2, t3, t4, t5, t6, t7) * four_bits._low(x2)
    even += _value(codes >> 28, t0, t1, t2, t3, t4, t5, t6, t7) * four_bits._low(x3)
    odd = _value(codes, t0, t1, t2, t3, t4, t5, t6, t7) * four_bits._high(x0)
    odd += _value(codes >> 8, t0, t1, t2, t3, t4, t5, t6, t7) * four_bits._high(x1)
    odd += _value(codes >> 16, t0, t1, t2, t3, t4, t5, t6, t7) * four_bits._high(x2)
    odd += _value(codes >> 24, t0, t1, t2, t3, t4, t5, t6, t7) * four_bits._high(x3)
    return _pair(even, odd)


@triton.jit
def times(x, y):  # type: ignore[no-untyped-def]
    """The same for `four_bits._times`."""
    return _pair(four_bits._low(x) * four_bits._low(y), four_bits._high(x) * four_bits._high(y))


four_bits._dotted = dotted
four_bits._times = times

__all__ = ["attention", "dense", "four_bits", "rotary"]


def _works() -> bool:
    """Old interpreters fail with a new numpy, in loops whose ends are not known before."""
    try:
        query, keys = torch.ones(1, 16), torch.ones(1, 1, 32, 16)
        between = attention.scratch(1, 16, query.device)
        attention.attend(query, keys, keys, torch.tensor([3]), 1.0, between, torch.empty_like(query))
    except triton.runtime.errors.InterpreterError as error:
        if "0-dimensional arrays" not in str(error):
            raise
        return False
    return True


if not _works():
    pytest.skip(f"the interpreter of Triton {triton.__version__} does not run here", allow_module_level=True)
