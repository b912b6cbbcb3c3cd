"""`--offline`: no request is made, whatever is asked for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback_hub import LoopbackHub, loopback_hub

from qwen_tui.commands import arguments


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    with loopback_hub({"me/tiny": tmp_path}) as serving:
        monkeypatch.setenv("HF_ENDPOINT", serving.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        yield serving


def run(folder: Path, *given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qwen_tui", *given, "--data-dir", str(folder / "data")]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, start_new_session=True
    )


def test_a_model_that_is_not_here_is_not_asked_for(hub: LoopbackHub, tmp_path: Path) -> None:
    done = run(tmp_path, "--offline", "ask", "hi", "--model", "me/tiny")
    assert done.returncode == 1
    assert "me/tiny is not downloaded" in done.stderr
    assert "--offline" in done.stderr
    assert hub.requests == []


def test_it_may_stand_before_the_command_and_after_it() -> None:
    assert arguments.parse(["--offline", "ask", "hi"]) == arguments.parse(["ask", "hi", "--offline"])
    assert arguments.parse(["ask", "hi"]) != arguments.parse(["ask", "hi", "--offline"])


def test_without_it_the_hub_is_asked(hub: LoopbackHub, tmp_path: Path) -> None:
    assert run(tmp_path, "ask", "hi", "--model", "me/nothing").returncode == 1
    assert hub.requests


def test_the_doctor_does_not_ask_either_and_says_why(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Without torch it need not import what takes seconds.
    (tmp_path / "torch.py").write_text("raise ImportError('not here')")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}")
    done = run(tmp_path, "doctor", "--offline")
    assert f"{hub.url} not checked" in done.stdout
    assert "--offline" in done.stdout
    assert hub.requests == []
