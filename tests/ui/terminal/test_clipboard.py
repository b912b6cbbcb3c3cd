"""Copying tells what it did."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App

from qwen_tui.ui.terminal import clipboard


class Host(App[None]):
    """Notes what is handed to the terminal."""

    handed = ""

    def copy_to_clipboard(self, text: str) -> None:
        self.handed = text


@pytest.fixture
def inside_tmux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A tmux server of our own, and this process as if it ran in its first pane."""
    if shutil.which("tmux") is None:
        pytest.skip("no tmux")
    socket = str(tmp_path / "tmux")
    subprocess.run(["tmux", "-S", socket, "-f", "/dev/null", "new-session", "-d", "sleep 60"], check=True)
    monkeypatch.setenv("TMUX", f"{socket},{os.getpid()},0")
    yield
    subprocess.run(["tmux", "-S", socket, "kill-server"], check=False)


def test_outside_tmux_a_text_is_sent_and_nothing_is_promised() -> None:
    host = Host()
    assert clipboard.copy(host, "广州") == "sent"
    assert host.handed == "广州"
    assert "ignore" in clipboard.say_outcome("sent", "广州")


def test_a_text_that_terminals_drop_is_not_sent() -> None:
    host = Host()
    text = "x" * (clipboard.MOST_BYTES + 1)
    assert clipboard.copy(host, text) == "too_large"
    assert host.handed == ""
    assert "74 KB" in clipboard.say_outcome("too_large", text)


def test_nothing_is_not_copied() -> None:
    assert clipboard.copy(Host(), "") == "nothing"


@pytest.mark.usefixtures("inside_tmux")
def test_in_tmux_a_text_of_any_size_is_in_its_buffer() -> None:
    host, text = Host(), "一行\n" * 40_000
    assert clipboard.copy(host, text) == "copied"
    assert host.handed == ""
    shown = subprocess.run(["tmux", "show-buffer"], capture_output=True, check=True).stdout
    assert shown.decode() == text


def test_a_tmux_that_does_not_answer_leaves_it_to_the_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMUX", "/nowhere/tmux,1,0")
    assert clipboard.copy(Host(), "text") == "sent"
