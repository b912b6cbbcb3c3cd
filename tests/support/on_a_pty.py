"""The little app on a pseudo-terminal that behaves as a terminal does."""

import ast
import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

import pyte
from pseudo_terminal import UNKNOWN_TO_PYTE, left_on
from waiting import HANGS, wait_for

ROOT = Path(__file__).parents[2]
QUERIES = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[?2048$p": b"\x1b[?2048;0$y"}


class LittleApp:
    """`little_app.py` with a pty as its controlling terminal; `answers` says whether that answers queries."""

    def __init__(
        self,
        folder: Path,
        mode: str = "",
        *,
        answers: bool = True,
        controlling: bool = True,
        **environment: str,
    ) -> None:
        self.log = folder / "log folder" / "log"
        self.raw = bytearray()
        self.screen = pyte.Screen(80, 24)
        self._stream = pyte.ByteStream(self.screen)
        self._answers = answers
        self._status: int | None = None
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.modes = termios.tcgetattr(self.master)
        self.name = os.ttyname(slave)
        self.log.parent.mkdir(mode=0o700, exist_ok=True)
        self.pid = os.fork()
        if self.pid == 0:
            os.setsid()
            os.close(self.master)
            if controlling:
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for number in range(3):
                os.dup2(slave, number)
            path = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
            base = {k: v for k, v in os.environ.items() if k not in ("TMUX", "VISUAL", "EDITOR")}
            wanted = base | {"TERM": "xterm-256color", "PYTHONPATH": path} | environment
            app = str(Path(__file__).with_name("little_app.py"))
            os.execvpe(sys.executable, [sys.executable, app, str(self.log), mode], wanted)
        os.close(slave)

    def __enter__(self) -> Self:
        self.until(lambda: "mounted" in self.events)
        self.until(lambda: "╰" in self.text())
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
        if self.master >= 0:
            os.close(self.master)

    @property
    def events(self) -> list[str]:
        """What the app has written down."""
        try:
            lines = (self.log.parent / "events").read_bytes().decode("utf-8", "replace").split("\n")
        except FileNotFoundError:
            return []
        return [ast.literal_eval(line) for line in lines[:-1]]

    @property
    def sent(self) -> list[str]:
        """The messages that were sent."""
        return [event.removeprefix("sent ") for event in self.events if event.startswith("sent ")]

    @property
    def draft(self) -> str:
        """What stood in the composer last."""
        return next((e.removeprefix("draft ") for e in reversed(self.events) if e.startswith("draft")), "")

    def text(self) -> str:
        """The screen as lines of text."""
        return "\n".join(self.screen.display)

    def write(self, data: bytes) -> None:
        """Send these bytes in one go, reading meanwhile as a terminal does."""
        while data:
            _, ready, _ = select.select([], [self.master], [], 0.02)
            if ready:
                data = data[os.write(self.master, data[:4096]) :]
            self.read(0)

    def read(self, seconds: float = 0.02) -> bytes:
        """Read and draw what comes, for at most so long."""
        if not select.select([self.master], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self.master, 65536)
        except OSError:
            return b""
        self.raw += data
        for query, answer in QUERIES.items():
            if self._answers and query in data:
                os.write(self.master, answer)
        self._stream.feed(UNKNOWN_TO_PYTE.sub(b"", data))
        return data

    def until(self, condition: Callable[[], object], seconds: float = HANGS) -> None:
        """Read on until the condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"never; events {self.events[-5:]!r:.500}; screen:\n{self.text()}"
            self.read()

    def stall(self) -> None:
        """Read nothing until the terminal takes no more, and the program waits for it."""
        slave = os.open(self.name, os.O_WRONLY | os.O_NOCTTY)
        wait_for(lambda: not select.select([], [slave], [], 0)[1])
        os.close(slave)
        wait_for(lambda: self._used() == (time.sleep(0.2), self._used())[1])

    def _used(self) -> str:
        """The processor time that the program has used."""
        return Path(f"/proc/{self.pid}/schedstat").read_text().split()[0]

    def settle(self, seconds: float = 0.25) -> None:
        """Read on until nothing comes for a while: for what must *not* happen."""
        while self.read(seconds):
            pass

    def ended(self, seconds: float = HANGS, *, reading: bool = True) -> int:
        """The exit status (negative: by a signal); AssertionError when it does not end in time."""
        end = time.monotonic() + seconds
        while self._status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._status = os.waitstatus_to_exitcode(status)
                break
            assert time.monotonic() < end, "it still runs"
            self.read() if reading else time.sleep(0.02)
        if reading:
            self.settle(0.05)
        return self._status

    def hang_up(self) -> None:
        """Close the terminal, as a lost connection does."""
        os.close(self.master)
        self.master = -1

    def assert_sane(self) -> None:
        """The terminal is as it was: its modes, the main screen, a cursor, no mouse, plain keys."""
        assert termios.tcgetattr(self.master) == self.modes
        assert left_on(self.raw) == []
