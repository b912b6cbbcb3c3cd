"""The real program on a pseudo-terminal, with the guide in a real worker, and what it leaves on the disk."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import fork_server
import psutil
from pseudo_terminal import Terminal

READY = "2,048 tokens"
"""What the header shows when the guide is ready."""


class Program:
    """Starts the program on one folder, as often as a test likes."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._started: list[Terminal] = []

    def start(self, *arguments: str, columns: int = 120, rows: int = 36) -> Terminal:
        terminal = Terminal(columns, rows, ["--model", "guide", "--device", "cpu", *arguments], self.data)
        self._started.append(terminal)
        terminal.until("⏎ Send")  # what is typed before may meet the terminal as the shell left it
        return terminal

    def conversations(self) -> list[Path]:
        return sorted((self.data / "conversations").glob("[!.]*.json"))

    def partials(self, above_bytes: int) -> list[Path]:
        """The files of replies that are being written and have come so far."""
        files = []
        for file in (self.data / "conversations").glob("*.partial"):
            with suppress(FileNotFoundError):  # the reply may be finished by now
                files += [file] if file.stat().st_size > above_bytes else []
        return files

    def written(self) -> list[str]:
        """What has come of the answers that are being written: the text in their partial files."""
        texts = []
        for file in (self.data / "conversations").glob("*.partial"):
            with suppress(FileNotFoundError):
                lines = file.read_text().split("\n")[1:-1]  # the last may be cut short
                texts.append("".join(json.loads(line).get("text", "") for line in lines))
        return [text for text in texts if text]

    def close(self) -> None:
        for terminal in self._started:
            terminal.close()


@contextmanager
def real_program(data: Path) -> Iterator[Program]:
    """The program on this folder; it has ended when the test has."""
    program = Program(data)
    try:
        yield program
    finally:
        program.close()


def children_of(pid: int) -> list[int]:
    """The processes that this one has started: the engine worker."""
    children = psutil.Process(pid).children()
    pids = [child.pid for child in children if child.name() != fork_server.NAME.decode()]
    return [each for each in pids if is_running(each)]  # not one that has ended and was not waited for yet


def worker_of(terminal: Terminal) -> int:
    """The process id of the engine worker."""
    (worker,) = children_of(terminal.process.pid)
    return worker


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def messages_in(file: Path) -> list[dict[str, object]]:
    """The messages of a conversation, in the order in which they were written."""
    return json.loads(file.read_text())["messages"]


def last_reply(file: Path) -> dict[str, object]:
    return messages_in(file)[-1]
