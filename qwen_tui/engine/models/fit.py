"""Decide whether a model fits, in which form and with how much context, and plan how `auto` loads it.

Pure functions of the model's size and the devices, so that the screen predicts exactly what the worker does.

GPU memory in addition to the weights, measured on an H200 with the shapes of Qwen2.5-7B and Qwen3-0.6B in bf16
(torch 2.11, prompts of 2,000 to 120,000 tokens, read in chunks of at most 8,192):

* 0.72 GB outside torch's allocator: CUDA context, kernels, cuBLAS (`OUTSIDE_BYTES`);
* in the feed-forward layers up to 7.2 bytes for each of a token's widest values, 1.2 GB per chunk for 7B
  (`ACTIVATION_VALUES`), plus the mask: 1 byte per pair of a token in the chunk and one in the context;
* in attention 3 bytes per such pair, a copy of keys and values for every query head, and up to 36 bytes for each
  query value of a chunk (`QUERY_VALUES`): 4.5 GB at 120,000 tokens;
* the KV cache, plus a quarter for the holes it leaves as it grows (`CACHE_SLACK`).

Checked with the allocator limited to 17, 18, 20 and 24 GB for 7B, and to 3, 5 and 8 GB for 0.6B: the predicted
context always fit, and was 68 to 100 % of the longest that did. Over two GPUs of 12 and 12, 14 and 9, and 16 and
16 GB it fit as well, at up to 83 %. All this assumes torch's expandable segments (see `worker.start_worker`):
without them a fifth less fits.
"""

from collections.abc import Sequence
from typing import NamedTuple

from qwen_tui.engine.base import ModelInfo, Reason
from qwen_tui.engine.models.devices import CPU, Device, torch_is_for_cpu
from qwen_tui.engine.models.size import FORMS, Form, ModelSize
from qwen_tui.errors import QwenTuiError

OUTSIDE_BYTES = 750_000_000
"""GPU memory of a process, whatever the model."""

ACTIVATION_VALUES = 3.6
"""Number of simultaneous copies of a token's widest values in the feed-forward layers."""

QUERY_VALUES = 18
"""Number of simultaneous copies of a token's query values in attention: norms and rotations in fp32."""

CACHE_SLACK = 1.25
"""Memory per byte in the KV cache."""

SPREAD_SHARE = 0.85
"""Share of the context counted over several GPUs: the fullest decides, and layers divide unevenly."""

QUANTIZERS_SHARE = 0.9
"""Share of a GPU's weight limit that transformers uses; it leaves the rest to bitsandbytes."""

LEAST_TOKENS = 1024
"""A model with less context than this does not fit: there is no room for a conversation."""

COMFORTABLE_TOKENS = 8192
"""Below this context, `auto` looks for a form that leaves more."""

LONG_TOKENS = 32_768
"""Below this context, layers are spread to one more GPU if there is one."""

WORTHWHILE = 0.8
"""A quantized form must be smaller than this share of the full weights to be worth being slower."""

CPU_PARAMETERS = 1_000_000_000
"""Up to this size a model runs acceptably on a CPU, so `auto` uses it if no GPU has room."""

BF16_PARAMETERS = 100_000_000
"""From this size on, a CPU computes in bf16 if it supports that.

bf16 needs special instructions, and pays only if reading the weights takes most of the time. Decoding on two cores
with AVX512-BF16, fp32 and bf16: 6.8M parameters 150 and 140 tok/s, 21M 53 and 55, 91M 17 and 20, 191M 11 and 17,
494M 5.2 and 10. Below the limit, fp32 is also more accurate.
"""

_VALUE_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


class Fit(NamedTuple):
    """Whether and how a model fits in one form."""

    form: Form
    devices: tuple[Device, ...]
    """Where it would go: one device, or the GPUs over which its layers are spread."""
    dtype: str
    """Compute dtype: `bfloat16`, `float16`, `float32`."""
    weight_bytes: int
    context_tokens: int
    """Context that fits, at most the model's window; 0 if even the weights do not fit."""
    context_window: int

    @property
    def fits(self) -> bool:
        """Whether it can be loaded with enough context for a conversation."""
        return bool(self.devices) and self.context_tokens >= min(LEAST_TOKENS, self.context_window)

    @property
    def is_comfortable(self) -> bool:
        """Whether it fits with enough context for a long conversation."""
        return self.fits and self.context_tokens >= min(COMFORTABLE_TOKENS, self.context_window)


class LoadPlan(NamedTuple):
    """How to load a model."""

    fit: Fit
    max_memory: tuple[tuple[str, int], ...]
    """Over several GPUs, how many bytes of weights each may use, leaving the rest for context; else empty."""
    reasons: tuple[Reason, ...]


