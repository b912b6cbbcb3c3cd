"""What is said of a model that could be chosen, in a few words each: for the table and for the screen."""

from collections.abc import Callable

from qwen_tui.engine.models.choices import ModelChoice
from qwen_tui.engine.models.fit import Fit
from qwen_tui.strings import say
from qwen_tui.wording.units import in_bytes, in_tokens

_PRECISIONS = {"BF16": "bf16", "F16": "fp16", "F32": "fp32", "F8_E4M3": "fp8", "U8": "4bit", "I8": "8bit"}


def disk_in_words(entry: ModelChoice) -> str:
    """What it takes on the disk, or would: `15.2 GB`, `↓ 15.2 GB`."""
    if entry.local is not None:
        return in_bytes(entry.local.disk_bytes)
    return say("models.download", size=in_bytes(entry.download_bytes)) if entry.download_bytes else ""


def dtype_in_words(entry: ModelChoice) -> str:
    """In which precision its file is."""
    size = entry.size
    if size is None:
        return ""
    if size.packed_bytes:
        return say("models.quantized")
    return _PRECISIONS.get(size.dtype, size.dtype.lower())


def context_in_words(entry: ModelChoice, in_words: Callable[[int], str] = in_tokens) -> str:
    """Its context window."""
    return in_words(entry.context_window) if entry.context_window else ""


def verdict_in_words(fit: Fit, in_words: Callable[[int], str] = in_tokens) -> str:
    """How much context fits in a form: `32,768`, or that it does not fit; with the number of GPUs from two on."""
    if not fit.fits:
        return say("models.does_not_fit")
    tokens = in_words(fit.context_tokens)
    return say("models.on_several", tokens=tokens, count=len(fit.devices)) if len(fit.devices) > 1 else tokens


def in_short(tokens: int) -> str:
    """Tokens in the few characters that a list has, in units of 1,024 as windows are called: `32k`."""
    return str(tokens) if tokens < 1024 else f"{tokens // 1024}k"
