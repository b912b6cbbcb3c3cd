"""`qwen-tui import`: import other programs' conversations from files or standard input."""

import sys
from pathlib import Path

from qwen_tui.chat.exchange.reading import read, read_file
from qwen_tui.chat.files import shown
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.output import FAILED, print_lines, tell
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say


def import_files(store: ConversationStore, files: list[str]) -> int:
    """Import every readable file; print the names of the new conversations, and report what was left out."""
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
        imported = read_file(Path(file))
    try:
        for entry in store.add(imported.conversations):
            print_lines([entry.name])
    finally:
        tell("import", *(f"{name}: {note}" for note in imported.notes))
