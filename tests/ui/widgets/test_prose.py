"""Sentences are broken into lines as messages are."""

import pytest
from textual.app import App, ComposeResult
from textual.widgets import Static

from qwen_tui.ui.widgets.prose import Prose
from qwen_tui.wording.cell_width import cells

LIMIT = "上下文窗口只留得下 300。请缩短消息、调小最大生成长度，或换一个模型。"


class Host(App[None]):
    CSS = "Static { height: auto; }"

    def compose(self) -> ComposeResult:
        yield Static(Prose(LIMIT))


@pytest.mark.parametrize("width", [20, 24, 36])
async def test_chinese_fills_its_lines_and_begins_none_with_a_closing_mark(width: int) -> None:
    async with Host().run_test(size=(width, 12)) as pilot:
        rows = [strip.text for strip in pilot.app.screen._compositor.render_strips()]
        lines = [row.rstrip() for row in rows if row.strip()]
        assert pilot.app.query_one(Static).size.height == len(lines)
        assert "".join(lines).replace(" ", "") == LIMIT.replace(" ", "")
        assert not [line for line in lines if line[0] in "。、，"]
        assert all(cells(line) >= width - 4 for line in lines[:-1])
