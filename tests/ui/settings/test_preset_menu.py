"""The menu of presets, and a receipt's values, on the assembled screen."""

from dataclasses import replace
from pathlib import Path

import pytest
from screenplay import Screenplay, say, shown, until

from qwen_tui.settings.config_file import load
from qwen_tui.settings.presets import own_presets
from qwen_tui.ui.settings.preset_menu import PresetMenu


@pytest.fixture
def play(tmp_path: Path) -> Screenplay:
    return Screenplay(tmp_path / "data")


def is_open(pilot) -> bool:
    return isinstance(pilot.app.screen, PresetMenu)


async def test_a_preset_is_chosen_by_one_key_and_the_present_values_get_a_name(play) -> None:
    async with play.running(size=(120, 36)) as pilot:
        session = pilot.app.screen.chat.session
        await pilot.press("f7")
        await until(pilot, lambda: is_open(pilot) and "● Model's own" in shown(pilot))
        await pilot.press("down", "down", "down", "enter")
        await until(pilot, lambda: not is_open(pilot) and "Creative: Temperature 1.10" in shown(pilot))
        assert session.conversation.overrides == {"temperature": 1.1, "top_p": 0.95, "min_p": 0.05}
        await pilot.press("f7")
        await until(pilot, lambda: is_open(pilot) and "● Creative" in shown(pilot))
        await pilot.press("slash", *"mine", "enter")
        await until(pilot, lambda: "● mine" in shown(pilot))
        (mine,) = own_presets(play.where.config_file)
        assert mine.values == session.conversation.overrides
        await pilot.press("delete")  # the cursor is on a built-in one
        await until(pilot, lambda: "Only your own" in shown(pilot))
        await pilot.press("down", "delete")
        await until(pilot, lambda: "Deleted" in shown(pilot))
        assert own_presets(play.where.config_file) == []
        await pilot.press("escape")
        await until(pilot, lambda: not is_open(pilot))


async def test_a_receipts_values_and_a_conversations_become_those_in_force(play) -> None:
    async with play.running(size=(120, 36)) as pilot:
        await say(pilot, "first")
        session = pilot.app.screen.chat.session
        session.adjust(lambda each: replace(each, overrides={"top_k": 7}))
        await pilot.press("shift+tab", "i")
        await until(pilot, lambda: "Use values" in shown(pilot))
        run = session.conversation.path()[-1].receipt[-1]
        await pilot.press("u")
        await until(pilot, lambda: "now uses these sampling values" in shown(pilot))
        assert session.conversation.overrides.get("top_k") == run.sampling.get("top_k")
        await pilot.press("escape")
        session.adjust(lambda each: replace(each, overrides={"temperature": 0.4}))
        await pilot.press("ctrl+p")
        await pilot.press(*"settings the defaults")
        await until(pilot, lambda: "Other conversations then" in shown(pilot))
        await pilot.press("enter")
        await until(pilot, lambda: load(play.where.config_file).settings.temperature == 0.4)
        assert pilot.app.settings.temperature == 0.4
        assert session.conversation.overrides == {}
