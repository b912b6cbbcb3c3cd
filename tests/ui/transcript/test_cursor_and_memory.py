"""The keyboard's cursor in the log, and the line where the model's memory begins."""

from log_host import LogHost, question, reply, running, screen_rows, screen_text, settled, talk

from qwen_tui.ui.transcript.memory_marker import Memory, MemoryLine
from qwen_tui.ui.transcript.message_view import MessageView


async def test_the_cursor_walks_from_message_to_message() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(30)
        await app.log_.show_conversation(messages)
        app.log_.focus()
        await settled(pilot)
        assert app.log_.keys.message == messages[29]
        await pilot.press("up", "k", "k", "down", "j", "up")
        assert app.log_.keys.message == messages[27]
        focused = [view.message.id for view in app.query(MessageView) if view.has_class("-focused")]
        assert focused == [messages[27].id]


async def test_the_cursor_is_always_in_sight() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(200)
        await app.log_.show_conversation(messages)
        app.log_.focus()
        await pilot.press(*["up"] * 62)
        await settled(pilot)
        at = app.log_.keys.message
        assert at == messages[137]
        assert at.content.split("\n")[0][:12] in screen_text(app)


async def test_the_cursor_shows_only_while_the_log_has_the_keyboard() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(6)
        await app.log_.show_conversation(messages)
        app.log_.focus()
        await pilot.press("up")
        app.query_one("#elsewhere").focus()
        await settled(pilot)
        assert not [view for view in app.query(MessageView) if view.has_class("-focused")]
        app.log_.focus()
        await settled(pilot)
        assert app.log_.list.view_of(messages[4].id).has_class("-focused")


async def test_the_focused_message_has_another_ground() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(6)
        await app.log_.show_conversation(messages)
        view = app.log_.list.view_of(messages[5].id)
        app.query_one("#elsewhere").focus()
        await settled(pilot)
        before = next(iter(view.render_line(1))).style.bgcolor
        app.log_.focus()
        await settled(pilot)
        assert next(iter(view.render_line(1))).style.bgcolor != before


async def test_below_the_newest_message_is_the_end() -> None:
    app = LogHost()
    async with running(app) as pilot:
        await app.log_.show_conversation([question(), reply("tall " * 900)])
        app.log_.focus()
        await pilot.press("home")
        await settled(pilot)
        assert not app.log_.is_following
        await pilot.press("down")
        await settled(pilot)
        assert app.log_.is_following


async def test_a_click_takes_the_cursor_along() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = [question("first"), reply("second")]
        await app.log_.show_conversation(messages)
        await settled(pilot)
        await pilot.click(app.log_.list.view_of(messages[0].id))
        await settled(pilot)
        assert app.log_.keys.message == messages[0]


async def test_y_asks_for_the_source_to_be_copied() -> None:
    app = LogHost()
    async with running(app) as pilot:
        await app.log_.show_conversation([question(), reply("**source** 原文")])
        app.log_.focus()
        await pilot.press("y")
        await settled(pilot)
        assert app.copied == ["**source** 原文"]


async def test_enter_unfolds_the_thoughts() -> None:
    app = LogHost()
    async with running(app) as pilot:
        await app.log_.show_conversation([question(), reply("answer", thinking="deep thoughts")])
        app.log_.focus()
        await settled(pilot)
        assert "deep thoughts" not in screen_text(app)
        await pilot.press("enter")
        await settled(pilot)
        assert "deep thoughts" in screen_text(app)


def line_above(app: LogHost) -> str:
    """The id of the message below the memory line."""
    children = list(app.log_.children)
    at = next(index for index, child in enumerate(children) if isinstance(child, MemoryLine))
    return children[at + 1].message.id


def dimmed(app: LogHost) -> set[str]:
    return {view.message.id for view in app.query(MessageView) if view.has_class("-dimmed")}


async def test_the_memory_line_stands_above_the_first_message_that_is_sent() -> None:
    app = LogHost()
    async with running(app, (120, 40)) as pilot:
        messages = talk(20)
        await app.log_.show_conversation(messages)
        app.log_.memory.show(Memory(messages[14].id, 22900, 30720, 14))
        await settled(pilot)
        app.query_one(MemoryLine).scroll_visible(animate=False)
        await settled(pilot)
        row = next(row for row in screen_rows(app) if "the model sees from here" in row)
        assert "─ the model sees from here · 22,900 of 30,720 tokens · 14 older messages not sent ─" in row
        assert line_above(app) == messages[14].id
        assert dimmed(app) == {message.id for message in messages[:14]}


async def test_the_memory_line_moves_with_the_window() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(20)
        await app.log_.show_conversation(messages)
        app.log_.memory.show(Memory(messages[4].id, 100, 200, 4))
        await settled(pilot)
        app.log_.memory.show(Memory(messages[8].id, 150, 200, 8))
        await settled(pilot)
        assert line_above(app) == messages[8].id
        assert dimmed(app) == {message.id for message in messages[:8]}
        app.log_.memory.show(None)
        await settled(pilot)
        assert not app.query(MemoryLine)
        assert dimmed(app) == set()


async def test_where_nothing_is_sent_the_line_stands_behind_all() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(6)
        await app.log_.show_conversation(messages)
        app.log_.memory.show(Memory("", 5, 200, 6))
        await settled(pilot)
        line = app.query_one(MemoryLine)
        assert app.log_.children[-1] is line
        assert dimmed(app) == {message.id for message in messages}
        app.log_.memory.show(Memory("", 7, 200, 6))
        asked = question("and now?")
        app.log_.add(asked)
        await settled(pilot)
        assert line_above(app) == asked.id
        app.log_.memory.show(Memory(asked.id, 9, 200, 6))
        await settled(pilot)
        assert line_above(app) == asked.id
        app.log_.add(reply("nothing"))
        app.log_.memory.show(Memory("", 5, 200, 8))
        await settled(pilot)
        assert app.log_.children[-1] is app.query_one(MemoryLine)
        await app.log_.show_conversation(messages[:4])  # a shorter path: until it is counted there is no line
        await settled(pilot)
        assert not app.query(MemoryLine)


async def test_when_all_is_sent_there_is_no_line() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(6)
        await app.log_.show_conversation(messages)
        app.log_.memory.show(Memory(messages[0].id, 100, 200, 0))
        await settled(pilot)
        assert not app.query(MemoryLine)


async def test_the_memory_line_is_there_when_its_message_comes_into_the_window() -> None:
    app = LogHost()
    async with running(app) as pilot:
        log = app.log_
        messages = talk(200)
        await log.show_conversation(messages)
        log.memory.show(Memory(messages[120].id, 100, 200, 120))
        await settled(pilot)
        assert not app.query(MemoryLine)
        assert dimmed(app) == set()
        log.scroll_to(y=0, animate=False)
        await settled(pilot)
        assert line_above(app) == messages[120].id
        assert dimmed(app) == {message.id for message in messages[100:120]}
        log.scroll_to(y=0, animate=False)
        await settled(pilot)
        assert line_above(app) == messages[120].id
        assert dimmed(app) == {message.id for message in messages[60:120]}


async def test_a_narrow_screen_gets_the_short_form() -> None:
    app = LogHost()
    async with running(app, (50, 20)) as pilot:
        messages = talk(6)
        await app.log_.show_conversation(messages)
        app.log_.memory.show(Memory(messages[4].id, 22900, 30720, 4))
        await settled(pilot)
        app.query_one(MemoryLine).scroll_visible(animate=False)
        await settled(pilot)
        assert "the model sees from here · 4 not sent" in screen_text(app)
