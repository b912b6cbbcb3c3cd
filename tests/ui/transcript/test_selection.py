"""What is selected with the mouse is copied as one would type it."""

from log_host import ViewHost, reply, running, settled
from textual.geometry import Offset
from textual.selection import SELECT_ALL, Selection

from qwen_tui.ui.transcript.message_view import MessageView

SOURCE = """It begins with a sentence that is long enough to be wrapped in a narrow terminal.

> 广州是一座历史悠久的城市，早茶是广州人的生活方式，喜欢的人很多很多。

- one item of a list that is also long enough to be wrapped

```python
def f():
    return 1
```"""


async def selected(selection: Selection, source: str = SOURCE) -> str:
    app = ViewHost(MessageView(reply(source), "Qwen"))
    async with running(app, (40, 30)):
        found = app.view.get_selection(selection)
        assert found is not None
        return found[0]


async def test_wrapped_lines_are_whole_again() -> None:
    text = await selected(SELECT_ALL)
    assert "It begins with a sentence that is long enough to be wrapped in a narrow terminal.\n" in text
    assert "\n广州是一座历史悠久的城市，早茶是广州人的生活方式，喜欢的人很多很多。\n" in text
    assert "\n• one item of a list that is also long enough to be wrapped\n" in text


async def test_code_is_copied_without_its_margin() -> None:
    assert (await selected(SELECT_ALL)).endswith("def f():\n    return 1")


async def test_a_part_of_a_line_is_copied_by_characters() -> None:
    text = await selected(Selection(Offset(2, 1), Offset(4, 1)), "广州是一座城市")
    assert text == "是一"


async def test_dragging_over_wide_characters_selects_those_under_the_mouse() -> None:
    app = ViewHost(MessageView(reply("广州是一座城市"), "Qwen"))
    async with running(app, (40, 10)) as pilot:
        left = app.view.gutter.left
        await pilot.mouse_down(MessageView, offset=(left + 4, 1))
        await pilot.hover(MessageView, offset=(left + 8, 1))
        await pilot.mouse_up(MessageView, offset=(left + 8, 1))
        await settled(pilot)
        assert app.screen.get_selected_text() == "是一座"


async def test_the_selection_is_drawn() -> None:
    app = ViewHost(MessageView(reply("some words"), "Qwen"))
    async with running(app, (40, 10)) as pilot:
        before = app.view.render_line(1)
        app.screen.selections = {app.view: Selection(Offset(0, 1), Offset(4, 1))}
        await settled(pilot)
        after = app.view.render_line(1)
        assert after.text == before.text
        assert after.cell_length == before.cell_length
        assert next(iter(after)).style.bgcolor != next(iter(before)).style.bgcolor


async def test_a_selection_over_empty_rows_holds() -> None:
    assert await selected(Selection(Offset(0, 1), Offset(99, 3)), "a\n\nb") == "a\n\nb"
