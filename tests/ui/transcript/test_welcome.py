"""What an empty conversation suggests can be reached by the keyboard, and read on a narrow screen."""

import pytest
from screenplay import press, shown, until

from qwen_tui.strings import say
from qwen_tui.ui.transcript.welcome import Suggestion


def composer(pilot):
    return pilot.app.screen.query_one("#composer")


async def begun(pilot) -> None:
    await until(pilot, lambda: say("welcome.any.1") in " ".join(shown(pilot).split()))


async def test_up_from_the_empty_message_box_leads_to_the_suggestions_and_enter_takes_one(play) -> None:
    async with play.running() as pilot:
        await begun(pilot)
        await pilot.press("up", "up")
        await until(pilot, lambda: isinstance(pilot.app.focused, Suggestion))
        await pilot.press("down", "down", "enter")
        await until(pilot, lambda: composer(pilot).text == say("welcome.any.3"))
        assert composer(pilot).has_focus_within
        assert play.engine.asked == []


async def test_down_from_the_last_suggestion_leads_back_to_the_message_box(play) -> None:
    async with play.running() as pilot:
        await begun(pilot)
        await pilot.press("up")
        await until(pilot, lambda: isinstance(pilot.app.focused, Suggestion))
        await pilot.press("down", "down", "down")
        await until(pilot, lambda: composer(pilot).has_focus_within)


@pytest.mark.parametrize("key", ["tab", "shift+tab"])
async def test_the_suggestions_are_one_tab_stop(play, key: str) -> None:
    async with play.running() as pilot:
        await begun(pilot)
        stops = 0
        for _ in range(60):
            await pilot.press(key)
            stops += isinstance(pilot.app.focused, Suggestion)
            if composer(pilot).has_focus_within:
                break
        assert stops == 1


async def test_up_in_a_message_that_was_begun_leads_nowhere_else(play) -> None:
    async with play.running() as pilot:
        await begun(pilot)
        await press(pilot, "half")
        await pilot.press("up")
        await pilot.pause()
        assert composer(pilot).has_focus_within


async def test_at_60_columns_a_suggestion_can_be_read_to_its_end(play) -> None:
    async with play.running(size=(60, 24)) as pilot:
        await begun(pilot)
        for number in (1, 2, 3):
            text = "".join(shown(pilot).split())
            assert say(f"welcome.any.{number}").replace(" ", "") in text
