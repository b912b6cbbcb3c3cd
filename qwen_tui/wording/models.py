"""Short texts on a model to choose, for the table and the screen."""

from collections.abc import Callable

from qwen_tui.engine.models.choices import ModelChoice
from qwen_tui.engine.models.fit import Fit
from qwen_tui.strings import say
from qwen_tui.wording.units import in_bytes, in_tokens

_PRECISIONS = {"BF16": "bf16", "F16": "fp16", "F32": "fp32", "F8_E4M3": "fp8", "U8": "4bit", "I8": "8bit"}


def disk_in_words(entry: ModelChoice) -> str:
    """Return the model's size on disk, or its download size: `15.2 GB`, `↓ 15.2 GB`."""
    if entry.local is not None:
        return in_bytes(entry.local.disk_bytes)
    return say("models.download", size=in_bytes(entry.download_bytes)) if entry.download_bytes else ""


def dtype_in_words(entry: ModelChoice) -> str:
    """Return the precision of its files."""
    size = entry.size
    if size is None:
        return ""
    if size.packed_bytes:
        return say("models.quantized")
    return _PRECISIONS.get(size.dtype, size.dtype.lower())


def context_in_words(entry: ModelChoice, in_words: Callable[[int], str] = in_tokens) -> str:
    """Return its context window, or empty if unknown."""
    return in_words(entry.context_window) if entry.context_window else ""


def verdict_in_words(fit: Fit, in_words: Callable[[int], str] = in_tokens) -> str:
    """Return the context that fits in a format: `32,768`, with the number of GPUs if several; or that none fits."""
    if not fit.fits:
        return say("models.does_not_fit")
    tokens = in_words(fit.context_tokens)
    return say("models.on_several", tokens=tokens, count=len(fit.devices)) if len(fit.devices) > 1 else tokens


def in_short(tokens: int) -> str:
    """Format tokens in few characters, in units of 1,024 as usual for windows: `32k`."""
    return str(tokens) if tokens < 1024 else f"{tokens // 1024}k"
