"""A shell that stops the program, lets it go on where it does not have the terminal, and brings it back."""

import ast
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from pseudo_terminal import Terminal

SUPPORT = Path(__file__).parents[2] / "support"
APP = SUPPORT / "little_app.py"
DRAWN = "╰"

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash, which has job control")


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    """A bash of which `app` starts the little app."""
    monkeypatch.setenv("PYTHONPATH", f"{SUPPORT}:{SUPPORT.parents[1]}")
    monkeypatch.setenv("VISUAL", "sh -c 'echo an editor; sleep 1; echo done > edited'")
    monkeypatch.setenv("PS1", "shell> ")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log folder").mkdir()
    terminal = Terminal(80, 24, [], tmp_path, ["bash", "--noprofile", "--norc", "-i"])
    terminal.until("shell>")
    type_line(terminal, f"alias app=\"{sys.executable} '{APP}' '{tmp_path}/log folder/log'\"")
    yield terminal
    terminal.close()


def type_line(shell: Terminal, line: str) -> None:
    shell.settle(0.1)
    shell.type(f"{line}\r")


def events(folder: Path) -> list[str]:
    file = folder / "log folder" / "events"
    return [ast.literal_eval(line) for line in file.read_text().splitlines()] if file.exists() else []


def assert_it_is_back(shell: Terminal, folder: Path) -> None:
    shell.until(DRAWN)
    shell.settle(0.1)
    shell.type("x")
    shell.until(lambda _: any(event.startswith("draft") and "x" in event for event in events(folder)))


def app_of(shell: Terminal) -> psutil.Process | None:
    return next(iter(psutil.Process(shell.process.pid).children()), None)


def until_stopped(shell: Terminal) -> None:
    def is_stopped(_: str) -> bool:
        app = app_of(shell)
        return app is not None and app.status() == psutil.STATUS_STOPPED

    shell.until(is_stopped)
    shell.settle(0.1)


def test_what_is_started_in_the_background_takes_the_terminal_when_it_is_brought_to_the_front(
    shell: Terminal, tmp_path: Path
) -> None:
    type_line(shell, "app &")
    until_stopped(shell)
    assert b"\x1b[?1049h" not in shell.raw
    type_line(shell, "fg")
    assert_it_is_back(shell, tmp_path)


def test_an_editor_that_ends_in_the_background_leaves_the_program_to_be_brought_back(
    shell: Terminal, tmp_path: Path
) -> None:
    type_line(shell, "app")
    shell.until(DRAWN)
    shell.settle()
    shell.type("\x0f")  # ctrl+o
    shell.until("an editor")
    shell.type("\x1a")  # ctrl+z
    until_stopped(shell)
    shell.screen.reset()
    type_line(shell, "bg")
    shell.until(lambda _: (tmp_path / "edited").exists())
    type_line(shell, "fg")
    assert_it_is_back(shell, tmp_path)


def test_one_that_was_stopped_without_notice_writes_nothing_while_the_shell_has_the_terminal(
    shell: Terminal, tmp_path: Path
) -> None:
    type_line(shell, "app")
    shell.until(DRAWN)
    shell.settle()
    app = app_of(shell)
    assert app is not None
    app.suspend()  # SIGSTOP
    until_stopped(shell)
    before = len(shell.raw)
    app.resume()  # SIGCONT, as `bg`
    time.sleep(0.3)
    until_stopped(shell)
    assert shell.raw[before:] == b""
    shell.screen.reset()
    type_line(shell, "fg")
    assert_it_is_back(shell, tmp_path)