def fits(size: ModelSize, devices: Sequence[Device], device: str = "auto") -> dict[Form, Fit]:
    """Check each form of the model for whether it fits on the devices that `device` allows (`allowed`)."""
    places = allowed(devices, device)
    forms: tuple[Form, ...] = ("none",) if size.packed_bytes else FORMS
    found = {form: _best(size, form, places) for form in forms}
    if device == "auto" and size.parameters <= CPU_PARAMETERS and not any(fit.fits for fit in found.values()):
        there = tuple(place for place in devices if not place.is_gpu)
        found = {form: _best(size, form, there) for form in forms} if there else found
    return found


def plan(
    size: ModelSize, devices: Sequence[Device], quantization: str = "auto", device: str = "auto"
) -> LoadPlan:
    """Plan the load: as requested, or for `auto` unquantized if that leaves enough context, else in 4 bits.

    `devices` are all there are, `device` is the user's choice (see `allowed`), `quantization` is a form or `auto`.
    Raises QwenTuiError: as `allowed` does, `engine.does_not_fit`, `engine.does_not_fit_packed`.
    """
    found = fits(size, devices, device)
    if quantization == "auto":
        chosen = _choice(size, found)
    else:
        chosen = next((fit for form, fit in found.items() if form == quantization), found["none"])
    if not chosen.fits:
        places = allowed(devices, device)
        is_smallest = not _is_worthwhile(found.get("4bit"), found["none"]) or chosen.form == "4bit"
        raise QwenTuiError(
            "engine.does_not_fit_packed" if is_smallest else "engine.does_not_fit",
            device=", ".join(place.name for place in places),
            needed_gb=gigabytes(_needed(size, chosen.form, places)),
            free_gb=gigabytes(sum(place.free_bytes for place in places)),
        )
    return LoadPlan(chosen, _shares(size, chosen), _reasons(size, chosen, found, quantization))


def allowed(devices: Sequence[Device], wanted: str) -> tuple[Device, ...]:
    """Return the devices that `auto`, `cuda`, `cuda:N`, `mps` or `cpu` allows.

    Raises `engine.no_such_device`; without any usable GPU, `engine.no_gpu` or `engine.torch_for_cpu`.

    `auto` means the GPUs if there are any: for most models a CPU is so slow that it must be chosen explicitly
    (`CPU_PARAMETERS`).
    """
    accelerators = tuple(device for device in devices if device.is_gpu)
    if wanted == "auto":
        return accelerators or tuple(devices)
    found = tuple(device for device in devices if wanted in (device.name, device.name.partition(":")[0]))
    if found:
        return found
    names = ", ".join(device.name for device in devices)
    code = "engine.no_such_device"
    if wanted.startswith("cuda") and "cuda" not in names:
        code = "engine.torch_for_cpu" if torch_is_for_cpu() else "engine.no_gpu"
    raise QwenTuiError(code, device=wanted[:40], available=names)


def freed(devices: Sequence[Device], loaded: ModelInfo | None) -> tuple[Device, ...]:
    """Return the devices as they will be after the loaded model is freed, for when two do not fit."""
    if loaded is None:
        return tuple(devices)
    names = loaded.device.split(", ")
    share = loaded.memory_bytes // len(names) + (0 if names == [CPU] else OUTSIDE_BYTES)
    return tuple(
        one._replace(free_bytes=min(one.total_bytes, one.free_bytes + share)) if one.name in names else one
        for one in devices
    )


def dtype_on(size: ModelSize, devices: Sequence[Device]) -> str:
    """Return the compute dtype on these devices: bf16 if supported, fp16 on older GPUs; see `BF16_PARAMETERS`."""
    has_bf16 = all(device.has_bf16 for device in devices)
    if devices[0].name != CPU:
        return "bfloat16" if has_bf16 else "float16"
    is_large = size.parameters >= BF16_PARAMETERS and size.dtype != "F32"
    return "bfloat16" if is_large and has_bf16 else "float32"


def gigabytes(count: float) -> str:
    """Format a number of bytes in GB: `15.2`, and for a small model `0.0071` rather than `0.0`."""
    return f"{count / 1e9:{'.2g' if 0 < count < 95e6 else '.1f'}}"


# --- One form ---------------------------------------------------------------------------------------------


def _best(size: ModelSize, form: Form, places: Sequence[Device]) -> Fit:
    """Return the fit over the fewest devices, largest first, with long context; else the one with the most."""
    order = sorted(places, key=lambda place: -place.free_bytes)  # stable: the first of equals stays first
    found = [_fit_over(size, form, sorted(order[: n + 1], key=places.index)) for n in range(len(order))]
    enough = min(LONG_TOKENS, size.context_window)
    most = max(found, key=lambda fit: fit.context_tokens)
    return next((fit for fit in found if fit.context_tokens >= enough), most)


