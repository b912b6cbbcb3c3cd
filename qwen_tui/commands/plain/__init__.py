"""`qwen-tui --plain`: the same chat line by line, for screen readers, simple terminals and pipes. No Textual."""

import logging
import signal
from contextlib import suppress
from types import FrameType

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.files import make_folder
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.arguments import Arguments
from qwen_tui.commands.beginning import first_name, loader
from qwen_tui.commands.output import FAILED, STOPPED, guarded
from qwen_tui.commands.plain.chat import PlainChat
from qwen_tui.commands.plain.commands import COMMANDS, obey
from qwen_tui.commands.plain.lines import Lines
from qwen_tui.engine.host import OpenEngine
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.settings.config_file import Config
from qwen_tui.strings import say

ENDING = (signal.SIGTERM, signal.SIGHUP)


def run(given: Arguments, config: Config, where: Places) -> int:
    """Chat until the person leaves or the input ends; return the exit status.

    0 left, 1 failed (in a pipe also if a message was not answered), 128 + the number of a signal.
    In a pipe, Ctrl+C ends it all with 130.
    """
    _log_to(where)
    return guarded("--plain", lambda: chat_in_lines(given, config, where, None))


def chat_in_lines(given: Arguments, config: Config, where: Places, load: OpenEngine | None) -> int:
    """Chat as `run` does, with a model that `load` opens, or the one of the settings."""
    lines = Lines([command.name for command in COMMANDS])
    lines.note(*config.problems)
    drafts = Drafts(where.drafts)
    chat = PlainChat(ConversationStore(where.conversations, drafts), drafts, where, config.settings, lines)
    typed = ""
    is_stopped = is_at_prompt = False

    def interrupt(number: int, frame: FrameType | None) -> None:
        nonlocal is_stopped
        if not chat.stop():
            raise KeyboardInterrupt
        if not lines.is_typed:  # nobody is there to go on
            is_stopped = chat.is_left = True

    def end(number: int, frame: FrameType | None) -> None:
        nonlocal typed, is_at_prompt
        typed = lines.typed_now()
        is_at_prompt = lines.is_reading
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in ENDING}
    before[signal.SIGINT] = signal.signal(signal.SIGINT, interrupt)
    try:
        chat.start(load or loader(where, lambda: chat.settings))
        if lines.is_typed:
            lines.note(say("plain.welcome"))
        chat.begin(first_name(given, chat.library))
        converse(chat)
    finally:
        for number in before:
            signal.signal(number, signal.SIG_IGN)  # from here on it ends anyway
        error = chat.close(typed)
        if is_at_prompt:
            lines.leave_prompt()
        for number, handler in before.items():
            signal.signal(number, handler)
        if error is not None:
            lines.note(error)
    if is_stopped:
        return STOPPED
    return FAILED if error is not None or (chat.has_failed and not lines.is_typed) else 0


def converse(chat: PlainChat) -> None:
    """Read lines and obey them until the person leaves or the input ends."""
    has_warned = False
    while True:
        try:
            line = chat.lines.read(text=chat.unsent)
            chat.entered()
            obey(chat, line)
        except EOFError:
            chat.lines.leave_prompt()
            chat.is_left = True
        except KeyboardInterrupt:  # discards the line
            if not chat.lines.is_typed:
                raise
            chat.lines.leave_prompt()
            chat.entered()
        except QwenTuiError as error:
            chat.has_failed = True
            chat.lines.note(error)
        if not chat.is_left:
            continue
        if not chat.lines.is_typed or has_warned or chat.library.save_changes() is None:
            return
        has_warned = True
        chat.is_left = False
        chat.lines.note(QwenTuiError("screen.not_saved"))


def _log_to(where: Places) -> None:
    """Write what goes wrong unseen to the log file; without one, nowhere."""
    handler: logging.Handler = logging.NullHandler()
    with suppress(OSError, QwenTuiError):
        make_folder(where.log_file.parent)
        handler = logging.FileHandler(where.log_file, encoding="utf-8", errors="backslashreplace")
    logging.basicConfig(handlers=[handler], level=logging.INFO, format="%(asctime)s %(name)s: %(message)s")
