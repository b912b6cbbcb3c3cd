"""The program from end to end: a terminal, two processes, the guide, files."""

import json
import os
import signal
import subprocess
import sys

import pytest
from forked_popen import STARTS_PLAINLY
from real_program import READY, is_running, last_reply, worker_of
from waiting import wait_for


@pytest.mark.usefixtures("plain_start")
def test_a_talk_is_had_left_and_found_again(program, monkeypatch) -> None:
    terminal = program.start()
    terminal.type("What is a token?\r")
    terminal.until("tok/s")
    reply = last_reply(*program.conversations())
    assert reply["status"] == "complete"
    assert reply["content"]
    terminal.type("quit\r")
    assert terminal.wait() == 0
    monkeypatch.delenv(STARTS_PLAINLY)
    again = program.start("--conversation", "What is a token?")
    again.until("to first token")
    again.type("\x11")  # ctrl+q
    assert again.wait() == 0


def test_a_chinese_talk_at_80_by_24(program) -> None:
    terminal = program.start(columns=80, rows=24)
    terminal.type("你好，我叫小明。")
    terminal.until("你好，我叫小明。")
    terminal.type("\r")
    terminal.until("tok/s")
    (file,) = program.conversations()
    assert json.loads(file.read_text())["messages"][0]["content"] == "你好，我叫小明。"


def test_killing_the_screen_in_the_middle_of_a_reply_loses_at_most_a_second(program) -> None:
    terminal = program.start()
    terminal.until(READY)
    terminal.type("Explain in detail what tokens are and why they matter.\r")
    partial = wait_for(lambda: program.partials(600))
    worker = worker_of(terminal)
    os.kill(terminal.process.pid, signal.SIGKILL)
    wait_for(lambda: not is_running(worker))
    written = "".join(
        json.loads(line).get("text", "")
        for line in partial[0].read_text().splitlines()[1:]
        if line.endswith("}")
    )
    assert written
    again = program.start("--last")
    again.until("nterrupted")
    (file,) = program.conversations()
    assert (last_reply(file)["status"], last_reply(file)["content"]) == ("interrupted", written)


def test_killing_the_worker_fails_the_reply_and_the_next_message_works(program) -> None:
    terminal = program.start()
    terminal.until(READY)
    terminal.type("Explain in detail what tokens are.\r")
    wait_for(lambda: program.partials(400))
    os.kill(worker_of(terminal), signal.SIGKILL)
    terminal.until("engine")
    (file,) = program.conversations()
    wait_for(lambda: last_reply(file)["status"] == "failed")
    assert last_reply(file)["content"]
    terminal.type("Thanks\r")
    wait_for(lambda: last_reply(file)["status"] == "complete" and not terminal.settle(0.05))


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_ends_it_and_no_process_stays(program, number) -> None:
    terminal = program.start()
    terminal.until(READY)
    terminal.type("Explain in detail what tokens are.\r")
    wait_for(lambda: program.partials(400))
    worker = worker_of(terminal)
    os.kill(terminal.process.pid, number)
    assert terminal.wait() == 128 + number
    wait_for(lambda: not is_running(worker))
    assert b"\x1b[?1049l" in terminal.raw  # the alternate screen was left


def test_a_lost_connection_leaves_no_process(program) -> None:
    terminal = program.start()
    terminal.until(READY)
    worker = worker_of(terminal)
    terminal.hang_up()
    wait_for(lambda: terminal.process.poll() is not None)
    wait_for(lambda: not is_running(worker))


def test_a_damaged_conversation_is_set_aside_and_named(program) -> None:
    folder = program.data / "conversations"
    folder.mkdir(parents=True)
    (folder / "broken.json").write_text('{"version": 1, "messages": [')
    terminal = program.start()
    terminal.until("broken.json")
    assert (folder / "damaged" / "broken.json").exists()


def test_without_a_terminal_it_says_so_and_exits_with_2(tmp_path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "qwen_tui", "--data-dir", str(tmp_path)],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert "terminal" in done.stderr
    assert not done.stdout
