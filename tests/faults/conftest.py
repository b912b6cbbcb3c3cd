"""Faults of every kind, on the parts that have to bear them and on the whole program."""

import pytest
from screenplay import Screenplay


@pytest.fixture
def play(tmp_path) -> Screenplay:
    return Screenplay(tmp_path / "data")
