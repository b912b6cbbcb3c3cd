"""Edit a message in the person's own editor."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from textual.app import App

from qwen_tui.chat.cleaning import clean
from qwen_tui.errors import QwenTuiError

USUAL = ("nano", "vi")
"""Editors to try if neither VISUAL nor EDITOR is set."""


def edit(app: App[object], text: str) -> str:
    """Suspend the app and let the person edit a text in their editor; return the text, cleaned.

    Raises `QwenTuiError` if there is no editor or it fails.
    """
    command = _command()
    try:
        with tempfile.TemporaryDirectory(prefix="qwen-tui-") as folder:
            path = Path(folder, "message.md")
            path.write_text(text, encoding="utf-8")
            with app.suspend(), _keys_for_the_editor():
                # Descriptors 1 and 2 lead to the log file; Textual writes to the terminal here.
                terminal = sys.__stderr__
                status = subprocess.run(
                    [*command, path], stdin=sys.__stdin__, stdout=terminal, stderr=terminal
                ).returncode
            if status:
                raise QwenTuiError("composer.editor_failed", command=command[0], status=status)
            return clean(path.read_bytes().decode("utf-8", errors="replace")).removesuffix("\n")
    except OSError as error:
        raise QwenTuiError("composer.editor_file", detail=error.strerror or str(error)) from error


def _command() -> list[str]:
    wanted = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not wanted:
        wanted = next((name for name in USUAL if shutil.which(name)), USUAL[0])
    try:
        command = shlex.split(wanted)
    except ValueError:  # an unclosed quote
        command = []
    if not command or shutil.which(command[0]) is None:
        raise QwenTuiError("composer.no_editor", command=wanted)
    return command


@contextmanager
def _keys_for_the_editor() -> Iterator[None]:
    """Keep ctrl+c and ctrl+\\ in the editor, which also reach this process, from ending it.

    Uses a handler that does nothing instead of SIG_IGN, which the editor would inherit.
    """
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGQUIT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
