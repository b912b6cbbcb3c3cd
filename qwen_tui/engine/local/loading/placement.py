"""Translate the plan of `fit`, the devices and the form of a model, into torch's terms."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import BitsAndBytesConfig

from qwen_tui.engine.base import ModelSpec, Reason
from qwen_tui.engine.models import devices as devices_here
from qwen_tui.engine.models.checkpoint import Checkpoint
from qwen_tui.engine.models.devices import CPU, MPS, Device, cuda_device
from qwen_tui.engine.models.load_plan import plan
from qwen_tui.engine.models.nvml import Gpu
from qwen_tui.engine.models.size import size_of


@dataclass(frozen=True, slots=True)
class Placement:
    """How to load a model."""

    device: torch.device
    """The device, or the first of several."""
    device_map: str | dict[str, str]
    """For `from_pretrained`: everything on one device, or one GPU after another filled up to `max_memory`.

    Not `auto`, which divides the weights evenly regardless of memory and offloads the excess to disk (7B over 14
    and 9 GB).
    """
    max_memory: dict[int, int]
    """Over several GPUs, the bytes of weights that each may use, by number; else empty."""
    dtype: torch.dtype
    quantization: str
    """`none`, `4bit` or `8bit`; also `none` for a checkpoint that was saved quantized."""
    context_tokens: int
    """The context window that fits in memory."""
    reasons: tuple[Reason, ...]


def place(spec: ModelSpec, checkpoint: Checkpoint, devices: Sequence[Device] | None = None) -> Placement:
    """Place a model on the current devices, or on `devices`. Raises QwenTuiError as `plan` does."""
    there = usable() if devices is None else devices
    planned = plan(size_of(checkpoint), there, spec.quantization, spec.device, spec.dtype)
    first = planned.fit.devices[0].name
    return Placement(
        device=torch.device(first),
        device_map="sequential" if planned.max_memory else {"": first},
        max_memory={int(name.partition(":")[2]): size for name, size in planned.max_memory},
        dtype=getattr(torch, planned.fit.dtype),
        quantization=planned.fit.form,
        context_tokens=planned.fit.context_tokens,
        reasons=planned.reasons,
    )


def usable() -> tuple[Device, ...]:
    """Return `devices.usable`, which the screen uses, but trust torch where it can use other devices."""
    there = {device.name: device for device in devices_here.usable()}
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = [device for name, device in there.items() if name.startswith("cuda")]
    if len(gpus) != count:
        gpus = [_cuda_device(index) for index in range(count)]
    mps = [there[MPS]] if MPS in there and torch.backends.mps.is_available() else []
    return (*gpus, *mps, there[CPU])


def quantization_arguments(placement: Placement) -> dict[str, Any]:
    """Return the quantization arguments of `from_pretrained`; empty if the model is not to be quantized.

    A `quantization_config` of None would hide that of a checkpoint that was saved quantized.
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


def _cuda_device(index: int) -> Device:
    """Query a GPU through torch, which creates a CUDA context and so uses memory there."""
    free, total = torch.cuda.mem_get_info(index)
    capability = torch.cuda.get_device_capability(index)
    return cuda_device(index, Gpu(torch.cuda.get_device_name(index), total, free, capability))
