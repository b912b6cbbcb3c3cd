"""Find the devices that a model can run on and their free memory, without importing torch."""

import platform
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from qwen_tui.engine.models import amd, nvml
from qwen_tui.engine.models.main_memory import main_memory

CPU = "cpu"
MPS = "mps"

LARGE_MAC_BYTES = 36 * 2**30
"""Above this, Metal recommends to use a larger share of a Mac's memory."""

CPU_CHUNK_TOKENS = 256
"""Prefill chunk size on a CPU, in tokens."""

_CPU_BF16 = {"avx512_bf16", "amx_bf16", "bf16"}
"""CPU flags in `/proc/cpuinfo` for bf16 instructions, on x86 and Arm."""


def gpu_chunk_tokens(major: int) -> int:
    """Return the prefill chunk size in tokens for a GPU of this major compute capability."""
    return {8: 4096, 7: 1024, 6: 512}.get(major, 8192 if major > 8 else 256)


class Device(NamedTuple):
    """A device for a model or for some of its layers."""

    name: str
    """torch's name: `cuda:0`, `mps`, `cpu`."""
    label: str
    """Product name: `NVIDIA H200`."""
    total_bytes: int
    free_bytes: int
    """Currently free; memory used by other programs is not."""
    has_bf16: bool = True
    """Whether it computes in bf16; if not, a GPU uses fp16 and a CPU fp32."""
    chunk_tokens: int = 512
    """Prefill chunk size: see `prefill.chunk_tokens`."""

    @property
    def is_gpu(self) -> bool:
        """Whether it is an accelerator."""
        return self.name != CPU


def usable() -> tuple[Device, ...]:
    """Return the current devices, accelerators first, then the CPU, as the installed torch can use them.

    Takes milliseconds; seconds with a sleeping driver. Screen and worker both use this.
    """
    return (*(gpus() if not torch_is_for_cpu() else ()), *mps(), cpu())


def gpus() -> tuple[Device, ...]:
    """Return the NVIDIA or, with a torch for ROCm, AMD GPUs that this process may use."""
    found = amd.gpus() if "+rocm" in _torch_version() else nvml.query().gpus
    return tuple(cuda_device(index, gpu) for index, gpu in enumerate(found))


def mps() -> tuple[Device, ...]:
    """Return the GPU of a Mac with Apple silicon, which shares the main memory.

    Metal recommends to use two thirds of a small memory and three quarters of a large one.
    """
    if (platform.system(), platform.machine()) != ("Darwin", "arm64"):
        return ()
    memory = main_memory()
    share = 3 / 4 if memory.total > LARGE_MAC_BYTES else 2 / 3
    total = int(memory.total * share)
    return (Device(MPS, "Apple Metal", total, min(total, memory.free), has_bf16=False),)


def cuda_device(index: int, gpu: nvml.Gpu) -> Device:
    """Convert a GPU, reported by NVML or torch, to a device."""
    major = gpu.capability[0]
    return Device(
        f"cuda:{index}", gpu.name, gpu.total_bytes, gpu.free_bytes, major >= 8, gpu_chunk_tokens(major)
    )


def cpu(cpuinfo: Path = Path("/proc/cpuinfo")) -> Device:
    """Return the CPU with the main memory."""
    memory = main_memory()
    return Device(CPU, platform.machine(), memory.total, memory.free, _has_bf16(cpuinfo), CPU_CHUNK_TOKENS)


def torch_is_for_cpu() -> bool:
    """Whether the installed torch, by its version, is a build without CUDA, which cannot use a GPU."""
    return _torch_version().endswith("+cpu")


def _torch_version() -> str:
    from importlib import metadata  # late: the first screen does not need it

    try:
        return metadata.version("torch")
    except metadata.PackageNotFoundError:
        return ""


def _has_bf16(cpuinfo: Path) -> bool:
    with suppress(OSError), cpuinfo.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            name, _, value = line.partition(":")
            if name.strip() in ("flags", "Features"):
                return not _CPU_BF16.isdisjoint(value.split())
    return False
