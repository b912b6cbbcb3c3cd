"""Where a model goes and in what form: device, dtype and quantization, by what there is and what has room."""

import os
from dataclasses import dataclass
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.checkpoint import Checkpoint
from qwen_tui.errors import QwenTuiError

HEADROOM = 1.1
"""What a model takes beside its weights, at least: activations, buffers, the allocator's rounding."""

NF4_BYTES = 0.53
"""A parameter in nf4 with double quantization: 4 bits, and its share of the block's constants."""

BF16_PARAMETERS = 100_000_000
"""From this size on a CPU computes in bf16, where it can."""

_BYTES = {torch.float32: 4.0, torch.float16: 2.0, torch.bfloat16: 2.0}


@dataclass(frozen=True, slots=True)
class Placement:
    """How a model is to be loaded."""

    device: torch.device
    """The device, or the first of several."""
    device_map: str | dict[str, str]
    """As `from_pretrained` takes it: everything on one device, or `auto` over several GPUs."""
    dtype: torch.dtype
    quantization: str
    """`none`, `4bit` or `8bit`; `none` too for a checkpoint that was saved quantized."""


def place(spec: ModelSpec, checkpoint: Checkpoint) -> Placement:
    """Decide; raises QwenTuiError when the device is not there or nothing fits."""
    device = find_device(spec.device)
    dtype = best_dtype(device, checkpoint)
    free = free_bytes(device)
    several = device.type == "cuda" and spec.device in ("auto", "cuda") and torch.cuda.device_count() > 1
    wanted = {"auto": ("none", "4bit")}.get(spec.quantization, (spec.quantization,))
    if checkpoint.is_quantized:
        wanted = ("none",)
    for quantization in wanted:
        needed = needed_bytes(checkpoint, dtype, quantization)
        if needed <= free:
            return Placement(device, {"": str(device)}, dtype, quantization)
        if several and needed <= sum(
            free_bytes(torch.device("cuda", i)) for i in range(torch.cuda.device_count())
        ):
            return Placement(device, "auto", dtype, quantization)
    needed = needed_bytes(checkpoint, dtype, wanted[-1])
    raise QwenTuiError(
        "engine.does_not_fit", device=str(device), needed_gb=gigabytes(needed), free_gb=gigabytes(free)
    )


def find_device(wanted: str) -> torch.device:
    """The device that `auto`, `cpu`, `mps`, `cuda` or `cuda:N` means here."""
    there = available_devices()
    if wanted == "auto":
        return torch.device(there[0])
    if wanted == "cuda" and "cuda:0" in there:
        return torch.device("cuda:0")
    if wanted not in there:
        raise QwenTuiError("engine.no_such_device", device=wanted[:40], available=", ".join(there))
    return torch.device(wanted)


def available_devices() -> list[str]:
    """The devices of this machine, the best first."""
    devices = (
        [f"cuda:{index}" for index in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    )
    if torch.backends.mps.is_available():
        devices.append("mps")
    return [*devices, "cpu"]


def best_dtype(device: torch.device, checkpoint: Checkpoint) -> torch.dtype:
    """bf16 where the hardware has it, fp16 on older GPUs.

    On a CPU bf16 needs its own instructions, and pays only when reading the weights is what takes the time.
    Decode, two cores with AVX512-BF16, fp32 and bf16: 6.8M parameters 150 and 140 tok/s, 21M 53 and 55,
    91M 17 and 20, 191M 11 and 17, 494M 5.2 and 10. Below the limit fp32 also gives the more exact result.
    """
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.get_device_capability(device) >= (8, 0) else torch.float16
    if device.type == "mps":
        return torch.float16
    is_large = checkpoint.parameters >= BF16_PARAMETERS and checkpoint.dtype != "F32"
    return torch.bfloat16 if is_large and _cpu_has_bf16() else torch.float32


def needed_bytes(checkpoint: Checkpoint, dtype: torch.dtype, quantization: str) -> int:
    """What the model will take, with some room for its work; an estimate."""
    if checkpoint.is_quantized:
        return int(checkpoint.weight_bytes * HEADROOM)
    per_parameter = _BYTES[dtype]
    if quantization == "none":
        return int(checkpoint.parameters * per_parameter * HEADROOM)
    # Embeddings and the output layer stay as they are; only the linear layers between them are quantized.
    ends = ("embed_tokens.weight", "lm_head.weight", "wte.weight")
    kept_bytes = sum(size for name, size in checkpoint.tensor_bytes.items() if name.endswith(ends))
    kept = int(checkpoint.parameters * kept_bytes / max(1, checkpoint.weight_bytes))
    packed = {"4bit": NF4_BYTES, "8bit": 1.0}[quantization]
    return int((kept * per_parameter + (checkpoint.parameters - kept) * packed) * HEADROOM)


def free_bytes(device: torch.device) -> int:
    """The memory that is free on the device now."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return _free_main_memory()


def quantization_arguments(placement: Placement) -> dict[str, Any]:
    """What `from_pretrained` takes to quantize; nothing at all when it is not to.

    Given as None, `quantization_config` would hide that of a checkpoint which was saved quantized.
    """
    if placement.quantization == "none":
        return {}
    if placement.quantization == "8bit":
        return {"quantization_config": BitsAndBytesConfig(load_in_8bit=True)}
    # The library's own defaults are fp4 and float32 compute, which is slow.
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=placement.dtype,
    )
    return {"quantization_config": config}


def gigabytes(count: float) -> str:
    """A number of bytes as people read it: `15.2`."""
    return f"{count / 1e9:.1f}"


def _free_main_memory() -> int:
    try:
        with open("/proc/meminfo", encoding="ascii") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _cpu_has_bf16() -> bool:
    capabilities: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))
