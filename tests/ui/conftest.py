"""The whole screen on a scripted engine."""

import os
import time
from collections.abc import Iterator

import pytest
from noon import zone_of_noon
from screenplay import Screenplay
from slow_disk import Disk


@pytest.fixture
def play(tmp_path) -> Iterator[Screenplay]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", zone_of_noon())
        time.tzset()
        yield Screenplay(tmp_path / "data")
    time.tzset()


@pytest.fixture
def disk(monkeypatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.sync)
    monkeypatch.setattr(os, "replace", disk.replace)
    yield disk
    disk.is_quick.set()
