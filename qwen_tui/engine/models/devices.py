"""The devices that a model can run on, with the memory that is free on each: found without importing torch."""

import platform
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from qwen_tui.engine.models import nvml
from qwen_tui.engine.models.main_memory import main_memory

CPU = "cpu"

CPU_CHUNK_TOKENS = 256
"""The most of a prompt that a CPU reads at once."""

_CPU_BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""As `/proc/cpuinfo` calls the instructions on x86 and Arm."""


def gpu_chunk_tokens(major: int) -> int:
    """How much of a prompt a GPU of this compute capability reads at once, in tokens."""
    return {8: 4096, 7: 1024, 6: 512}.get(major, 8192 if major > 8 else 256)


class Device(NamedTuple):
    """One place for a model, or for some layers of it."""

    name: str
    """As torch calls it: `cuda:0`, `mps`, `cpu`."""
    label: str
    """As people call it: `NVIDIA H200`."""
    total_bytes: int
    free_bytes: int
    """Now; what other programs use is not free."""
    has_bf16: bool = True
    """Computes in bf16; else in fp16 on a GPU and in fp32 on a CPU."""
    chunk_tokens: int = 512
    """How much of a prompt is read at once: see `prefill.chunk_tokens`."""

    @property
    def is_gpu(self) -> bool:
        """Whether it is an accelerator."""
        return self.name != CPU


def usable() -> tuple[Device, ...]:
    """The devices there are now, GPUs first, the CPU last. Takes milliseconds; seconds with a driver asleep."""
    return (*(gpus() if not torch_is_for_cpu() else ()), cpu())


def gpus() -> tuple[Device, ...]:
    """The NVIDIA GPUs that this process may use."""
    return tuple(cuda_device(index, gpu) for index, gpu in enumerate(nvml.query().gpus))


def cuda_device(index: int, gpu: nvml.Gpu) -> Device:
    """A GPU as a device, whoever has told of it: the driver's library or torch."""
    major = gpu.capability[0]
    return Device(
        f"cuda:{index}", gpu.name, gpu.total_bytes, gpu.free_bytes, major >= 8, gpu_chunk_tokens(major)
    )


def cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> Device:
    """The processor with the main memory."""
    memory = main_memory()
    return Device(CPU, platform.machine(), memory.total, memory.free, _has_bf16(cpuinfo), CPU_CHUNK_TOKENS)


def torch_is_for_cpu() -> bool:
    """Whether the installed torch is a build without CUDA, by its version: it cannot use a GPU that is there."""
    from importlib import metadata  # late: the first picture does not need it

    try:
        return metadata.version("torch").endswith("+cpu")
    except metadata.PackageNotFoundError:
        return False


def _has_bf16(cpuinfo: Path) -> bool:
    with suppress(OSError), cpuinfo.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return not _CPU_BF16.isdisjoint(value.split())
    return False
