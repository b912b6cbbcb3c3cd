"""What a person at a terminal sees of a load without the screen."""

import io

import pytest

from qwen_tui.commands.progress import UP, LoadLines
from qwen_tui.engine.base import LoadProgress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("TERM", "xterm")


def told(out: io.StringIO, pieces: int = 5) -> list[str]:
    """The lines that loading a model of 100 MB writes, which come at 10 MB/s in this many pieces."""
    now = 0.0
    lines = LoadLines(out, lambda: now)
    lines(LoadProgress("resolving", "Qwen"))
    for piece in range(pieces + 1):
        now = 10.0 * piece / pieces
        done = piece * 100_000_000 // pieces
        lines(LoadProgress("downloading", "Qwen", done, 100_000_000, 0 if piece < pieces else 2, 2))
    lines(LoadProgress("reading", "Qwen", 0, 100_000_000))
    lines(LoadProgress("reading", "Qwen", 50_000_000, 100_000_000))
    return out.getvalue().split("\n")[:-1]


def test_a_download_is_one_line_that_grows() -> None:
    assert told(Terminal()) == [
        "looking for the model Qwen",
        "downloading Qwen · 0 B of 100 MB · –/s · 0 of 2 files",
        f"{UP}downloading Qwen · 20 MB of 100 MB · 10 MB/s · 8 s left · 0 of 2 files",
        f"{UP}downloading Qwen · 40 MB of 100 MB · 10 MB/s · 6 s left · 0 of 2 files",
        f"{UP}downloading Qwen · 60 MB of 100 MB · 10 MB/s · 4 s left · 0 of 2 files",
        f"{UP}downloading Qwen · 80 MB of 100 MB · 10 MB/s · 2 s left · 0 of 2 files",
        f"{UP}downloading Qwen · 100 MB of 100 MB · 10 MB/s · 2 of 2 files",
        "reading the weights Qwen",
    ]


def test_it_is_not_drawn_more_often_than_can_be_read() -> None:
    assert len(told(Terminal(), pieces=1000)) < 30


def test_it_never_takes_a_second_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    assert all(len(line.removeprefix(UP)) < 40 for line in told(Terminal()))


def test_a_terminal_that_cannot_go_up_gets_one_line_a_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert [line.split()[0] for line in told(Terminal())] == ["looking", "downloading", "reading"]


def test_a_file_gets_nothing() -> None:
    assert told(io.StringIO()) == []
