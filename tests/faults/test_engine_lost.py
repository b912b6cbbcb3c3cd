"""The engine dies, hangs or runs out of memory under the whole program: one reply fails, the talk goes on."""

import os
import signal
from pathlib import Path
from typing import NamedTuple

import pytest
from faulty_model import faulty, tell
from pseudo_terminal import Terminal
from real_program import READY, Program, children_of, is_running, last_reply, messages_in, worker_of
from waiting import wait_for


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return faulty(tmp_path_factory.mktemp("faulty") / "faulty", window=512)


@pytest.fixture
def terminal(program: Program, folder: Path) -> Terminal:
    """The program on a model that goes wrong when it is told to."""
    program.data.mkdir()
    (program.data / "config.toml").write_text("[sampling]\nmax_new_tokens = 8\n[memory]\nmemory = false\n")
    return program.start("--model", str(folder), "--trust-remote-code")


def ready(terminal: Terminal) -> None:
    terminal.until("512 tokens")


def send(terminal: Terminal, text: str) -> None:
    terminal.type(text)
    terminal.until(text)
    terminal.type("\r")


def stop(terminal: Terminal) -> None:
    terminal.type("\x1b")
    terminal.settle(0.1)  # a key right after it would make it alt and that key


def answered(program: Program, question: str) -> bool:
    """Whether the last message on disk is a whole reply to this question."""
    for file in program.conversations():
        by_id = {message["id"]: message for message in messages_in(file)}
        reply = last_reply(file)
        asked = by_id.get(reply["parent"], {})
        return asked.get("content") == question and reply["status"] in ("complete", "length")
    return False


class Fault(NamedTuple):
    place: str
    kind: str
    code: str
    title: str
    ends_worker: bool


FAULTS = [
    Fault("prefill", "cuda-oom", "engine.out_of_memory_reply", "Out of memory", False),
    Fault("decode", "real-oom", "engine.out_of_memory_reply", "Out of memory", False),
    Fault("prefill", "noise", "engine.garbled", "The engine sent invalid data", True),
    Fault("decode", "die", "engine.worker_died", "The engine stopped unexpectedly", True),
]


def test_a_reply_that_the_engine_broke_is_marked_and_can_be_had_again(
    program: Program, terminal: Terminal, folder: Path
) -> None:
    for fault in FAULTS:
        ready(terminal)
        worker = worker_of(terminal)
        tell(folder, fault.place, fault.kind)
        question = f"now {fault.kind}"
        send(terminal, question)
        terminal.until(fault.title)
        (file,) = program.conversations()
        asked, failed = messages_in(file)[-2:]
        assert asked["content"] == question
        assert (failed["status"], failed["error"]["code"]) == ("failed", fault.code)
        wait_for(lambda gone=fault.ends_worker, worker=worker: is_running(worker) is not gone)
        terminal.until(lambda _: len(children_of(terminal.process.pid)) == 1)
        ready(terminal)
        assert (worker_of(terminal) == worker) is not fault.ends_worker
        terminal.type("\x12")  # ctrl+r: the same question again
        terminal.until(lambda _, question=question: answered(program, question))
        send(terminal, "thanks")
        terminal.until(lambda _: answered(program, "thanks"))
    said = [message["content"] for message in messages_in(file) if message["role"] == "user"]
    assert said == [text for fault in FAULTS for text in (f"now {fault.kind}", "thanks")]


def test_a_model_that_breaks_while_it_is_loaded_gives_the_text_back(
    plain_start: None, program: Program, folder: Path, tmp_path: Path
) -> None:
    """The worker takes its time to start, so that the message waits for it."""
    tell(folder, "load", "die")
    terminal = program.start("--model", str(folder), "--trust-remote-code")
    send(terminal, "patience")
    terminal.until("The engine stopped unexpectedly")
    terminal.until(lambda text: "patience" in text.rpartition("╭─")[2])
    assert program.conversations() == []
    wait_for(lambda: children_of(terminal.process.pid) == [])
    terminal.type("\r")
    terminal.until(lambda _: answered(program, "patience"))


def test_an_engine_that_hangs_is_stopped_and_the_next_message_is_answered(
    program: Program, terminal: Terminal, folder: Path
) -> None:
    ready(terminal)
    worker = worker_of(terminal)
    tell(folder, "decode", "hang")
    send(terminal, "first")
    wait_for(lambda: not (folder / "fault").exists())
    stop(terminal)
    send(terminal, "second")
    terminal.until("did not stop within")
    terminal.until(lambda _: answered(program, "second"))
    assert not is_running(worker)
    (file,) = program.conversations()
    assert [message["status"] for message in messages_in(file)][1] in ("failed", "stopped")


def test_what_an_old_reply_still_had_to_say_lands_in_no_other(program: Program) -> None:
    program.data.mkdir()
    config = "[sampling]\ngreedy = true\n[memory]\nmemory = false\n"
    (program.data / "config.toml").write_text(config)
    terminal = program.start()
    terminal.until(READY)
    send(terminal, "What is top-p?")
    terminal.until(lambda _: answered(program, "What is top-p?"))
    (file,) = program.conversations()
    undisturbed = last_reply(file)["content"]
    send(terminal, "Explain in detail what tokens are.")
    wait_for(program.written)
    worker = worker_of(terminal)
    os.kill(worker, signal.SIGSTOP)
    stop(terminal)
    send(terminal, "What is top-p?")
    os.kill(worker, signal.SIGCONT)
    terminal.until(lambda _: len(messages_in(file)) == 6 and answered(program, "What is top-p?"))
    stopped, last = messages_in(file)[3], messages_in(file)[5]
    assert stopped["status"] == "stopped"
    assert stopped["content"]
    assert last["content"] == undisturbed
