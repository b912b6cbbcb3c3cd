"""The screen or its worker killed at any moment: what was written is there, once, and nothing stays behind."""

import json
import os
import random
import signal
import time
from pathlib import Path

import pytest
from pseudo_terminal import Terminal
from waiting import wait_for

READY = "2,048 tokens"
KEYS_A_SECOND = 50
"""As the tests type."""

QUESTION = "Explain in detail what tokens are, number {}."


class Program:
    """Starts the program with the guide on one folder, as often as a test likes."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.terminal: Terminal | None = None

    def start(self, *arguments: str) -> Terminal:
        self.close()
        arguments = ("--model", "guide", "--device", "cpu", *arguments)
        self.terminal = Terminal(120, 36, list(arguments), self.data)
        return self.terminal

    def close(self) -> None:
        if self.terminal is not None:
            self.terminal.close()

    def messages(self) -> list[dict[str, object]]:
        """All messages of all conversations."""
        files = (self.data / "conversations").glob("[!.]*.json")
        return [message for file in files for message in json.loads(file.read_text())["messages"]]

    def partials(self) -> list[Path]:
        return list((self.data / "conversations").glob("*.partial"))


@pytest.fixture
def program(tmp_path):
    program = Program(tmp_path / "data")
    yield program
    program.close()


def children_of(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False


def streamed(partials: list[Path]) -> str:
    """What the files of running replies held."""
    lines = [line for file in partials for line in file.read_text().splitlines()[1:] if line.endswith("}")]
    return "".join(json.loads(line).get("text", "") for line in lines)


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(2, 12))]
)
def test_the_screen_killed_at_any_moment_loses_and_doubles_nothing(program: Program, seed: int) -> None:
    chance = random.Random(seed)
    asked: list[str] = []
    for round_number in range(2):
        name = () if not asked else ("--conversation", asked[0][:24].rsplit(" ", 1)[0])
        terminal = program.start()
        terminal.until("Things to try" if chance.random() < 0.3 else READY)
        question = QUESTION.format(f"{seed}{round_number}")
        terminal.type(question + "\r")
        asked.append(question)
        wait = chance.choice([0.0, 0.1, 0.4, 1.0, 2.0])
        end = time.monotonic() + wait
        while time.monotonic() < end:
            terminal.settle(0.01)
        workers = children_of(terminal.process.pid)
        os.kill(terminal.process.pid, signal.SIGKILL)
        terminal.process.wait(5)
        wait_for(lambda workers=workers: not any(map(is_running, workers)), 5)
        before = streamed(program.partials())
        about = f"seed {seed}, round {round_number} {name}"
        again = program.start()
        again.until("Things to try")
        again.settle(0.3)
        wait_for(lambda: not program.partials())
        contents = [str(message["content"]) for message in program.messages()]
        drafts = [str(json.loads(file.read_text())) for file in (program.data / "drafts").glob("*.json")]
        found = contents.count(question) + any(question in draft for draft in drafts)
        # What was typed in the last second, the enter key too, may not have reached the disk.
        begun = wait == 0 and (question[:20] in str(drafts) or len(question) < KEYS_A_SECOND)
        assert found == 1 or (found == 0 and begun), f"{about}: {contents}, {drafts}"
        if before:
            replies = [message for message in program.messages() if before in str(message["content"])]
            assert replies, about
            assert replies[0]["status"] in ("interrupted", "complete"), about
        assert not (program.data / "conversations" / "damaged").exists(), about
        again.type("\x15\x11")
        again.wait()


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.soak) for seed in range(1, 8))])
def test_the_worker_killed_at_any_moment_costs_one_reply(program: Program, seed: int) -> None:
    chance = random.Random(seed)
    terminal = program.start()
    terminal.until(READY)
    for round_number in range(2):
        question = QUESTION.format(round_number)
        terminal.type(question + "\r")
        end = time.monotonic() + chance.choice([0.0, 0.05, 0.2, 0.6])
        while time.monotonic() < end:
            terminal.settle(0.01)
        (worker,) = children_of(terminal.process.pid)
        os.kill(worker, signal.SIGKILL)
        terminal.settle(1.0)
        if not any(message["content"] == question for message in program.messages()):
            terminal.type("\r")  # it had not been accepted, and came back to the composer
        sent = f"Thanks {round_number}"
        wait_for(lambda: "Message…" in _text(terminal), 20)
        terminal.type(sent + "\r")
        wait_for(lambda sent=sent: _is_answered(program, terminal, sent), 40)
    statuses = [message["status"] for message in program.messages() if message["role"] == "assistant"]
    assert set(statuses) <= {"failed", "complete"}
    assert len(statuses) == 4
    assert len(children_of(terminal.process.pid)) == 1


def _text(terminal: Terminal) -> str:
    terminal.settle(0.05)
    return terminal.text()


def _is_answered(program: Program, terminal: Terminal, sent: str) -> bool:
    terminal.settle(0.05)
    messages = program.messages()
    questions = {message["id"] for message in messages if message["content"] == sent}
    replies = [message for message in messages if message.get("parent") in questions]
    return any(message["status"] == "complete" for message in replies)
