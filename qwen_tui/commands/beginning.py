"""What the screen and the line mode start with: the first conversation, and how a model is loaded."""

from collections.abc import Callable

from qwen_tui.commands.arguments import Arguments
from qwen_tui.engine.base import Engine, MakeRoom, ModelSpec, ReportProgress, StopFlag
from qwen_tui.engine.host import OpenEngine
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.models.recent_models import note_use, recent_models
from qwen_tui.paths import Places
from qwen_tui.session.library import Library
from qwen_tui.settings.options import Settings


def loader(where: Places, settings: Callable[[], Settings]) -> OpenEngine:
    """Return the function for `EngineHost`; `settings` returns the settings at the time of loading."""

    def load(spec: ModelSpec, report: ReportProgress, stop: StopFlag, make_room: MakeRoom) -> Engine:
        from qwen_tui.engine.opening import open_engine  # the first frame does not need it

        engine = open_engine(
            spec,
            where.log_file,
            report,
            stop,
            quantized=QuantizedCache(where.quantized, settings().quantized_cache_bytes),
            make_room=make_room,
            used=recent_models(where.models),
        )
        note_use(where.models, engine.info)
        return engine

    return load


def first_name(given: Arguments, library: Library) -> str | None:
    """Return the name of the conversation that the command line asks for; None for a new one."""
    used = next(iter(library.recent(1)), None) if given.last else None
    return used.name if used is not None else given.conversation
