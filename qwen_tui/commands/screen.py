"""`qwen-tui` without a command: the full screen; and `learn`, which begins a lesson on it."""

import logging
import sys
from typing import TYPE_CHECKING

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.arguments import USAGE_ERROR, Arguments
from qwen_tui.commands.beginning import first_name, loader
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

    apps: list[QwenTuiApp] = []
    load = loader(where, lambda: apps[-1].settings)  # the current settings, not those at the start

    def make_app() -> "QwenTuiApp":
        from qwen_tui.ui.app import QwenTuiApp  # see TYPE_CHECKING above

        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
        drafts = Drafts(where.drafts)
        library = Library(ConversationStore(where.conversations, drafts))
        name = first_name(given, library)
        lesson = getattr(given, "lesson", None) or ""
        apps.append(QwenTuiApp(config, where, library, drafts, load, name, lesson))
        return apps[-1]

    def leave() -> None:
        for app in apps:
            app.close_engine()

    try:
        return terminal.run(make_app, where.log_file, leave)
    finally:
        leave()
