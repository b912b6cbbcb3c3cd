"""Somebody who writes Chinese is told once that the program speaks it."""

import pytest
from screenplay import say, shown, until

from qwen_tui import strings


@pytest.fixture(autouse=True)
def english_afterwards():
    yield
    strings.choose("en")


async def test_a_chinese_first_message_is_told_how_to_get_chinese(play) -> None:
    strings.choose()
    async with play.running() as pilot:
        await say(pilot, "你好")
        await until(pilot, lambda: "--language zh" in shown(pilot))
        await say(pilot, "你好吗")
        await until(pilot, lambda: "echo: 你好吗" in shown(pilot))
        assert "--language zh" not in shown(pilot)


@pytest.mark.parametrize("first", ["hello", "你好"])
async def test_nobody_is_told_of_a_language_they_did_not_use_or_have_chosen_against(play, first) -> None:
    strings.choose("en" if first == "你好" else None)
    async with play.running() as pilot:
        for text in (first, "你好吗"):
            await say(pilot, text)
            await until(pilot, lambda text=text: f"echo: {text}" in shown(pilot))
            assert "--language" not in shown(pilot)
