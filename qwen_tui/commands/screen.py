"""`qwen-tui` without a command: the full screen; and `learn`, which begins a lesson on it."""

import logging
import sys
from typing import TYPE_CHECKING

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.arguments import USAGE_ERROR, Arguments
from qwen_tui.engine.base import Engine, MakeRoom, ModelSpec, ReportProgress, StopFlag
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.models.recent_models import note_use, recent_models
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.session.library import Library
from qwen_tui.settings.config_file import Config
from qwen_tui.ui.terminal import launch as terminal

if TYPE_CHECKING:  # Textual must not be imported before `terminal.run` has prepared for it
    from qwen_tui.ui.app import QwenTuiApp


def run(given: Arguments, config: Config, where: Places) -> int:
    """Show the screen until the person quits; return the exit status."""
    try:
        terminal.check_tty()
    except QwenTuiError as error:
        print(f"qwen-tui: {error}", file=sys.stderr)
        return USAGE_ERROR

    def open_logged(spec: ModelSpec, report: ReportProgress, stop: StopFlag, make_room: MakeRoom) -> Engine:
        from qwen_tui.engine.opening import open_engine  # the first frame does not need it

        settings = apps[-1].settings  # the current settings, not those at the start
        quantized = QuantizedCache(where.quantized, settings.quantized_cache_bytes)
        engine = open_engine(
            spec,
            where.log_file,
            report,
            stop,
            quantized=quantized,
            make_room=make_room,
            used=recent_models(where.models),
        )
        note_use(where.models, engine.info)
        return engine

    apps: list[QwenTuiApp] = []

    def make_app() -> "QwenTuiApp":
        from qwen_tui.ui.app import QwenTuiApp  # see TYPE_CHECKING above

        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
        drafts = Drafts(where.drafts)
        library = Library(ConversationStore(where.conversations, drafts))
        used = next(iter(library.recent(1)), None) if given.last else None
        name = used.name if used is not None else given.conversation
        lesson = getattr(given, "lesson", None) or ""
        apps.append(QwenTuiApp(config, where, library, drafts, open_logged, name, lesson))
        return apps[-1]

    def leave() -> None:
        for app in apps:
            app.close_engine()

    try:
        return terminal.run(make_app, where.log_file, leave)
    finally:
        leave()
