"""What is being written when the program ends, in whatever way it is being written, is there on return."""

import os
import signal
from pathlib import Path

import pytest
from pseudo_terminal import Terminal
from screenplay import press, say, shown, until
from textual.events import Paste
from waiting import wait_for
from walking import files_below

from qwen_tui.chat.drafts import Drafts, SavedDraft, UnsentEdit
from qwen_tui.chat.store import ConversationStore
from qwen_tui.ui.settings.pane import SettingsPane

ENDS = [signal.SIGHUP, signal.SIGTERM, signal.SIGKILL]


def composer(pilot):
    return pilot.app.screen.query_one("#composer")


async def answered(pilot, text: str) -> None:
    await say(pilot, text)
    await until(pilot, lambda: f"echo: {text}" in shown(pilot) and not composer(pilot).busy)


async def edit_the_question(pilot, message: str) -> None:
    await pilot.press("shift+tab", "up", "e")
    await until(pilot, lambda: composer(pilot).text == message)


async def test_an_edit_that_was_not_sent_goes_on_where_it_was(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "first")
        await press(pilot, "half a thought")
        await edit_the_question(pilot, "first")
        await press(pilot, " of all")
    async with play.running(conversation="first") as pilot:
        assert composer(pilot).text == "first of all"
        assert "edit" in shown(pilot).lower().rpartition("╭─")[2].partition("\n")[0]
        await pilot.press("escape")
        await until(pilot, lambda: composer(pilot).text == "half a thought")
    async with play.running(conversation="first") as pilot:
        assert composer(pilot).text == "half a thought"
        await edit_the_question(pilot, "first of all")
        await pilot.press("enter")
        await until(pilot, lambda: "echo: first of all" in shown(pilot))
        await until(pilot, lambda: composer(pilot).text == "half a thought")
    async with play.running(conversation="first") as pilot:
        assert composer(pilot).text == "half a thought"
        await edit_the_question(pilot, "first of all")


async def test_an_edit_belongs_to_its_conversation(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await answered(pilot, "first")
        await edit_the_question(pilot, "first")
        await press(pilot, " of all")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: composer(pilot).text == "")
        await press(pilot, "another one")
        await pilot.press("f3", "enter")
        await until(pilot, lambda: composer(pilot).text == "first of all")
        await pilot.press("enter")
        await until(pilot, lambda: "echo: first of all" in shown(pilot))
        assert composer(pilot).text == ""


async def test_an_edit_of_a_message_that_is_gone_is_a_draft(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "first")
    [entry] = ConversationStore(play.where.conversations).list()
    edits = (UnsentEdit("gone", "in other words"),)
    Drafts(play.where.drafts).save(entry.id, SavedDraft("a draft", edits=edits, editing="gone"))
    async with play.running(conversation="first") as pilot:
        assert composer(pilot).text == "in other words\n\na draft"
        assert composer(pilot).editing is None


async def test_a_draft_comes_back_when_an_earlier_message_was_sent_again(play) -> None:
    async with play.running() as pilot:
        await answered(pilot, "first")
        await press(pilot, "half a thought")
        await pilot.press("up", "enter")
        await until(pilot, lambda: shown(pilot).count("echo: first") == 2)
        assert composer(pilot).text == "half a thought"


async def test_the_settings_of_a_conversation_that_was_not_begun_are_kept(play) -> None:
    async with play.running(size=(150, 40)) as pilot:
        await until(pilot, lambda: "scripted" in shown(pilot))
        pilot.app.screen.query_one(SettingsPane).go_to("system_prompt")
        await pilot.press("enter")
        await press(pilot, "answer briefly")
        await until(pilot, lambda: "answer briefly" in shown(pilot))
    for _ in range(2):
        async with play.running(size=(150, 40)) as pilot:
            await until(pilot, lambda: "answer briefly" in shown(pilot))
    async with play.running(size=(150, 40)) as pilot:
        await answered(pilot, "first")
        assert [message.content for message in play.engine.asked[-1].messages] == ["answer briefly", "first"]
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "answer briefly" not in shown(pilot))
    async with play.running(size=(150, 40)) as pilot:
        await until(pilot, lambda: "scripted" in shown(pilot))
        assert "answer briefly" not in shown(pilot)
    assert list(play.where.drafts.glob("*.json")) == []


@pytest.mark.parametrize("keys", [["ctrl+q"], ["ctrl+c", "ctrl+c"]], ids=lambda keys: keys[0])
async def test_a_pasted_text_is_there_after_the_program_was_left(play, keys: list[str]) -> None:
    pasted = "\n".join(f"line {number}" for number in range(1000))
    async with play.running() as pilot:
        await press(pilot, "what is this")
        pilot.app.post_message(Paste(pasted))
        await until(pilot, lambda: "1,000 lines" in shown(pilot))
        await pilot.press(*keys)
        await until(pilot, lambda: not pilot.app.is_running)
    async with play.running() as pilot:
        assert composer(pilot).text == f"{pasted}\n\nwhat is this"
        assert "1,000 lines" in shown(pilot)


@pytest.mark.parametrize("changed", ["", " once more"])
async def test_walking_through_earlier_messages_costs_no_draft(play, changed: str) -> None:
    async with play.running() as pilot:
        await answered(pilot, "first")
        await press(pilot, "half a thought")
        await pilot.press("up")
        await until(pilot, lambda: composer(pilot).text == "first")
        await press(pilot, changed)
    async with play.running(conversation="first") as pilot:
        shows = f"first{changed}\n\nhalf a thought" if changed else "half a thought"
        assert composer(pilot).text == shows


@pytest.mark.parametrize("number", ENDS, ids=lambda number: number.name)
def test_what_is_written_is_there_when_the_program_is_ended(
    scripted, number: signal.Signals, tmp_path: Path
) -> None:
    def kept() -> set[str]:
        """Which of the two texts are in a draft: a file that is still being written is none, and may go."""
        files = [file.read_text() for file in files_below(tmp_path / "data", pattern="drafts/*.json")]
        return {
            text for text in ("half a thought", " In other words.") if any(text in file for file in files)
        }

    def end(terminal: Terminal) -> None:
        if number == signal.SIGKILL:
            wait_for(lambda: {"half a thought", " In other words."} <= kept())
        os.kill(terminal.process.pid, number)
        terminal.wait()

    terminal = scripted([["The answer."]])
    terminal.type("Question?\r")
    terminal.until("The answer.")
    terminal.until("first token")
    terminal.type("half a thought\x1b[Z\x1b[Ae")
    terminal.until("Editing your message")
    terminal.type(" In other words.")
    terminal.until("In other words.")
    end(terminal)
    again = scripted([], conversation="Question?")
    again.until("Question? In other words.")
    again.type("\x1b")
    again.until("half a thought")
