"""The real program on a pseudo-terminal, with the guide in a real worker."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from real_program import Program, real_program


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    with real_program(tmp_path / "data") as program:
        yield program
