"""Quit on a signal: restore the terminal and end the process within a second, whatever hangs.

Uses `signal.signal` handlers, not asyncio's: those wait for the event loop, which blocks while a terminal
accepts no output (after 30 queued writes Textual's main thread blocks). Everything important is on disk
already.
"""

import contextlib
import os
import signal
import termios
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Self

LEAVING_SIGNALS = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
"""SIGINT only comes from other processes: on the screen ctrl+c is a key."""

RESTORE = (
    b"\x1b\\\x1b[?2026l"  # end an unfinished string or synchronized frame
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse
    b"\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[?7h"  # bracketed paste, focus, size reports, line wrap
    b"\x1b[<u"  # the kitty keyboard protocol, which belongs to the alternate screen
    b"\x1b[23;2t"  # the title
    b"\x1b[0m\x1b[?1049l\x1b[?25h"  # colours, the alternate screen, the cursor
)
"""Switches off everything that Textual and `driver` switch on."""

PLAIN_KEYS = b"\x1b[>4;0m"
"""Switches off modifyOtherKeys; only inside tmux, where `driver` switches it on."""

WRITER_THREAD = "textual-output"
"""The Textual thread that writes to the terminal."""

RESTORE_SECONDS = 0.4
LEAVE_SECONDS = 0.6
LAST_SECONDS = 0.9
"""Time limits for the terminal, for `leave`, and for everything together."""


class Leaving:
    """A context in which these signals end the program; their previous handlers are restored afterwards."""

    def __init__(self, tty: int, leave: Callable[[], None]) -> None:
        self.is_shown: Callable[[], bool] = lambda: False
        """Whether the screen is on the terminal now and must be removed."""
        self._tty = tty
        self._leave = leave
        self._modes = termios.tcgetattr(0)
        self._before: dict[signal.Signals, signal.Handlers | int | Callable[..., object] | None] = {}

    def __enter__(self) -> Self:
        # Even where they are ignored (nohup): a screen without a terminal is useless.
        self._before = {number: signal.signal(number, self._leave_now) for number in LEAVING_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_shown():  # an exception such as SystemExit has ended the event loop
            restore(self._tty, self._modes)
        for number, handler in self._before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _leave_now(self, number: int, _: FrameType | None) -> None:
        for other in LEAVING_SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        start = time.monotonic()
        last = threading.Timer(LAST_SECONDS, os._exit, (128 + number,))
        last.daemon = True
        last.start()
        # On a thread, because this handler may have interrupted the main thread holding a lock that `leave`
        # needs.
        leaving = threading.Thread(target=self._leave, daemon=True)
        leaving.start()
        if self.is_shown():
            restore(self._tty, self._modes)
        leaving.join(max(0.0, start + LEAVE_SECONDS - time.monotonic()))
        os._exit(128 + number)


def restore(tty: int, modes: list[object]) -> None:
    """Remove the screen and restore the terminal's modes within `RESTORE_SECONDS`, whatever its state."""
    # In the background, setting modes would stop this process instead of letting it end.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with contextlib.suppress(OSError, termios.error):
        if os.tcgetpgrp(tty) == os.getpgrp():
            _write_at_once(tty, RESTORE + (PLAIN_KEYS if "TMUX" in os.environ else b""))
            termios.tcsetattr(tty, termios.TCSANOW, modes)  # type: ignore[arg-type]


def _write_at_once(tty: int, data: bytes) -> None:
    """Write even if the terminal has stopped reading, and prevent any output after it.

    Uses a second, non-blocking descriptor: making `tty` itself non-blocking would affect the shell's too.
    `tty` is redirected to /dev/null meanwhile, so that queued frames cannot follow. If the terminal's buffer
    is full, the blocked write is interrupted (it holds the line, and continues into /dev/null), and unread
    output is discarded.
    """
    descriptor = os.open(os.ttyname(tty), os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, tty)
    end = time.monotonic() + RESTORE_SECONDS
    while data and time.monotonic() < end:
        try:
            data = data[os.write(descriptor, data) :]
        except BlockingIOError:
            _interrupt(WRITER_THREAD)
            termios.tcflush(descriptor, termios.TCOFLUSH)
            time.sleep(0.01)
    os.dup2(descriptor, tty)


def _interrupt(name: str) -> None:
    """Interrupt the system call that blocks the thread with this name."""
    signal.signal(signal.SIGURG, lambda *_: None)  # SIGURG is ignored by default, and would not interrupt
    for thread in threading.enumerate():
        if thread.name == name and thread.ident is not None:
            signal.pthread_kill(thread.ident, signal.SIGURG)
