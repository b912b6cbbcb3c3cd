"""Faults of every kind, on the parts that have to bear them and on the whole program."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_program import Program, real_program
from screenplay import Screenplay


@pytest.fixture
def play(tmp_path) -> Screenplay:
    return Screenplay(tmp_path / "data")


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with real_program(tmp_path / "data") as program:
        yield program
