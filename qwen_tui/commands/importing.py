"""`qwen-tui import`: conversations of other programs, from files or the standard input."""

import sys
from typing import BinaryIO

from qwen_tui.chat.exchange.reading import read
from qwen_tui.chat.files import shown, why
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.output import FAILED, print_lines, tell
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say


def import_files(store: ConversationStore, files: list[str]) -> int:
    """Import each file, print the names of the new conversations, tell what was left out.

    A file that cannot be imported does not keep the next one from being.
    """
    failed = False
    for file in files:
        try:
            _import(store, file)
        except QwenTuiError as error:
            tell("import", error)
            failed = True
    return FAILED if failed else 0


def _import(store: ConversationStore, file: str) -> None:
    if file == "-":
        name = say("cli.stdin")
        imported = read(sys.stdin.buffer, name)
    else:
        name = shown(file)
        with _open(file) as opened:
            imported = read(opened, name)
    done = 0
    try:
        for entry in store.add(imported.conversations):
            print_lines([entry.name])
            done += 1
    except QwenTuiError as error:
        count = len(imported.conversations)
        raise QwenTuiError(
            "exchange.stopped", done=done, count=count, error=error.explanation.sentence
        ) from error
    finally:
        tell("import", *(f"{name}: {note}" for note in imported.notes))


def _open(file: str) -> BinaryIO:
    try:
        return open(file, "rb")
    except (OSError, ValueError) as error:
        detail = why(error) if isinstance(error, OSError) else str(error)
        raise QwenTuiError("exchange.not_read", path=shown(file), detail=detail) from error
