"""Decide whether a model fits, in which form and with how much context.

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

from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.dtypes import DTYPES
from qwen_tui.engine.models.devices import CPU, Device, torch_is_for_cpu
from qwen_tui.engine.models.size import Form, ModelSize
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

LEAST_TOKENS = 1024
"""A model with less context than this does not fit: there is no room for a conversation."""

COMFORTABLE_TOKENS = 8192
"""Below this context, `auto` looks for a form that leaves more, and layers are spread to one more GPU."""

CPU_PARAMETERS = 1_000_000_000
"""Up to this size a model runs acceptably on a CPU, so `auto` uses it if no GPU has room."""

BF16_PARAMETERS = 100_000_000
"""From this size on, a CPU computes in bf16 if it supports that.

bf16 needs special instructions, and pays only if reading the weights takes most of the time. Decoding on two cores
with AVX512-BF16, fp32 and bf16: 6.8M parameters 150 and 140 tok/s, 21M 53 and 55, 91M 17 and 20, 191M 11 and 17,
494M 5.2 and 10. Below the limit, fp32 is also more accurate.
"""

VALUE_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}
"""Size of a value by torch's name of its dtype."""


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
    def is_spread(self) -> bool:
        """Whether its layers are on several GPUs, which decode several times slower than one: by `generate`."""
        return len(self.devices) > 1

    @property
    def is_comfortable(self) -> bool:
        """Whether it fits with enough context for a long conversation."""
        return self.fits and self.context_tokens >= min(COMFORTABLE_TOKENS, self.context_window)


def fits(
    size: ModelSize, devices: Sequence[Device], device: str = "auto", dtype: str = "auto"
) -> dict[Form, Fit]:
    """Check each form of the model for whether it fits on the devices that `device` allows (`allowed`).

    `dtype` is a compute dtype or `auto`: see `dtype_on`.
    """
    places = allowed(devices, device)
    found = {form: _best(size, form, places, dtype) for form in size.forms}
    if device == "auto" and size.parameters <= CPU_PARAMETERS and not any(fit.fits for fit in found.values()):
        there = tuple(place for place in devices if not place.is_gpu)
        found = {form: _best(size, form, there, dtype) for form in size.forms} if there else found
    return found


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


def dtype_on(size: ModelSize, devices: Sequence[Device], wanted: str = "auto") -> str:
    """Return torch's name of the compute dtype on these devices: the one `wanted` by its name in the settings.

    `auto` is bf16 if supported, fp16 on older GPUs, and on a CPU see `BF16_PARAMETERS`.
    """
    if wanted in DTYPES:
        return DTYPES[wanted]
    has_bf16 = all(device.has_bf16 for device in devices)
    if devices[0].name != CPU:
        return "bfloat16" if has_bf16 else "float16"
    is_large = size.parameters >= BF16_PARAMETERS and size.dtype != "F32"
    return "bfloat16" if is_large and has_bf16 else "float32"


def gigabytes(count: float) -> str:
    """Format a number of bytes in GB: `15.2`, and for a small model `0.0071` rather than `0.0`."""
    return f"{count / 1e9:{'.2g' if 0 < count < 95e6 else '.1f'}}"


# --- One form ---------------------------------------------------------------------------------------------


def _best(size: ModelSize, form: Form, places: Sequence[Device], dtype: str) -> Fit:
    """Return the fit on the device with most room, else over the fewest that leave room for long conversations.

    One device is never given up for a longer context: see `Fit.is_spread`.
    """
    order = sorted(places, key=lambda place: -place.free_bytes)  # stable: the first of equals stays first
    alone, *spread = (
        fit_over(size, form, sorted(order[: n + 1], key=places.index), dtype) for n in range(len(order))
    )
    if alone.fits:
        return alone
    most = max((alone, *spread), key=lambda fit: fit.context_tokens)
    return next((fit for fit in spread if fit.is_comfortable), most)


def fit_over(size: ModelSize, form: Form, places: Sequence[Device], wanted: str = "auto") -> Fit:
    """Return the fit with the layers spread over all of these devices; `wanted` is as in `dtype_on`."""
    dtype = dtype_on(size, places, wanted)
    value = VALUE_BYTES[dtype]
    weights = size.weight_bytes(form, value)
    chunk = max(place.chunk_tokens for place in places)
    count = len(places)
    kv = CACHE_SLACK * size.kv_bytes_per_token(value)
    if count > 1:  # one device may have a layer more than its share
        kv *= (1 + count / max(1, size.layers)) / SPREAD_SHARE
    free = sum(room(size, form, place, value, count) for place in places) - weights
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


def room(size: ModelSize, form: Form, place: Device, value: int, count: int) -> int:
    """Return a device's memory for weights and context. With several, unsplittable layers waste some on each."""
    outside = OUTSIDE_BYTES if place.is_gpu else 0
    return place.free_bytes - outside - (block_bytes(size, form, value) if count > 1 else 0)


def block_bytes(size: ModelSize, form: Form, value: int) -> int:
    """Return the approximate size of the largest part that cannot be split: a layer, or the embedding."""
    return max(size.weight_bytes(form, value) // max(1, size.layers), size.embedding_parameters * value)


def needed_bytes(size: ModelSize, form: Form, places: Sequence[Device], dtype: str = "auto") -> int:
    """Return the memory needed with the minimum context."""
    value = VALUE_BYTES[dtype_on(size, places, dtype)]
    outside = OUTSIDE_BYTES if places[0].is_gpu else 0
    work = value * max(size.widest * ACTIVATION_VALUES, size.query_values * QUERY_VALUES)
    kv = CACHE_SLACK * size.kv_bytes_per_token(value)
    tokens = min(LEAST_TOKENS, size.context_window)
    return size.weight_bytes(form, value) + outside + int(tokens * (kv + work))
