"""Turn any exception of the worker into a `QwenTuiError` that tells the user what to do."""

import gc

import torch

from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError


def is_out_of_memory(error: BaseException) -> bool:
    """Whether the device or the machine ran out of memory, which each backend reports in its own way."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = ("can't allocate memory", "out of memory", "not enough memory", "CUBLAS_STATUS_ALLOC_FAILED")
    return isinstance(error, RuntimeError) and any(words in str(error) for words in said)


def is_device_broken(error: BaseException) -> bool:
    """Whether the CUDA context is lost: after a device-side assert every call fails until the process ends."""
    if isinstance(error, QwenTuiError) or is_out_of_memory(error):
        return False
    return isinstance(error, torch.AcceleratorError) or "CUDA error" in str(error)


def in_plain_words(error: BaseException) -> QwenTuiError:
    """Return the error for the user, unless one was already raised closer to the cause."""
    if isinstance(error, QwenTuiError):
        return error
    if is_out_of_memory(error):
        return QwenTuiError("engine.out_of_memory", detail=one_line(error))
    if is_device_broken(error):
        return QwenTuiError("engine.device_broken", detail=one_line(error))
    return QwenTuiError("engine.unexpected", detail=one_line(f"{type(error).__name__}: {error}"))


def free_memory() -> None:
    """Return unused memory to the device. Call it outside the frames that referenced the tensors."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
