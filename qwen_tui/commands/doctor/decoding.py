"""The check of `qwen-tui doctor` on decoding: the model of the settings is loaded, and says how it is decoded."""

import threading
from collections.abc import Callable, Iterator

from qwen_tui.commands.doctor.check import Check
from qwen_tui.commands.progress import LoadLines
from qwen_tui.engine.base import DECODE_PATHS, Engine, ModelSpec
from qwen_tui.engine.library_check import Part
from qwen_tui.engine.models.choices import named
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.models.recent_models import recent_models
from qwen_tui.engine.opening import open_engine
from qwen_tui.engine.slowed import slowed
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.wording.decoding import path_in_words

Open = Callable[[ModelSpec], Engine]
"""Loads a model. Raises QwenTuiError."""


def opening(settings: Settings, where: Places) -> Open:
    """Return what loads a model as `qwen-tui ask` does, with its progress on standard error."""
    quantized = QuantizedCache(where.quantized, settings.quantized_cache_bytes)
    return lambda spec: open_engine(
        spec,
        where.log_file,
        LoadLines(),
        threading.Event(),
        quantized=quantized,
        used=recent_models(where.models),
    )


def decoding_checks(libraries: Part, *, has_gpu: bool, spec: ModelSpec, load: Open) -> Iterator[Check]:
    """Say how the model of the settings is decoded; takes as long as loading it.

    Without a GPU there is only one way, and a model that would have to be downloaded is not loaded: the line then
    says what the `libraries` can do.
    """
    is_here = spec.server is None and (spec.model is None or not named(spec.model).is_to_be_downloaded)
    if not has_gpu or not is_here:
        yield _untried(libraries)
        return
    try:
        engine = load(spec)
    except QwenTuiError as error:
        yield Check("decoding", "note", error.explanation.sentence, error.explanation.hint)
        return
    info = engine.info
    engine.close()
    said = say(
        "doctor.decoding.model", name=info.name, device=info.device, path=path_in_words(info.decode_path)
    )
    reason = slowed(info)
    yield Check.noted("decoding", said, say(reason.code, **dict(reason.parameters)) if reason else "")


def _untried(libraries: Part) -> Check:
    if libraries.ok and libraries.said in DECODE_PATHS:
        return Check("decoding", "ok", path_in_words(libraries.said))
    return Check("decoding", "note", libraries.said, say("doctor.decoding.slower"))
