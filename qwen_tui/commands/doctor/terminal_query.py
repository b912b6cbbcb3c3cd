"""Query the terminal with control sequences, with a short timeout."""

import os
import re
import select
import termios
import time
import tty
from typing import NamedTuple

WAIT_SECONDS = 0.5
"""Timeout for the answers; over a slow line they can come too late and count as unknown."""

SAMPLE = "中文"

_KITTY = re.compile(rb"\x1b\[\?(\d+)u")
_POSITION = re.compile(rb"\x1b\[\d+;(\d+)R")
_ATTRIBUTES = re.compile(rb"\x1b\[\?[\d;]*c")


class Answers(NamedTuple):
    """The answers of the terminal."""

    has_kitty_keys: bool = False
    """Whether it supports the kitty keyboard protocol, which distinguishes shift+enter from enter."""
    sample_cells: int | None = None
    """The width of `SAMPLE` in cells; None if it did not answer."""


def open_terminal() -> int | None:
    """Open the controlling terminal of this process, wherever its output goes; None if there is none.

    Also None in the background, where querying the terminal would stop the process.
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
    """Query the terminal at this descriptor, restoring its display. Raises OSError and termios.error."""
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSAFLUSH)
        # Every terminal answers the last query, so there is no waiting for unsupported ones before it.
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
