"""The whole screen on a scripted engine."""

import pytest
from screenplay import Screenplay


@pytest.fixture
def play(tmp_path) -> Screenplay:
    return Screenplay(tmp_path / "data")
