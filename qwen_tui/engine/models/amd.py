"""Find the AMD GPUs of this machine and their free memory in sysfs, as the kernel's driver writes it.

(Linux kernel, "GPU Driver Developer's Guide: amdgpu", memory information)
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from qwen_tui.engine.models.nvml import Gpu

DRM = Path("/sys/class/drm")

_AMD = "0x1002"

_HAS_BF16 = (9, 0)
"""Every GPU that torch supports through ROCm computes in bf16; sysfs does not say more."""

_VISIBLE = ("HIP_VISIBLE_DEVICES", "CUDA_VISIBLE_DEVICES")


def gpus(environment: Mapping[str, str] | None = None, drm: Path = DRM) -> tuple[Gpu, ...]:
    """Return the GPUs that a ROCm program may use, in its order: that of their PCI addresses."""
    found = [gpu for _, gpu in sorted(_cards(drm), key=lambda card: card[0])]
    variables = os.environ if environment is None else environment
    visible = next((variables[name] for name in _VISIBLE if name in variables), None)
    if visible is None:
        return tuple(found)
    wanted = [int(name) if name.strip().isdecimal() else -1 for name in visible.split(",")]
    return tuple(found[index] for index in wanted if 0 <= index < len(found))


def _cards(drm: Path) -> Iterator[tuple[str, Gpu]]:
    """Yield the PCI address of each AMD GPU with its memory."""
    for device in drm.glob("card[0-9]*/device"):
        with suppress(OSError, ValueError):  # no such file: another kind of card, or a connector
            if _text(device / "vendor") != _AMD:
                continue
            total, used = (int(_text(device / f"mem_info_vram_{name}")) for name in ("total", "used"))
            name = "AMD GPU"
            with suppress(OSError):
                name = _text(device / "product_name") or name
            yield device.resolve().name, Gpu(name, total, max(0, total - used), _HAS_BF16)


def _text(file: Path) -> str:
    return file.read_text("utf-8", errors="replace").strip()
