"""The Triton kernels, run by Triton's interpreter on the processor. Importing this skips a test where it cannot."""

import inspect
import os
from typing import Any

import pytest
import torch

triton = pytest.importorskip(
    "triton", reason="comes with a torch for CUDA, and with the extra `dev` on Linux"
)

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("with a GPU here, `-m gpu` tries the kernels on it", allow_module_level=True)

from qwen_tui.engine.local.decoding.kernels import (  # noqa: E402
    attention,
    convolution,
    delta_rule,
    delta_rule_prefill,
    dense,
    experts,
    four_bits,
    rotary,
)

tl = triton.language
interpreter = triton.runtime.interpreter


@triton.jit
def dotted(codes, value, x):  # type: ignore[no-untyped-def]
    """What `four_bits._dotted` does, without the instructions that only a GPU has."""
    total = tl.gather(value, (codes >> 4) & 15, 0) * x[0] + tl.gather(value, codes & 15, 0) * x[1]
    total += tl.gather(value, (codes >> 12) & 15, 0) * x[2] + tl.gather(value, (codes >> 8) & 15, 0) * x[3]
    total += tl.gather(value, (codes >> 20) & 15, 0) * x[4] + tl.gather(value, (codes >> 16) & 15, 0) * x[5]
    return (
        total
        + tl.gather(value, (codes >> 28) & 15, 0) * x[6]
        + tl.gather(value, (codes >> 24) & 15, 0) * x[7]
    )


four_bits._dotted = dotted

__all__ = [
    "attention",
    "convolution",
    "delta_rule",
    "delta_rule_prefill",
    "dense",
    "experts",
    "four_bits",
    "rotary",
]

_builtins: dict[object, list[str]] = {}


def _patch_builtins(package: Any, *how: Any) -> None:
    """What the interpreter does before each call, but it looks for the built-in functions of a package once only.

    To look through all of its members took two fifths of the time.
    """
    if package not in _builtins:
        members = inspect.getmembers(package)
        _builtins[package] = [name for name, member in members if tl.core.is_builtin(member)]
    for name in _builtins[package]:
        if tl.core.is_builtin(member := getattr(package, name)):
            interpreter._patch_attr(package, name, member, *how)


interpreter._patch_builtin = _patch_builtins

_patch_lang, _patched = interpreter._patch_lang, set()


class _Scope(interpreter._LangPatchScope):  # type: ignore[misc]
    """What a kernel has patched, and puts back at its end."""

    def restore(self) -> None:
        super().restore()
        _patched.clear()


def _patch_once(function: Any) -> Any:
    """What the interpreter does before each call, but once a kernel for all functions of a module.

    What they call each time is patched already: to do it again took a fifth of the time.
    """
    if id(function.__globals__) in _patched:
        return _Scope()
    _patched.add(id(function.__globals__))
    return _patch_lang(function)


interpreter._LangPatchScope = _Scope
interpreter._patch_lang = _patch_once


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
