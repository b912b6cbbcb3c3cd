"""What stands between the program and its terminal, from before Textual is imported until the very end.

Textual reads its environment while it is imported, writes to whatever file descriptor 2 is, and leaves the
terminal as it was only when it ends by itself. So this module imports no Textual at the top: `run` prepares the
environment and the descriptors first, and lets the screen be imported by the factory that it calls.
"""

import os
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from qwen_tui.chat.files import make_folder
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say
from qwen_tui.ui.terminal.signals import Leaving

ENVIRONMENT = {
    # A page of scrolling is one frame of 16 KB instead of forty frames and 440 KB.
    "TEXTUAL_ANIMATIONS": "none",
    # Smooth scrolling wants mouse positions in pixels: they flood a thin line, and some terminals err in them.
    "TEXTUAL_SMOOTH_SCROLL": "0",
    # Milliseconds to wait for the rest of an escape sequence: esc stops a reply, so it must not feel slow.
    "ESCDELAY": "50",
}

MOST_LOG_BYTES = 5_000_000
"""A log file larger than this is put aside under `.old` before it is written on."""


def check_tty() -> None:
    """Raise `QwenTuiError` unless a person sits at the other end; Textual itself would start anyway."""
    if not (_is_terminal(sys.__stdin__) and _is_terminal(sys.__stdout__)):
        raise QwenTuiError("cli.no_tty")


def run(make_app: Callable[[], Any], log_file: Path, leave: Callable[[], None]) -> int:
    """Show the app until it ends; returns its exit status.

    `make_app` imports and builds a Textual App: nothing may have imported Textual before. What native code,
    libraries and the app print goes to `log_file`. On SIGHUP, SIGTERM and SIGINT `leave` is called on a thread
    of its own, and given a moment; then the process is gone, with 128 + the signal's number and the terminal as
    it was.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with _terminal_apart(log_file) as tty, Leaving(tty, leave) as leaving:
        from qwen_tui.ui.textual_patches.driver import ChatDriver  # late: it imports Textual

        leaving.is_shown = lambda: ChatDriver.is_shown
        app = make_app()
        app.driver_class = ChatDriver
        app.run()
    status: int = app.return_code or 0
    if status:
        print(f"qwen-tui: {say('terminal.crashed', path=log_file)}", file=sys.stderr)
    return status


def _is_terminal(stream: object) -> bool:
    try:
        return os.isatty(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):  # closed, or none at all
        return False


@contextmanager
def _terminal_apart(log_file: Path) -> Iterator[int]:
    """Give Textual a descriptor of its own for the terminal, and let 1 and 2 lead to the log file meanwhile.

    Otherwise one line from CUDA or a C library tears the screen, and `2>file` leaves it blank. The text layer is
    UTF-8 whatever the locale says: Textual would write \\uXXXX for Chinese in a C locale.
    """
    tty = os.dup(1)
    before = os.dup(1), os.dup(2)
    modes = termios.tcgetattr(0)
    streams = sys.__stdout__, sys.__stderr__, sys.stdout, sys.stderr
    screen = open(tty, "w", encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115 - closed below
    log = _open_log(log_file)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    for stream in streams[2:]:
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    # Textual asks the first for the size of the terminal and writes to the second.
    sys.__stdout__, sys.__stderr__ = screen, screen  # type: ignore[misc]
    try:
        yield tty
    finally:
        for stream in (screen, *streams[2:]):
            with suppress(OSError, ValueError):
                stream.flush()
        sys.__stdout__, sys.__stderr__ = streams[:2]  # type: ignore[misc]
        for number, descriptor in zip((1, 2), before, strict=True):
            os.dup2(descriptor, number)
            os.close(descriptor)
        with suppress(termios.error):
            termios.tcsetattr(0, termios.TCSADRAIN, modes)
        os.close(tty)


def _open_log(path: Path) -> int:
    """A descriptor that appends to the log file, for its owner's eyes only; nowhere when it cannot be written."""
    try:
        make_folder(path.parent)
        if path.exists() and path.stat().st_size > MOST_LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.old"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
