"""F5 shows what the model reads: token by token, who wrote it, and how it fills the window."""

from dataclasses import replace

import pytest
from lit_engine import LitEngine
from screenplay import Screenplay, press, say, shown, until

from qwen_tui.engine.chat_format import ChatFormat
from qwen_tui.ui.inside.prompt_page import template_rows
from qwen_tui.wording.cell_width import cells


@pytest.fixture
def play(tmp_path) -> Screenplay:
    play = Screenplay(tmp_path / "data")
    play.engine = LitEngine()
    return play


@pytest.mark.parametrize("size", [(80, 24), (150, 40)])
async def test_the_prompt_of_a_reply_is_shown_token_by_token(play, size) -> None:
    async with play.running(size) as pilot:
        await say(pilot, "hello there")
        await until(pilot, lambda: "echo: hello there" in shown(pilot))
        await pilot.press("f5")
        await until(pilot, lambda: "<|im_start|>user⏎" in shown(pilot))
        assert "Room for the answer        100" in shown(pilot)
        await pilot.press("right", "right", "right")
        await until(pilot, lambda: "“ there”" in shown(pilot))
        assert "Token 4 of 8 · ID 103." in shown(pilot)
        assert "You wrote it. It was read for this reply." in shown(pilot)
        await pilot.press("t")
        await until(pilot, lambda: "<|im_start|>" not in shown(pilot))
        assert "Your text alone, 2 tokens" in shown(pilot)
        await pilot.press("f5")
        assert pilot.app.screen.chat.composer.has_focus_within


async def test_the_next_message_is_shown_as_it_is_typed_and_f2_brings_the_settings_back(play) -> None:
    async with play.running((150, 40)) as pilot:
        await pilot.press("f5", "f5")
        await press(pilot, "one two")
        await until(pilot, lambda: "one two<|im_end|>" in shown(pilot))
        assert "Inside your next message" in shown(pilot)
        await pilot.press("f2")
        await until(pilot, lambda: "Inside your next message" not in shown(pilot))
        assert "Temperature" in shown(pilot)


async def test_a_closed_panel_asks_nothing_and_traces_nothing(play) -> None:
    async with play.running((80, 24)) as pilot:
        await pilot.press("f5")
        await until(pilot, lambda: "<|im_start|>" in shown(pilot))
        assert pilot.app.screen.chat.session.traces.is_wanted
        await pilot.press("escape")
        await until(pilot, lambda: not pilot.app.screen.chat.session.traces.is_wanted)
        asked = len(play.engine.inspected)
        await press(pilot, "more and more")
        await until(pilot, lambda: "more and more" in shown(pilot))
        assert len(play.engine.inspected) == asked


async def test_what_was_left_out_is_told_with_its_reason(play) -> None:
    play.where.config_file.parent.mkdir(parents=True, exist_ok=True)
    play.where.config_file.write_text("[memory]\nmemory_turns = 1\n", encoding="utf-8")
    async with play.running((120, 36)) as pilot:
        for text in ("one", "two"):
            await say(pilot, text)
            await until(pilot, lambda text=text: f"echo: {text}" in shown(pilot))
        await pilot.press("f5")
        await until(pilot, lambda: "Limit of 1 turn: 2 messages not sent." in shown(pilot))


def test_what_the_template_does_is_ticked_off_in_the_words_of_the_check() -> None:
    rows = ["".join(text for text, _ in line.runs) for line in template_rows(ChatFormat(), 40)]
    assert "✓ A system prompt is part of the prompt." in [row.rstrip() for row in rows]
    noted = next(n for n, row in enumerate(rows) if row.startswith("! No token follows a reply"))
    assert rows[noted + 1].startswith("  ")
    assert all(cells(row) <= 40 for row in rows)
    assert template_rows(None, 40) == []


async def test_what_stands_below_the_last_token_is_reached_by_keys(play) -> None:
    play.engine.info = replace(play.engine.info, chat_format=ChatFormat())
    async with play.running((80, 24)) as pilot:
        await say(pilot, "hello there")
        await until(pilot, lambda: "echo: hello there" in shown(pilot))
        await pilot.press("f5")
        await until(pilot, lambda: "<|im_start|>user⏎" in shown(pilot))
        assert "only new text is read" not in shown(pilot)
        await pilot.press("end", "end")
        await until(pilot, lambda: "only new text is read" in shown(pilot))
        await pilot.press("home")
        await until(pilot, lambda: "<|im_start|>user⏎" in shown(pilot))
