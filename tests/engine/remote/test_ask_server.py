"""`qwen-tui ask` with a model on a server."""

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from loopback_server import Script, delta, end, one_after_the_other, with_events, with_json

COMMAND = [sys.executable, "-m", "qwen_tui", "ask", "hello"]


def test_an_interrupt_ends_it_while_the_server_counts(tmp_path: Path, served: tuple[str, Script]) -> None:
    address, script = served
    is_counting = threading.Event()

    def silence(handler, _) -> None:
        is_counting.set()
        handler.wait_for_the_drop()

    script.answers["/tokenize"] = one_after_the_other(with_json({"count": 5}), silence)
    command = [*COMMAND, "--server", address, "--data-dir", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as asking:
        assert is_counting.wait(60)
        asking.send_signal(signal.SIGINT)
        assert asking.wait(5) == 130
        assert asking.communicate() == (b"", b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_an_output_that_takes_nothing_is_told(tmp_path: Path, served: tuple[str, Script]) -> None:
    command = [*COMMAND, "--server", served[0], "--data-dir", str(tmp_path)]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 1
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr


def test_what_came_of_a_reply_that_broke_off_stands_on_lines_of_its_own(
    tmp_path: Path, served: tuple[str, Script]
) -> None:
    address, script = served
    script.replies(with_events(delta("Once"), delta(" upon")))
    command = [*COMMAND, "--server", address, "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (1, b"Once upon\n")
    assert done.stderr.startswith(b"qwen-tui ask: ")
    assert len(done.stderr.splitlines()) == 1


def test_what_came_of_it_is_in_the_json_too(tmp_path: Path, served: tuple[str, Script]) -> None:
    address, script = served
    script.replies(with_events(delta("Once"), delta(" upon")))
    command = [*COMMAND, "--json", "--server", address, "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    said = json.loads(done.stdout)
    assert (done.returncode, said["text"], said["error"]["code"]) == (1, "Once upon", "server.broke_off")


def test_that_a_busy_server_is_asked_again_is_said(tmp_path: Path, served: tuple[str, Script]) -> None:
    address, script = served
    busy = with_json({"error": "later"}, 503, Retry_After="0")
    script.replies(one_after_the_other(busy, with_events(delta("Now."), end())))
    command = [*COMMAND, "--server", address, "--data-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, b"Now.\n")
    assert b"is busy (HTTP 503). Retrying in 0 s (attempt 2 of 5)." in done.stderr
