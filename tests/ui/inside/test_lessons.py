"""Lessons walk over the live panels, in an empty conversation, and can be left at any step."""

import pytest
from lit_engine import LitEngine
from screenplay import Screenplay, shown, until

from qwen_tui.commands import arguments
from qwen_tui.strings.languages import LANGUAGES, texts
from qwen_tui.ui.inside.lessons import LESSONS, NAMES


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_of_every_lesson_has_a_sentence_and_there_are_no_others(language: str) -> None:
    steps = {f"lesson.{each.name}.{n}" for each in LESSONS for n in range(1, len(each.steps) + 1)}
    told = {code for code in texts(language).SENTENCES if code.rpartition(".")[2].isdecimal()}
    assert {code for code in told if code.startswith("lesson.")} == steps


def test_the_command_line_knows_the_lessons() -> None:
    assert arguments.LESSONS == NAMES
    assert arguments.parse(["learn", "memory"]).lesson == "memory"
    assert arguments.parse(["learn"]).lesson == NAMES[0]


async def test_a_lesson_opens_what_it_speaks_of_and_ends(tmp_path) -> None:
    play = Screenplay(tmp_path / "data")
    play.engine = LitEngine()
    async with play.running((80, 24)) as pilot:
        chat = pilot.app.screen.chat
        pilot.app.screen.inside.learn("memory")
        await until(pilot, lambda: "Memory and window · 1 of 6" in shown(pilot))
        assert chat.session.conversation.overrides == {"memory": False}
        await pilot.press("enter", "f6", "enter")
        await until(pilot, lambda: len(chat.session.conversation.messages) == 4)
        await pilot.press("f6")
        await until(pilot, lambda: "Memory is off: 2 older messages not sent." in shown(pilot))
        await pilot.press("shift+f6", "ctrl+f6")
        await until(pilot, lambda: "Memory and window" not in shown(pilot))
