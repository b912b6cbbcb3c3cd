"""A key that can do nothing to a message says why; what can be done stays named where there is little room."""

import pytest
from doubles import Reply
from screenplay import say, shown, until

WITH_CODE = "Two:\n\n```python\nprint(1)\n```\n\nand\n\n```sh\nls\n```\n\nend of the reply"


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("u", "This message has no code block."),
        ("s", "This message has no code block."),
        ("c", "Only the last reply can be continued"),
        ("left", "This is the first variant."),
        ("right", "This is the last variant."),
        ("enter", "This message has no thinking to show."),
    ],
)
async def test_a_key_that_can_do_nothing_to_a_reply_says_why(play, key, said) -> None:
    async with play.running() as pilot:
        await say(pilot, "hello")
        await until(
            pilot, lambda: "echo: hello" in shown(pilot) and not pilot.app.screen.query_one("#composer").busy
        )
        await pilot.press("shift+tab", key)
        await until(pilot, lambda: said in shown(pilot))


async def test_a_question_has_no_receipt_and_says_so(play) -> None:
    async with play.running() as pilot:
        await say(pilot, "hello")
        await until(pilot, lambda: "echo: hello" in shown(pilot))
        await pilot.press("shift+tab", "up", "i")
        await until(pilot, lambda: "Only replies have a receipt." in shown(pilot))


@pytest.mark.parametrize("size", [(120, 36), (160, 44), (80, 24), (60, 20)])
async def test_delete_is_named_whatever_else_can_be_done(play, size) -> None:
    play.engine.replies = [Reply([WITH_CODE]), Reply([WITH_CODE])]
    async with play.running(size=size) as pilot:
        await say(pilot, "hello")
        await until(pilot, lambda: "end of the reply" in shown(pilot))
        await pilot.press("ctrl+r")
        await until(pilot, lambda: pilot.app.screen.query("MessageView").last().body.content == WITH_CODE)
        await pilot.press("shift+tab")
        await until(pilot, lambda: "y Copy" in shown(pilot))
        await until(pilot, lambda: "d Delete" in shown(pilot))
