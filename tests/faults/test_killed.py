"""Killed at a random moment, the screen or its worker: what was sent is there once, what was written is kept.

A failure shows its seed, and `KILL_SEED=…` makes the same choices again; what the processes come to in that time
may differ. `-m soak` kills for longer.
"""

import json
import os
import random
import signal
import time

import pytest
from pseudo_terminal import Terminal
from real_program import READY, Program, children_of, is_running, messages_in, worker_of
from waiting import wait_for
from walking import files_below

SEED = int(os.environ.get("KILL_SEED", random.randrange(10**6)))
LONG = "Tokens are pieces of words. " * 120
"""A message that takes a while to read."""


class Sender:
    """Someone who sends messages, each with a word of its own, and knows which."""

    def __init__(self, program: Program, chance: random.Random) -> None:
        self.program = program
        self.chance = chance
        self.sent: list[str] = []
        self.terminal = self._start()

    def send(self, text: str = "Explain in detail what tokens are.") -> None:
        """Paste a message and press enter."""
        self.sent.append(f"Word{len(self.sent):03}")
        self.terminal.paste(f"{text} {self.sent[-1]}")
        self.terminal.until(self.sent[-1])  # an enter in the same breath would belong to the paste
        self.terminal.type("\r")

    def pause(self, at_most_seconds: float) -> None:
        """Let a random time pass."""
        time.sleep(self.chance.uniform(0, at_most_seconds))

    def kill_the_screen(self) -> None:
        """Kill it, and start it again."""
        children = children_of(self.terminal.process.pid)
        os.kill(self.terminal.process.pid, signal.SIGKILL)
        self.terminal.process.wait(3)
        self.terminal.settle(0.05)
        written = self.program.written()
        wait_for(lambda: not any(map(is_running, children)), 3)
        seen = self.sent[-1] in log_of(self.terminal)
        self.terminal = self._start()
        self.terminal.settle(0.2)
        if not seen and not self._places()[self.sent[-1]]:
            self.sent.pop()  # the key never reached it
        self._assert_all_is_there()
        replies = [message["content"] for message in self._messages() if message["role"] == "assistant"]
        assert replies[len(replies) - len(written) :] == written

    def kill_the_worker(self) -> None:
        """Kill it; the program gets another one by itself, or with the next message."""
        written = self.program.written()
        os.kill(worker_of(self.terminal), signal.SIGKILL)
        self.terminal.until(lambda _: not self.program.written())
        replies = [str(message["content"]) for message in self._messages()]
        assert all(any(reply.startswith(text) for reply in replies) for text in written)

    def assert_the_next_is_answered(self) -> None:
        """Send one more message and wait for the reply to it."""
        self.send("Thanks.")
        self.terminal.until(lambda _: self._is_answered(), 40)
        self._assert_all_is_there()

    def _start(self) -> Terminal:
        files = self.program.conversations()
        names = [json.loads(file.read_text())["name"] for file in files]
        return self.program.start(*(["--conversation", names[0]] if names else []), columns=90)

    def _messages(self) -> list[dict[str, object]]:
        return [message for file in self.program.conversations() for message in messages_in(file)]

    def _is_answered(self) -> bool:
        question, reply = [{}, {}, *self._messages()][-2:]
        return self.sent[-1] in str(question.get("content")) and reply.get("status", "complete") == "complete"

    def _places(self) -> dict[str, int]:
        """How often each word that was sent is in a conversation or in the composer."""
        texts = [str(message["content"]) for message in self._messages() if message["role"] == "user"]
        texts.append(composer_of(self.terminal))
        return {word: sum(text.count(word) for text in texts) for word in self.sent}

    def _assert_all_is_there(self) -> None:
        assert self._places() == dict.fromkeys(self.sent, 1), self.terminal.text()
        assert not files_below(self.program.data, pattern="damaged/*")


def log_of(terminal: Terminal) -> str:
    """What the screen shows above the composer."""
    return terminal.text().rpartition("╭─")[0]


def composer_of(terminal: Terminal) -> str:
    """What the screen shows in the composer."""
    return terminal.text().rpartition("╭─")[2].partition("\n")[2]


def loading(sender: Sender) -> None:
    sender.pause(2)
    sender.send()
    sender.pause(0.5)


def just_sent(sender: Sender) -> None:
    sender.terminal.until(READY)
    sender.send()
    sender.pause(0.05)


def reading(sender: Sender) -> None:
    sender.terminal.until(READY)
    sender.send(LONG)
    wait_for(sender.program.conversations, 20)
    sender.pause(0.3)


def streaming(sender: Sender) -> None:
    sender.terminal.until(READY)
    sender.send()
    wait_for(sender.program.written, 20)
    sender.send()  # waits its turn
    sender.pause(0.5)


def idle(sender: Sender) -> None:
    sender.terminal.until(READY)
    sender.send()
    sender.terminal.until("tok/s")
    sender.pause(0.5)


MOMENTS = [just_sent, reading, streaming, idle]
KILLS = [Sender.kill_the_screen, Sender.kill_the_worker]


@pytest.mark.parametrize(
    "number", [0, *(pytest.param(number, marks=pytest.mark.soak) for number in range(1, 20))]
)
def test_killing_the_screen_or_its_worker_loses_nothing(program, number) -> None:
    chance = random.Random(f"{SEED} {number}")
    sender = Sender(program, chance)
    for moment, kill in [(loading, Sender.kill_the_screen), (chance.choice(MOMENTS), chance.choice(KILLS))]:
        print(f"KILL_SEED={SEED}, round {number}: {moment.__name__}, {kill.__name__}")
        moment(sender)
        kill(sender)
    sender.assert_the_next_is_answered()


@pytest.mark.soak
def test_killing_worker_after_worker_costs_a_reply_each(program) -> None:
    sender = Sender(program, random.Random(SEED))
    print(f"KILL_SEED={SEED}")
    sender.terminal.until(READY)
    for _ in range(4):  # a fifth would be one too many: the program gives up then, and says so
        sender.chance.choice([just_sent, streaming])(sender)
        sender.kill_the_worker()
        sender.assert_the_next_is_answered()
        assert len(children_of(sender.terminal.process.pid)) == 1
