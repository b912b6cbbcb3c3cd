"""Signals and lost terminals, whatever the program is doing: it ends at once, and what was there is kept."""

import os
import signal

import pytest
from pseudo_terminal import Terminal
from real_program import READY, children_of, is_running, last_reply, worker_of
from waiting import HANGS, wait_for

from qwen_tui.chat.messages import Status
from qwen_tui.chat.store import ConversationStore

SIGNALS = [signal.SIGHUP, signal.SIGTERM, signal.SIGINT]
WORDS = [f"word{number} " for number in range(500)]
PACE = 0.02
"""Seconds a word: the reply takes ten."""


def assert_leaves(terminal: Terminal, number: signal.Signals) -> None:
    """The program ends on the signal, with its workers, and the terminal is as it was."""
    children = children_of(terminal.process.pid)
    os.kill(terminal.process.pid, number)
    assert terminal.wait() == 128 + number
    terminal.assert_as_before()
    wait_for(lambda: not any(map(is_running, children)))


def idle(terminal: Terminal) -> None:
    pass


def streaming(terminal: Terminal) -> None:
    terminal.type("Count.\r")
    terminal.until("word7")


def with_help_over(terminal: Terminal) -> None:
    terminal.type("\x1bOP")  # F1
    terminal.until("Esc close")


def with_help(terminal: Terminal) -> None:
    streaming(terminal)
    with_help_over(terminal)


def with_a_draft(terminal: Terminal) -> None:
    terminal.type("half a thought")
    terminal.until("half a thought")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("state", [idle, streaming, with_help, with_a_draft])
def test_a_signal_ends_it_in_every_state(scripted, tmp_path, state, number) -> None:
    terminal = scripted([WORDS], PACE)
    state(terminal)
    assert_leaves(terminal, number)
    if state in (streaming, with_help):
        store = ConversationStore(tmp_path / "data" / "conversations")
        (entry,) = store.list()
        reply = store.load(entry).path()[-1]
        assert reply.status in (Status.STOPPED, Status.INTERRUPTED)
        assert "word7 " in reply.content
        assert "".join(WORDS).startswith(reply.content)
    if state is with_a_draft:
        scripted([]).until("half a thought")


@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_a_signal_while_the_model_is_loaded_ends_the_worker_too(program, scripted, number) -> None:
    terminal = program.start()
    wait_for(lambda: children_of(terminal.process.pid))
    terminal.type("sent\r")
    terminal.until("waiting")
    terminal.type("half a thought")
    terminal.until("half a thought")
    assert_leaves(terminal, number)
    scripted([]).until(lambda text: "sent" in text and "half a thought" in text)


def test_a_program_that_was_suspended_draws_itself_again_and_goes_on(program) -> None:
    terminal = program.start()
    terminal.until(READY)
    terminal.type("Explain in detail what tokens are.\r")
    wait_for(program.written)
    suspend(terminal)
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.until("tok/s")
    terminal.until("Explain in detail")
    (file,) = program.conversations()
    assert last_reply(file)["status"] == "complete"
    worker = worker_of(terminal)
    terminal.type("Explain it again, in detail.\r")
    wait_for(program.written)
    terminal.hang_up()
    assert terminal.process.wait(HANGS) == 128 + signal.SIGHUP
    wait_for(lambda: not is_running(worker), 3)
    program.start().settle(0.2)
    reply = last_reply(file)
    assert reply["status"] in ("stopped", "interrupted", "complete")  # it may have ended just before
    assert reply["content"]


def suspend(terminal: Terminal) -> None:
    """Stop it as a shell's ctrl+z does, and clear the screen, as what runs meanwhile may."""
    os.kill(terminal.process.pid, signal.SIGTSTP)
    # Reading meanwhile, as a terminal does: what is being drawn must get out before it can stop.
    terminal.until(lambda _: os.waitpid(terminal.process.pid, os.WUNTRACED | os.WNOHANG) != (0, 0))
    terminal.settle(0.1)
    terminal.assert_as_before()
    terminal.screen.reset()


@pytest.mark.parametrize("shows", ["help", "draft", "edit"])
def test_what_stood_on_the_screen_is_drawn_again(scripted, shows: str) -> None:
    terminal = scripted([["The answer."]])
    terminal.type("Question?\r")
    terminal.until("first token")
    if shows == "help":
        with_help_over(terminal)
    elif shows == "draft":
        with_a_draft(terminal)
    else:
        terminal.type("\x1b[Z\x1b[Ae In other words.")
        terminal.until("In other words.")
    terminal.settle()
    before = terminal.text()
    suspend(terminal)
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.until(lambda text: text == before)


def test_hanging_up_ends_a_suspended_program_too(scripted) -> None:
    terminal = scripted([])
    with_a_draft(terminal)
    suspend(terminal)
    os.kill(terminal.process.pid, signal.SIGHUP)
    os.kill(terminal.process.pid, signal.SIGCONT)  # as the kernel and shells do it
    assert terminal.wait() == 128 + signal.SIGHUP
    scripted([]).until("half a thought")


def test_a_terminal_that_nobody_reads_keeps_no_reply_from_the_disk(scripted, tmp_path) -> None:
    terminal = scripted([WORDS, ["more"]], PACE / 4)
    streaming(terminal)
    terminal.type("And more.\r")
    terminal.until("waiting")
    (file,) = (tmp_path / "data" / "conversations").glob("[!.]*.json")
    terminal.stall()
    assert last_reply(file)["role"] == "user"  # still being answered
    wait_for(lambda: last_reply(file)["content"] == "more")
    os.kill(terminal.process.pid, signal.SIGTERM)
    assert terminal.process.wait(HANGS) == 128 + signal.SIGTERM
    terminal.settle(0.1)
    terminal.assert_as_before()
