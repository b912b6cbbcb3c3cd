"""Plan how a model is loaded: in which form and on which devices, and what else would have been possible.

A model on one GPU is decoded by kernels or a graph; over several it is decoded by `generate`, several times slower
(see `decode_path`). So one GPU comes before several, 4 bits on one before bf16 over several, and a longer context
is no reason to spread a model. Pure functions, as in `fit`: the screen predicts exactly what the worker does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from qwen_tui.engine.base import Reason
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.fit import (
    VALUE_BYTES,
    Fit,
    allowed,
    block_bytes,
    fits,
    gigabytes,
    needed_bytes,
    room,
)
from qwen_tui.engine.models.size import Form, ModelSize
from qwen_tui.errors import QwenTuiError

QUANTIZERS_SHARE = 0.9
"""Share of a GPU's weight limit that transformers uses; it leaves the rest to bitsandbytes."""

WORTHWHILE = 0.8
"""A quantized form must be smaller than this share of the full weights to be worth being less exact."""


class LoadPlan(NamedTuple):
    """How to load a model."""

    fit: Fit
    max_memory: tuple[tuple[str, int], ...]
    """Over several GPUs, how many bytes of weights each may use, leaving the rest for context; else empty."""
    reasons: tuple[Reason, ...]
    """Why so, and what the other form would give and cost."""


def plan(
    size: ModelSize,
    devices: Sequence[Device],
    quantization: str = "auto",
    device: str = "auto",
    dtype: str = "auto",
) -> LoadPlan:
    """Plan the load: as requested, or for `auto` in the form that decodes fastest and leaves enough context.

    `devices` are all there are, `device` is the user's choice (see `allowed`), `quantization` is a form or `auto`,
    `dtype` is as in `dtype_on`. Raises QwenTuiError: as `allowed` does, `engine.does_not_fit`,
    `engine.does_not_fit_packed`, `engine.does_not_fit_dequantized`.
    """
    found = fits(size, devices, device, dtype)
    if quantization == "auto":
        chosen = _choice(found)
    else:
        chosen = next((fit for form, fit in found.items() if form == quantization), found["none"])
    if not chosen.fits:
        places = allowed(devices, device)
        is_smallest = not _is_worthwhile(found.get("4bit"), found["none"]) or chosen.form == "4bit"
        small = "engine.does_not_fit_dequantized" if size.is_dequantized else "engine.does_not_fit_packed"
        raise QwenTuiError(
            small if is_smallest else "engine.does_not_fit",
            device=", ".join(place.name for place in places),
            needed_gb=gigabytes(needed_bytes(size, chosen.form, places, dtype)),
            free_gb=gigabytes(sum(place.free_bytes for place in places)),
        )
    return LoadPlan(chosen, _shares(size, chosen), _reasons(size, chosen, found, quantization))


def _choice(found: dict[Form, Fit]) -> Fit:
    """Choose full weights or 4 bits: one device before several, then enough context, then exactness."""
    whole, packed = found["none"], found.get("4bit")
    if packed is None or not _is_worthwhile(packed, whole):
        return whole
    if not whole.fits:
        return packed

    def worth(fit: Fit) -> tuple[bool, bool, bool, int]:
        short = 0 if fit.is_comfortable else fit.context_tokens
        return fit.fits, not fit.is_spread, fit.is_comfortable, short

    return packed if worth(packed) > worth(whole) else whole


def _is_worthwhile(packed: Fit | None, whole: Fit) -> bool:
    return packed is not None and packed.weight_bytes <= WORTHWHILE * whole.weight_bytes


def _other(chosen: Fit, found: dict[Form, Fit]) -> tuple[str, Fit] | None:
    """Return the other form that the user might want instead, with the code of the sentence about it."""
    whole, packed = found["none"], found.get("4bit")
    if packed is None or not _is_worthwhile(packed, whole):
        return None
    if chosen is packed and whole.fits and whole.is_spread and not packed.is_spread:
        return "engine.choice.or_spread", whole
    if chosen.is_spread and packed.fits and not packed.is_spread:
        return "engine.choice.or_faster", packed
    if chosen is whole and packed.context_tokens > whole.context_tokens and not packed.is_spread:
        return "engine.choice.or_longer", packed
    return None


def _shares(size: ModelSize, chosen: Fit) -> tuple[tuple[str, int], ...]:
    """Return how many bytes of weights each of several GPUs may use, in proportion to its room.

    Each share has space for one more layer: with exact shares the last layers would fit nowhere.
    """
    if not chosen.is_spread:
        return ()
    value = VALUE_BYTES[chosen.dtype]
    rooms = [max(0, room(size, chosen.form, place, value, len(chosen.devices))) for place in chosen.devices]
    block = block_bytes(size, chosen.form, value)
    usable = 1.0 if chosen.form == "none" else QUANTIZERS_SHARE
    return tuple(
        (place.name, int((chosen.weight_bytes * each / max(1, sum(rooms)) + block) / usable))
        for place, each in zip(chosen.devices, rooms, strict=True)
    )


def _reasons(size: ModelSize, chosen: Fit, found: dict[Form, Fit], quantization: str) -> tuple[Reason, ...]:
    whole_gb = gigabytes(found["none"].weight_bytes)
    figures = {**_figures(chosen), "whole_gb": whole_gb, "window": chosen.context_window}
    codes = []
    if size.packed_bytes:
        codes.append("engine.choice.packed")
    elif size.is_dequantized:
        codes.append("engine.choice.dequantized")
    elif quantization == "auto":
        codes.append("engine.choice.whole" if chosen.form == "none" else "engine.choice.packs")
    if chosen.is_spread:
        codes.append("engine.choice.spread")
    if chosen.context_tokens < chosen.context_window:
        codes.append("engine.choice.window")
    other = _other(chosen, found)
    told = () if other is None else (Reason(other[0], tuple(_figures(other[1]).items())),)
    return (*(Reason(code, tuple(figures.items())) for code in codes), *told)


def _figures(fit: Fit) -> dict[str, str | int]:
    return {
        "devices": ", ".join(place.name for place in fit.devices),
        "count": len(fit.devices),
        "dtype": fit.dtype,
        "form": fit.form,
        "weights_gb": gigabytes(fit.weight_bytes),
        "free_gb": gigabytes(sum(place.free_bytes for place in fit.devices)),
        "tokens": fit.context_tokens,
    }
