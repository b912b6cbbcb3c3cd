"""What is asked before a model is downloaded or deleted: a second press of the key is the answer.

And what is said once it is deleted.
"""

from collections.abc import Sequence

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.base import Quantization
from qwen_tui.engine.host import Asleep, EngineState, Opening, Ready
from qwen_tui.engine.models.choices import GUIDE, ModelChoice
from qwen_tui.engine.models.deletion import delete, is_from, repository_of
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.wording.cell_width import displayed
from qwen_tui.wording.units import in_bytes


def before_download(
    entry: ModelChoice, devices: Sequence[Device], form: Quantization, settings: Settings, key: str
) -> str:
    """Return the question before a download; it warns if the model will not fit."""
    try:
        entry.plan(devices, form, settings.device, settings.dtype)
    except QwenTuiError as error:
        return say("models.confirm_in_vain", problem=error.explanation.title, key=key)
    if entry.download_bytes is None:
        return say("models.confirm_unknown", key=key)
    return say("models.confirm", size=in_bytes(entry.download_bytes), key=key)


def before_deleting(entry: ModelChoice, state: EngineState | None, key: str) -> str:
    """Return the question before a model is deleted. Raises QwenTuiError if it cannot be."""
    repository = repository_of(entry)
    name = displayed(one_line(entry.model))
    if any(is_from(repository, used) or used == entry.name for used in _in_use(state)):
        raise QwenTuiError("models.in_use", name=name)
    size = in_bytes(entry.local.disk_bytes) if entry.local is not None else ""
    return say("models.confirm_delete", name=name, size=size, path=one_line(str(repository), 200), key=key)


def _in_use(state: EngineState | None) -> tuple[str, ...]:
    """Return the names by which the model in use, or on its way, is known."""
    match state:
        case Opening(progress):
            return (progress.name,)
        case Ready(engine, spec) | Asleep(engine, spec) if not engine.info.server:
            return (engine.info.model, spec.model or GUIDE)
    return ()


def deleted(entry: ModelChoice, quantized: QuantizedCache) -> tuple[str, bool]:
    """Delete a model, which takes a while; return what to say, and whether it is a problem."""
    try:
        return say("models.deleted", size=in_bytes(delete(repository_of(entry), quantized))), False
    except QwenTuiError as error:
        return str(error), True
