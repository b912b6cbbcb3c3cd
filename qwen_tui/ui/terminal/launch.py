"""Prepare the terminal before Textual is imported, and restore it at the very end.

Textual reads its environment while it is imported, writes to whatever file descriptor 2 is, and restores the
terminal only if it ends normally. This module therefore imports no Textual at the top: `run` first prepares
the environment and the descriptors, and the factory it calls imports the screen.
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
    # One page of scrolling is then one frame of 16 KB instead of forty frames and 440 KB.
    "TEXTUAL_ANIMATIONS": "none",
    # Smooth scrolling needs mouse positions in pixels, which flood a slow line and are wrong in some
    # terminals.
    "TEXTUAL_SMOOTH_SCROLL": "0",
    # Milliseconds to wait for the rest of an escape sequence; short, because esc stops a reply.
    "ESCDELAY": "50",
}

MOST_LOG_BYTES = 5_000_000
"""Size at which the log file is renamed to `.old` before it is written to."""


def check_tty() -> None:
    """Raise `QwenTuiError` unless standard input and output are terminals that can draw a screen.

    Textual would start anyway.
    """
    if not (_is_terminal(sys.__stdin__) and _is_terminal(sys.__stdout__)):
        raise QwenTuiError("cli.no_tty")
    if os.environ.get("TERM") == "dumb":
        raise QwenTuiError("cli.dumb_terminal")


def run(make_app: Callable[[], Any], log_file: Path, leave: Callable[[], None]) -> int:
    """Show the app until it ends; return its exit status.

    `make_app` imports and builds a Textual App; Textual must not have been imported before. Output of native
    code, libraries and the app goes to `log_file`. On SIGHUP, SIGTERM and SIGINT, `leave` is called on a
    separate thread and given a moment; then the process exits with 128 + the signal number, with the terminal
    restored.
    """
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    with _terminal_apart(log_file) as tty, Leaving(tty, leave) as leaving:
        from qwen_tui.ui.textual_patches.driver import ChatDriver  # imports Textual

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
    except (AttributeError, OSError, ValueError):  # closed or missing
        return False


@contextmanager
def _terminal_apart(log_file: Path) -> Iterator[int]:
    """Give Textual its own descriptor for the terminal, and redirect 1 and 2 to the log file meanwhile.

    Otherwise one line from CUDA or a C library would tear the screen, and `2>file` would leave it blank. The
    text layer is UTF-8 whatever the locale: in a C locale Textual would write \\uXXXX for Chinese.
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
    # Textual gets the terminal's size from the first and writes to the second.
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
    """Open the log file for appending, readable by the owner only; /dev/null if it cannot be written."""
    try:
        make_folder(path.parent)
        if path.exists() and path.stat().st_size > MOST_LOG_BYTES:
            path.replace(path.with_name(f"{path.name}.old"))
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError:
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
