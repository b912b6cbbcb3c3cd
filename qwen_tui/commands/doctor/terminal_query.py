"""What a terminal says of itself: asked with control sequences, and waited for no longer than a moment."""

import os
import re
import select
import termios
import time
import tty
from typing import NamedTuple

WAIT_SECONDS = 0.5
"""How long the terminal may take; over a slow line an answer can come late, and is then not known."""

SAMPLE = "中文"

_KITTY = re.compile(rb"\x1b\[\?(\d+)u")
_POSITION = re.compile(rb"\x1b\[\d+;(\d+)R")
_ATTRIBUTES = re.compile(rb"\x1b\[\?[\d;]*c")


class Answers(NamedTuple):
    """What came back."""

    has_kitty_keys: bool = False
    """Whether it knows the kitty keyboard protocol, which tells shift+enter from enter."""
    sample_cells: int | None = None
    """How many cells `SAMPLE` takes; None when it did not say."""


def open_terminal() -> int | None:
    """A descriptor of the terminal that this process belongs to, wherever its output goes; None without one.

    None too for a program in the background, which the terminal would stop for asking.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if os.tcgetpgrp(terminal) == os.getpgrp():
            return terminal
    except OSError:
        pass
    os.close(terminal)
    return None


def ask(terminal: int) -> Answers:
    """Ask the terminal at this descriptor. What it shows is as before; raises OSError and termios.error."""
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSAFLUSH)
        # In this order: every terminal answers the last, so that nothing is waited for that will not come.
        os.write(terminal, b"\r" + SAMPLE.encode() + b"\x1b[6n\r\x1b[K\x1b[?u\x1b[c")
        came = _until_answered(terminal)
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
    position = _POSITION.search(came)
    return Answers(
        has_kitty_keys=bool(_KITTY.search(came)),
        sample_cells=int(position[1]) - 1 if position else None,
    )


def _until_answered(descriptor: int) -> bytes:
    came = b""
    end = time.monotonic() + WAIT_SECONDS
    while (left := end - time.monotonic()) > 0 and not _ATTRIBUTES.search(came):
        if select.select([descriptor], [], [], left)[0]:
            piece = os.read(descriptor, 4096)
            if not piece:
                break
            came += piece
    return came
