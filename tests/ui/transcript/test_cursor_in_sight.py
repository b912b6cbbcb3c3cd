"""The log's cursor is where the person looks: keys do nothing to a message that is out of sight."""

from doubles import Reply
from screenplay import say, shown, until


async def talked(play, pilot, turns: int) -> None:
    for number in range(turns):
        await say(pilot, f"question {number}")
        await until(pilot, lambda number=number: f"echo: question {number}" in shown(pilot))


def cursor(pilot) -> str:
    message = pilot.app.screen.query_one("#log").keys.message
    return message.content if message is not None else ""


async def test_after_a_new_turn_the_keyboard_comes_to_the_newest_message(play) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await talked(play, pilot, 7)
        await pilot.press("shift+tab")
        for _ in range(13):
            await pilot.press("up")
        await until(pilot, lambda: cursor(pilot) == "question 0")
        await pilot.press("escape")
        await say(pilot, "another")
        await until(pilot, lambda: "echo: another" in shown(pilot))
        await pilot.press("shift+tab")
        await until(pilot, lambda: cursor(pilot) == "echo: another")


async def test_the_keyboard_comes_back_to_the_message_that_it_left_where_that_is_seen(play) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await talked(play, pilot, 7)
        await pilot.press("shift+tab", *["up"] * 13)
        await until(pilot, lambda: cursor(pilot) == "question 0" and "question 0" in shown(pilot))
        await pilot.press("escape", "shift+tab")
        await until(pilot, lambda: pilot.app.screen.query_one("#log").has_focus)
        assert cursor(pilot) == "question 0"


async def test_a_key_shows_a_message_that_was_scrolled_out_of_sight_before_it_does_anything(play) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await talked(play, pilot, 7)
        log = pilot.app.screen.query_one("#log")
        await pilot.press("shift+tab", *["up"] * 13)
        await until(pilot, lambda: cursor(pilot) == "question 0" and "question 0" in shown(pilot))
        log.scroll_end(animate=False, immediate=True)
        await until(pilot, lambda: not log.list.is_seen(log.cursor.message_id))
        await pilot.press("d")
        await until(pilot, lambda: log.list.is_seen(log.cursor.message_id))
        assert len(log.messages) == 14
        await pilot.press("d")
        await until(pilot, lambda: len(log.messages) == 12)


async def test_a_delete_that_is_taken_back_leaves_the_cursor_in_sight(play) -> None:
    play.engine.replies = [Reply(["a long answer\n\n" * 20])]
    async with play.running(size=(80, 24)) as pilot:
        await talked(play, pilot, 0)
        await say(pilot, "first")
        await until(pilot, lambda: "a long answer" in shown(pilot))
        await talked(play, pilot, 5)
        log = pilot.app.screen.query_one("#log")
        await pilot.press("shift+tab", *["up"] * 11)
        await until(pilot, lambda: cursor(pilot) == "first")
        await pilot.press("d")
        await until(pilot, lambda: len(log.messages) == 10)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: len(log.messages) == 12)
        await until(pilot, lambda: log.list.is_seen(log.cursor.message_id))


async def test_the_keyboard_comes_to_a_message_in_sight_where_the_one_that_it_left_is_not(play) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await talked(play, pilot, 7)
        log = pilot.app.screen.query_one("#log")
        await pilot.press("shift+tab", *["up"] * 13)
        await until(pilot, lambda: cursor(pilot) == "question 0" and "question 0" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: not log.has_focus)
        log.scroll_to(y=log.max_scroll_y // 2, animate=False, immediate=True)
        await until(pilot, lambda: not log.list.is_seen(log.cursor.message_id))
        await pilot.press("shift+tab")
        await until(pilot, lambda: log.has_focus)
        assert log.list.is_seen(log.cursor.message_id)
