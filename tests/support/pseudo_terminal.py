"""The program on a pseudo-terminal, and what it has drawn: for end-to-end tests and for the screenshots."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pyte
from forked_popen import take_terminal
from waiting import HANGS

UNKNOWN_TO_PYTE = re.compile(rb"\x1b\[[<>=][0-9;]*[a-zA-Z]")
"""Sequences that pyte would draw: keyboard protocols and private queries."""

SWITCHES = (
    (b"\x1b[?1049h", b"\x1b[?1049l"),
    (b"\x1b[?25l", b"\x1b[?25h"),
    (b"\x1b[?1003h", b"\x1b[?1003l"),
    (b"\x1b[?2004h", b"\x1b[?2004l"),
    (b"\x1b[?7l", b"\x1b[?7h"),
    (b"\x1b[?2026h", b"\x1b[?2026l"),
    (b"\x1b[>1u", b"\x1b[<u"),
)
"""What a full screen switches on, and off again: the alternate screen, no cursor, the mouse, pastes, keys."""


def left_on(raw: bytes | bytearray) -> list[bytes]:
    """What these bytes have switched on in a terminal and not off again."""
    return [on for on, off in SWITCHES if raw.rfind(on) > raw.rfind(off)]


class Terminal:
    """The program on a pseudo-terminal, and what it has drawn."""

    def __init__(
        self, columns: int, rows: int, arguments: list[str], data: Path, command: list[str] | None = None
    ) -> None:
        """`command` runs something else than `python -m qwen_tui`, without its arguments."""
        self.screen = pyte.Screen(columns, rows)
        self.raw = bytearray()
        """Every byte that came out of the program."""
        self._stream = pyte.ByteStream(self.screen)
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._modes = termios.tcgetattr(slave)
        self._name = os.ttyname(slave)
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "HF_HUB_OFFLINE": "1",
        }
        environment.pop("TMUX", None)
        if command is None:
            command = [sys.executable, "-m", "qwen_tui", "--data-dir", str(data)]
            command += ["--config", str(data / "config.toml"), *arguments]
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=take_terminal,
            env=environment,
        )
        os.close(slave)

    def until(self, shows: str | Callable[[str], bool], seconds: float = HANGS) -> None:
        """Read what the program draws until its screen shows this."""
        is_met = (lambda text: shows in text) if isinstance(shows, str) else shows
        end = time.monotonic() + seconds
        while not is_met(self.text()):
            if time.monotonic() > end:
                raise TimeoutError(f"never saw {shows!r}; the screen was:\n{self.text()}")
            self._read(0.05)

    def settle(self, seconds: float = 0.4) -> None:
        """Read on until nothing has been drawn for a while."""
        while self._read(seconds):
            pass

    def type(self, keys: str) -> None:
        """Type these keys, as the terminal sends them."""
        for key in re.findall(r"\x1b[O\[][0-9;]*[A-Za-z~]|.", keys, re.DOTALL):
            os.write(self._master, key.encode())
            self._read(0.02)

    def paste(self, text: str) -> None:
        """Paste this text in one go."""
        os.write(self._master, f"\x1b[200~{text}\x1b[201~".encode())
        self._read(0.02)

    def text(self) -> str:
        """The screen as lines of text. (pyte's own `display` fails where half a wide character was overwritten.)"""
        rows = range(self.screen.lines)
        return "\n".join(
            "".join(self.screen.buffer[y][x].data for x in range(self.screen.columns)) for y in rows
        )

    def wait(self, seconds: float = HANGS) -> int:
        """Read on until the program has ended; its exit status."""
        end = time.monotonic() + seconds
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise TimeoutError(f"still running; the screen was:\n{self.text()}")
            self._read(0.02)
        while self._read(0.02):
            pass
        return self.process.returncode

    def assert_as_before(self) -> None:
        """The terminal is as the program found it: its modes, the main screen, a cursor, no mouse."""
        assert termios.tcgetattr(self._master) == self._modes
        assert left_on(self.raw) == []

    def close(self) -> None:
        """End the program if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    def stall(self, seconds: float = HANGS) -> None:
        """Read nothing, and type until the terminal takes no more of what the program writes."""
        end = time.monotonic() + seconds
        slave = os.open(self._name, os.O_WRONLY | os.O_NOCTTY)
        while select.select([], [slave], [], 0)[1]:
            if time.monotonic() > end:
                raise TimeoutError("the terminal still takes what is written")
            os.write(self._master, b"\x1b[5~\x1b[6~")  # page up, page down
            time.sleep(0.05)
        os.write(self._master, b"x" * 100)  # each is a frame; a few dozen wait, then the program itself does
        os.close(slave)

    def hang_up(self) -> None:
        """Close the terminal's side, as a lost connection does."""
        os.close(self._master)
        self._master = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], seconds)
        if not ready:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # the program has gone and closed its side
            return False
        self.raw += data
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data))
        return bool(data)