def _fit_over(size: ModelSize, form: Form, places: Sequence[Device]) -> Fit:
    """Return the fit with the layers spread over all of these devices."""
    dtype = dtype_on(size, places)
    value = _VALUE_BYTES[dtype]
    weights = size.weight_bytes(form, value)
    chunk = max(place.chunk_tokens for place in places)
    count = len(places)
    kv = CACHE_SLACK * size.kv_bytes_per_token(value)
    if count > 1:  # one device may have a layer more than its share
        kv *= (1 + count / max(1, size.layers)) / SPREAD_SHARE
    free = sum(_room(size, form, place, value, count) for place in places) - weights
    feeding = value * size.widest * ACTIVATION_VALUES
    attending = value * size.query_values * QUERY_VALUES
    # A context shorter than a chunk is read at once, without a mask.
    short = min(chunk, free / max(1.0, kv + count * max(feeding, attending)))
    long = min(
        (free - count * chunk * feeding) / max(1.0, kv + count * chunk),
        (free - count * chunk * attending)
        / max(1.0, kv + count * (3 * chunk + 2 * value * size.query_values)),
    )
    tokens = max(0, min(size.context_window, int(max(short, long))))
    return Fit(form, tuple(places), dtype, weights, tokens, size.context_window)


def _room(size: ModelSize, form: Form, place: Device, value: int, count: int) -> int:
    """Return a device's memory for weights and context. With several, unsplittable layers waste some on each."""
    outside = OUTSIDE_BYTES if place.is_gpu else 0
    return place.free_bytes - outside - (_block_bytes(size, form, value) if count > 1 else 0)


def _block_bytes(size: ModelSize, form: Form, value: int) -> int:
    """Return the approximate size of the largest part that cannot be split: a layer, or the embedding."""
    return max(size.weight_bytes(form, value) // max(1, size.layers), size.embedding_parameters * value)


def _needed(size: ModelSize, form: Form, places: Sequence[Device]) -> int:
    """Return the memory needed with the minimum context."""
    value = _VALUE_BYTES[dtype_on(size, places)]
    outside = OUTSIDE_BYTES if places[0].is_gpu else 0
    work = value * max(size.widest * ACTIVATION_VALUES, size.query_values * QUERY_VALUES)
    kv = CACHE_SLACK * size.kv_bytes_per_token(value)
    tokens = min(LEAST_TOKENS, size.context_window)
    return size.weight_bytes(form, value) + outside + int(tokens * (kv + work))


# --- The choice -------------------------------------------------------------------------------------------


def _choice(size: ModelSize, found: dict[Form, Fit]) -> Fit:
    whole, packed = found["none"], found.get("4bit")
    if whole.is_comfortable or packed is None or not _is_worthwhile(packed, whole):
        return whole
    return packed if packed.context_tokens > whole.context_tokens or not whole.fits else whole


def _is_worthwhile(packed: Fit | None, whole: Fit) -> bool:
    return packed is not None and packed.weight_bytes <= WORTHWHILE * whole.weight_bytes


def _shares(size: ModelSize, chosen: Fit) -> tuple[tuple[str, int], ...]:
    """Return how many bytes of weights each of several GPUs may use, in proportion to its room.

    Each share has space for one more layer: with exact shares the last layers would fit nowhere.
    """
    count = len(chosen.devices)
    if count < 2:
        return ()
    value = _VALUE_BYTES[chosen.dtype]
    rooms = [max(0, _room(size, chosen.form, place, value, count)) for place in chosen.devices]
    block = _block_bytes(size, chosen.form, value)
    usable = 1.0 if chosen.form == "none" else QUANTIZERS_SHARE
    return tuple(
        (place.name, int((chosen.weight_bytes * room / max(1, sum(rooms)) + block) / usable))
        for place, room in zip(chosen.devices, rooms, strict=True)
    )


def _reasons(size: ModelSize, chosen: Fit, found: dict[Form, Fit], quantization: str) -> tuple[Reason, ...]:
    names = ", ".join(place.name for place in chosen.devices)
    figures: dict[str, str | int] = {
        "devices": names,
        "dtype": chosen.dtype,
        "form": chosen.form,
        "weights_gb": gigabytes(chosen.weight_bytes),
        "whole_gb": gigabytes(found["none"].weight_bytes),
        "free_gb": gigabytes(sum(place.free_bytes for place in chosen.devices)),
        "tokens": chosen.context_tokens,
        "window": chosen.context_window,
    }
    codes = []
    if size.packed_bytes:
        codes.append("engine.choice.packed")
    elif quantization == "auto":
        codes.append("engine.choice.whole" if chosen.form == "none" else "engine.choice.packs")
    if len(chosen.devices) > 1:
        codes.append("engine.choice.spread")
    if chosen.context_tokens < chosen.context_window:
        codes.append("engine.choice.window")
    return tuple(Reason(code, tuple(figures.items())) for code in codes)
