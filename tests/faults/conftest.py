"""Faults of every kind, on the parts that have to bear them and on the whole program."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pseudo_terminal import Terminal
from real_program import Program, real_program
from screenplay import Screenplay


@pytest.fixture
def play(tmp_path) -> Screenplay:
    return Screenplay(tmp_path / "data")


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with real_program(tmp_path / "data") as program:
        yield program


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Terminal]]:
    """Starts the program on a scripted engine: `scripted(replies, seconds_a_delta, conversation)`."""
    support = Path(__file__).parents[1] / "support"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(support), str(support.parents[1])]))
    started: list[Terminal] = []

    def start(replies: list[list[str]], seconds_a_delta: float = 0.0, conversation: str = "") -> Terminal:
        file = tmp_path / "replies.json"
        file.write_text(json.dumps(replies))
        data = tmp_path / "data"
        data.mkdir(exist_ok=True)
        script = str(Path(__file__).with_name("scripted_program.py"))
        command = [sys.executable, script, str(data), str(file), str(seconds_a_delta), conversation]
        started.append(Terminal(120, 36, [], data, command))
        started[-1].until("F1 Help")
        started[-1].until("scripted")
        return started[-1]

    yield start
    for terminal in started:
        terminal.close()
