"""Query the NVIDIA GPUs of this machine and their free memory through the driver's library, NVML.

NVML comes with the driver and is called through ctypes: without torch, without a process (`nvidia-smi` takes up to
seconds on a machine with many GPUs), and without a CUDA context, which would use memory on every GPU queried.
Memory used by other users' processes counts as used. (NVML API Reference Guide, "Device Queries")
"""

import ctypes
import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

LIBRARY = "libnvidia-ml.so.1"

_TEXT_BYTES = 96
"""Enough for a name, a UUID or a version; see NVML_DEVICE_NAME_V2_BUFFER_SIZE."""

_SUCCESS = 0

_MOST_GPUS = 64


class Gpu(NamedTuple):
    """One GPU, or one MIG slice of a GPU."""

    name: str
    """The driver's name for it: `NVIDIA H200`."""
    total_bytes: int
    free_bytes: int
    capability: tuple[int, int]
    """CUDA compute capability: bf16 from (8, 0) on."""


class _Memory(ctypes.Structure):
    """`nvmlMemory_t`, in bytes."""

    _fields_ = (("total", ctypes.c_ulonglong), ("free", ctypes.c_ulonglong), ("used", ctypes.c_ulonglong))


class Nvml(NamedTuple):
    """A snapshot of what NVML reports."""

    driver: str
    """The driver's version; empty without a driver."""
    gpus: tuple[Gpu, ...]
    """The GPUs visible to a CUDA program in this environment, in its order."""


def query(environment: Mapping[str, str] | None = None, library: Any = None) -> Nvml:
    """Query NVML now; no GPUs if there is no driver or it fails.

    `library` replaces the driver's library, with the same functions.
    """
    if library is None:
        try:
            library = ctypes.CDLL(LIBRARY)
        except OSError:
            return Nvml("", ())
    if library.nvmlInit_v2() != _SUCCESS:
        return Nvml("", ())
    try:
        visible = (os.environ if environment is None else environment).get("CUDA_VISIBLE_DEVICES")
        gpus = (_gpu(library, handle) for handle in _visible(library, visible))
        return Nvml(_text(library.nvmlSystemGetDriverVersion), tuple(gpu for gpu in gpus if gpu is not None))
    finally:
        library.nvmlShutdown()


def _visible(library: Any, wanted: str | None) -> Iterator[ctypes.c_void_p]:
    """Yield the GPUs in `CUDA_VISIBLE_DEVICES`, by index or UUID, up to an invalid entry; all if it is not set.

    (CUDA C++ Programming Guide, "CUDA Environment Variables")
    """
    count = ctypes.c_uint()
    if library.nvmlDeviceGetCount_v2(ctypes.byref(count)) != _SUCCESS:
        return
    handles: list[ctypes.c_void_p] = []
    for index in range(min(count.value, _MOST_GPUS)):
        handle = ctypes.c_void_p()
        if library.nvmlDeviceGetHandleByIndex_v2(ctypes.c_uint(index), ctypes.byref(handle)) == _SUCCESS:
            handles.append(handle)
    if wanted is None:
        yield from handles
        return
    for name in wanted.split(",")[:_MOST_GPUS]:
        found = _named(library, handles, name.strip())
        if found is None:
            return
        yield found


def _named(library: Any, handles: list[ctypes.c_void_p], name: str) -> ctypes.c_void_p | None:
    if name.isascii() and name.isdigit():
        return handles[int(name)] if int(name) < len(handles) else None
    if name.startswith("MIG-"):
        handle = ctypes.c_void_p()
        answer = library.nvmlDeviceGetHandleByUUID(name.encode(errors="replace"), ctypes.byref(handle))
        return handle if answer == _SUCCESS else None
    if not name.startswith("GPU-"):
        return None
    # A UUID may be abbreviated as long as it stays unique.
    alike = [each for each in handles if _text(library.nvmlDeviceGetUUID, each).startswith(name)]
    return alike[0] if len(alike) == 1 else None


def _gpu(library: Any, handle: ctypes.c_void_p) -> Gpu | None:
    memory, major, minor = _Memory(), ctypes.c_int(), ctypes.c_int()
    if library.nvmlDeviceGetMemoryInfo(handle, ctypes.byref(memory)) != _SUCCESS:
        return None
    # Some drivers do not report it for a MIG slice; every GPU that can be sliced has bf16.
    answer = library.nvmlDeviceGetCudaComputeCapability(handle, ctypes.byref(major), ctypes.byref(minor))
    capability = (major.value, minor.value) if answer == _SUCCESS else (8, 0)
    name = _text(library.nvmlDeviceGetName, handle)
    return Gpu(name or "NVIDIA", memory.total, memory.free, capability)


def _text(ask: Any, *of: ctypes.c_void_p) -> str:
    """Return the text that a function writes into a buffer; empty if it fails."""
    buffer = ctypes.create_string_buffer(_TEXT_BYTES)
    failed = ask(*of, buffer, ctypes.c_uint(_TEXT_BYTES)) != _SUCCESS
    return "" if failed else buffer.value.decode("utf-8", errors="replace")
