"""However the program ends, it ends soon, and the terminal is as it was."""

import os
import signal
from pathlib import Path

import pytest
from on_a_pty import LittleApp
from waiting import HANGS

ENDLESS = str(10 * HANGS)
"""The seconds that leaving may take, in a test of one that is not to come to that."""

SIGNALS = [signal.SIGHUP, signal.SIGTERM, signal.SIGINT]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_leaves_at_once_and_the_terminal_is_sane(tmp_path: Path, number: signal.Signals) -> None:
    with LittleApp(tmp_path, LITTLE_PATIENCE=ENDLESS) as app:
        os.kill(app.pid, number)
        assert app.ended() == 128 + number
        assert app.events[-1] == "leave"
        app.assert_sane()


def test_a_signal_while_the_terminal_takes_no_output_leaves_too(tmp_path: Path) -> None:
    with LittleApp(tmp_path, "flood", LITTLE_PATIENCE=ENDLESS) as app:
        app.stall()
        os.kill(app.pid, signal.SIGTERM)
        assert app.ended(reading=False) == 128 + signal.SIGTERM
        app.settle(0.1)
        app.assert_sane()


def test_leaving_does_not_wait_for_what_hangs(tmp_path: Path) -> None:
    with LittleApp(tmp_path, "hang") as app:
        os.kill(app.pid, signal.SIGTERM)
        assert app.ended() == 128 + signal.SIGTERM
        app.assert_sane()


@pytest.mark.parametrize("mode", ["", "flood"])
@pytest.mark.parametrize("controlling", [True, False])
def test_a_terminal_that_has_gone_ends_the_program(tmp_path: Path, mode: str, controlling: bool) -> None:
    with LittleApp(tmp_path, mode, controlling=controlling) as app:
        app.hang_up()
        assert app.ended(reading=False) == 128 + signal.SIGHUP
        assert app.events[-1] == "leave"


def test_a_crash_is_one_line_on_the_terminal_and_a_traceback_in_the_log(tmp_path: Path) -> None:
    with LittleApp(tmp_path, "crash") as app:
        assert app.ended(10) == 1
        app.assert_sane()
        assert "unexpected error" in app.text()
        assert "Traceback" not in app.text()
        assert "ZeroDivisionError" in app.log.read_text()


def test_being_torn_out_of_the_event_loop_leaves_the_terminal_sane(tmp_path: Path) -> None:
    with LittleApp(tmp_path, "exit") as app:
        assert app.ended(10) == 3
        app.assert_sane()


def test_quitting_leaves_the_terminal_sane(tmp_path: Path) -> None:
    with LittleApp(tmp_path, answers=False) as app:
        app.write(b"\x11")
        assert app.ended() == 0
        app.assert_sane()


def wait_until_stopped(app: LittleApp) -> None:
    app.until(lambda: os.waitpid(app.pid, os.WUNTRACED | os.WNOHANG) != (0, 0))


def until_drawn_again(app: LittleApp, times: int) -> None:
    """Read on until the screen has been taken so often, and the composer stands on it."""
    app.until(lambda: app.raw.count(b"\x1b[?1049h") == times)
    app.until(lambda: "╰".encode() in app.raw[app.raw.rfind(b"\x1b[?1049h") :])


def test_being_stopped_in_the_middle_of_a_write_hangs_nothing(tmp_path: Path) -> None:
    with LittleApp(tmp_path, "stop") as app:
        wait_until_stopped(app)
        app.settle(0.1)
        app.assert_sane()
        os.kill(app.pid, signal.SIGCONT)
        until_drawn_again(app, times=2)
        app.write(b"still here")
        app.until(lambda: app.draft == "still here")


def test_one_that_is_stopped_without_notice_goes_on_as_before(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        for times in (2, 3):
            os.kill(app.pid, signal.SIGSTOP)
            wait_until_stopped(app)
            os.kill(app.pid, signal.SIGCONT)
            until_drawn_again(app, times)
        app.write(b"still here")
        app.until(lambda: app.draft == "still here")
        app.write(b"\r")
        app.until(lambda: app.sent == ["still here"] and "reading 1" in app.events)
        app.write(b"\x11")
        assert app.ended() == 0
        app.assert_sane()


def test_stopping_and_continuing_gives_the_terminal_back_and_takes_it_again(tmp_path: Path) -> None:
    with LittleApp(tmp_path) as app:
        os.kill(app.pid, signal.SIGTSTP)
        _, status = os.waitpid(app.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        app.settle(0.1)
        app.assert_sane()
        os.kill(app.pid, signal.SIGCONT)
        app.until(lambda: app.raw.rfind(b"\x1b[?1049h") > app.raw.rfind(b"\x1b[?1049l"))
        app.write(b"still here")
        app.until(lambda: app.draft == "still here")
        app.write(b"\x11")
        assert app.ended() == 0
        app.assert_sane()
