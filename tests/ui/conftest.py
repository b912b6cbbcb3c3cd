"""The whole screen on a scripted engine."""

import os

import pytest
from screenplay import Screenplay
from slow_disk import Disk


@pytest.fixture
def play(tmp_path) -> Screenplay:
    return Screenplay(tmp_path / "data")


@pytest.fixture
def disk(monkeypatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.sync)
    monkeypatch.setattr(os, "replace", disk.replace)
    yield disk
    disk.is_quick.set()
