"""Leaving on a signal: the terminal as it was, the process gone within a second, whatever hangs.

`signal.signal` handlers, not asyncio's: those wait for the event loop, which stands still while a terminal takes
no output (30 queued writes, then Textual's main thread blocks). What must be on the disk is there already.
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
"""SIGINT comes from outside only: in the screen ctrl+c is a key."""

RESTORE = (
    b"\x1b\\\x1b[?2026l"  # end a string or a held frame that was cut short
    b"\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l"  # mouse
    b"\x1b[?2004l\x1b[?1004l\x1b[?2048l\x1b[?7h"  # bracketed paste, focus, size reports, line wrap
    b"\x1b[<u"  # the kitty keyboard protocol, which belongs to the alternate screen
    b"\x1b[0m\x1b[?1049l\x1b[?25h"  # colours, the alternate screen, the cursor
)
"""Everything that Textual and `driver` switch on, switched off."""

PLAIN_KEYS = b"\x1b[>4;0m"
"""modifyOtherKeys off: only inside tmux, where `driver` switched it on."""

WRITER_THREAD = "textual-output"
"""The thread of Textual that writes to the terminal."""

RESTORE_SECONDS = 0.4
LEAVE_SECONDS = 0.6
LAST_SECONDS = 0.9
"""How long the terminal, then `leave`, then all of it together may take."""


class Leaving:
    """While it is entered, these signals end the program; afterwards they do what they did before."""

    def __init__(self, tty: int, leave: Callable[[], None]) -> None:
        self.is_shown: Callable[[], bool] = lambda: False
        """Whether the screen is on the terminal now, and so has to be taken off."""
        self._tty = tty
        self._leave = leave
        self._modes = termios.tcgetattr(0)
        self._before: dict[signal.Signals, signal.Handlers | int | Callable[..., object] | None] = {}

    def __enter__(self) -> Self:
        # Also where they are ignored (nohup): a screen without a terminal has nothing to live for.
        self._before = {number: signal.signal(number, self._leave_now) for number in LEAVING_SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        if self.is_shown():  # something has torn the app out of its event loop, SystemExit for one
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
        # On a thread: this handler may have interrupted the main thread in the middle of a lock that it needs.
        leaving = threading.Thread(target=self._leave, daemon=True)
        leaving.start()
        if self.is_shown():
            restore(self._tty, self._modes)
        leaving.join(max(0.0, start + LEAVE_SECONDS - time.monotonic()))
        os._exit(128 + number)


def restore(tty: int, modes: list[object]) -> None:
    """Take the screen off the terminal and set its modes, within `RESTORE_SECONDS`, whatever state it is in."""
    # Setting modes from the background would stop this process instead of letting it end.
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    with contextlib.suppress(OSError, termios.error):
        if os.tcgetpgrp(tty) == os.getpgrp():
            _write_at_once(tty, RESTORE + (PLAIN_KEYS if "TMUX" in os.environ else b""))
            termios.tcsetattr(tty, termios.TCSANOW, modes)  # type: ignore[arg-type]


def _write_at_once(tty: int, data: bytes) -> None:
    """Write although the terminal may have stopped reading, and let nothing come after it.

    The way is a second, non-blocking descriptor: to make `tty` itself non-blocking would do so to the shell's
    too. From here on `tty` leads nowhere, so that frames still queued cannot follow. Where the terminal is full,
    a write that waits there is interrupted (it holds the line, and goes on into nowhere), and what has not been
    read yet is dropped.
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
    """Make the system call end that the thread of this name waits in."""
    signal.signal(signal.SIGURG, lambda *_: None)  # ignored otherwise, and so without effect
    for thread in threading.enumerate():
        if thread.name == name and thread.ident is not None:
            signal.pthread_kill(thread.ident, signal.SIGURG)
