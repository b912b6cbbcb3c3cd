"""The real program on a pseudo-terminal, with the guide in a real worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pseudo_terminal import Terminal


class Program:
    """Starts the program on one folder, as often as a test likes."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._started: list[Terminal] = []

    def start(self, *arguments: str, columns: int = 120, rows: int = 36) -> Terminal:
        terminal = Terminal(columns, rows, ["--model", "guide", "--device", "cpu", *arguments], self.data)
        self._started.append(terminal)
        terminal.until("Message…")  # what is typed before may meet the terminal as the shell left it
        return terminal

    def conversations(self) -> list[Path]:
        return sorted((self.data / "conversations").glob("[!.]*.json"))

    def close(self) -> None:
        for terminal in self._started:
            terminal.close()


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    program = Program(tmp_path / "data")
    yield program
    program.close()
