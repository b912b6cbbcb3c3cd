"""The log shows a conversation of any length, follows its end and keeps its place."""

import time
from dataclasses import replace

import pytest
from log_host import LogHost, question, reply, running, screen_rows, screen_text, settled, talk
from textual import events
from textual.message import Message as Posted
from work import pieces

from qwen_tui.chat.messages import Message
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.ui.transcript.virtual_list import MOST, OPENED, PAGE


def mounted(app: LogHost) -> list[str]:
    """The ids of the messages that have a widget, from top to bottom."""
    return [child.message.id for child in app.log_.children if isinstance(child, MessageView)]


def ids(messages: list[Message]) -> list[str]:
    return [message.id for message in messages]


async def test_an_empty_log_shows_the_welcome_until_something_is_said() -> None:
    app = LogHost()
    async with running(app) as pilot:
        assert "Things to try" in screen_text(app)
        app.log_.add(question("hello"))
        await settled(pilot)
        assert "Things to try" not in screen_text(app)
        assert "hello" in screen_text(app)
        await app.log_.show_conversation([])
        await settled(pilot)
        assert "Things to try" in screen_text(app)
        assert "hello" not in screen_text(app)


async def test_a_conversation_opens_at_its_end() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(500)
        await app.log_.show_conversation(messages)
        await settled(pilot)
        assert mounted(app) == ids(messages[-OPENED:])
        assert "answer 499" in screen_text(app)
        assert app.log_.is_following


async def test_five_thousand_messages_open_as_fast_as_fifty() -> None:
    app = LogHost()
    async with running(app, (120, 40)) as pilot:
        messages = talk(5000)
        began = time.process_time()
        await app.log_.show_conversation(messages)
        await pilot.pause()
        assert pieces(time.process_time() - began) < 130
        assert "answer 4999" in screen_text(app)


async def test_scrolling_up_mounts_older_messages_and_moves_nothing() -> None:
    app = LogHost()
    async with running(app) as pilot:
        log = app.log_
        messages = talk(300)
        await log.show_conversation(messages)
        await settled(pilot)
        # Every scroll by twelve rows has to show twelve new rows and the others twelve rows lower.
        for _ in range(50):
            before = screen_rows(app)[1:20]
            log.scroll_relative(y=-12, animate=False)
            await settled(pilot)
            assert screen_rows(app)[13:20] == before[:7]
        assert len(mounted(app)) > OPENED
        assert mounted(app) == ids(messages[-len(mounted(app)) :])


async def test_the_far_end_is_taken_away_and_comes_back() -> None:
    app = LogHost()
    async with running(app) as pilot:
        log = app.log_
        messages = talk(OPENED + 7 * PAGE)
        await log.show_conversation(messages)
        await settled(pilot)
        for _ in range(9):
            log.scroll_to(y=0, animate=False)
            await settled(pilot)
        assert mounted(app)[0] == messages[0].id
        assert len(mounted(app)) <= MOST
        assert not log.is_following
        for _ in range(9):
            log.scroll_to(y=log.max_scroll_y, animate=False)
            await settled(pilot)
        assert mounted(app)[-1] == messages[-1].id
        assert len(mounted(app)) <= MOST


async def test_home_and_end_go_to_the_ends_of_the_whole_conversation() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(1000)
        await app.log_.show_conversation(messages)
        await settled(pilot)
        app.log_.focus()
        await pilot.press("home")
        await settled(pilot)
        assert "question 0" in screen_text(app)
        await pilot.press("end")
        await settled(pilot)
        assert "answer 999" in screen_text(app)
        assert app.log_.is_following


async def test_of_many_far_places_asked_for_at_once_only_the_last_is_gone_to() -> None:
    app = LogHost()
    mounts: list[Posted] = []

    def note(posted: Posted) -> None:
        if isinstance(posted, events.Mount):
            mounts.append(posted)

    async with app.run_test(size=(80, 24), message_hook=note) as pilot:
        log, messages = app.log_, talk(3000)
        await settled(pilot)
        await log.show_conversation(messages)
        await settled(pilot)
        mounts.clear()
        for number in range(2500, 99, -100):
            log.list.go_to(messages[number].id)
        await settled(pilot)
        assert "question 100" in screen_text(app)
        assert 0 < len(mounts) <= MOST


async def test_a_near_place_asked_for_after_a_far_one_is_where_the_log_ends_up() -> None:
    app = LogHost()
    async with running(app) as pilot:
        log, messages = app.log_, talk(3000)
        await log.show_conversation(messages)
        await settled(pilot)
        log.list.go_to(messages[100].id)
        log.list.go_to(messages[2990].id)
        await settled(pilot)
        assert "question 2990" in screen_text(app)


async def test_the_end_asked_for_after_a_far_place_is_where_the_log_ends_up() -> None:
    app = LogHost()
    async with running(app) as pilot:
        log, messages = app.log_, talk(3000)
        await log.show_conversation(messages)
        await settled(pilot)
        log.list.go_to(messages[100].id)
        log.follow()
        await settled(pilot)
        assert "answer 2999" in screen_text(app)
        assert log.is_following


async def test_a_growing_reply_is_followed() -> None:
    app = LogHost()
    async with running(app) as pilot:
        await app.log_.show_conversation(talk(20))
        answer = reply("")
        app.log_.add(answer, streaming=True)
        for number in range(40):
            app.log_.list.view_of(answer.id).append_text(f"line {number}\n\n")
            await pilot.pause()
        assert "line 39" in screen_text(app)
        app.log_.list.finish(reply("the end", id=answer.id))
        await settled(pilot)
        assert "the end" in screen_text(app)
        assert app.log_.is_following


async def test_who_scrolled_up_is_left_in_peace() -> None:
    app = LogHost()
    async with running(app) as pilot:
        log = app.log_
        await log.show_conversation(talk(40))
        answer = reply("")
        log.add(answer, streaming=True)
        await settled(pilot)
        log.scroll_relative(y=-30, animate=False)
        await settled(pilot)
        before = screen_rows(app)[:20]
        for number in range(40):
            log.list.view_of(answer.id).append_text(f"line {number}\n\n")
            await pilot.pause()
        log.list.finish(reply("x\n\n" * 60, id=answer.id))
        await settled(pilot)
        assert screen_rows(app)[:20] == before
        assert "↓ Latest" in screen_text(app)
        assert not log.is_following


async def test_the_hint_leads_back_to_the_newest() -> None:
    app = LogHost()
    async with running(app) as pilot:
        await app.log_.show_conversation(talk(40))
        await settled(pilot)
        assert "↓ Latest" not in screen_text(app)
        app.log_.scroll_relative(y=-30, animate=False)
        await settled(pilot)
        await pilot.click("LatestHint")
        await settled(pilot)
        assert app.log_.is_following
        assert "↓ Latest" not in screen_text(app)


async def test_scrolling_close_to_the_end_follows_again() -> None:
    app = LogHost()
    async with running(app) as pilot:
        log = app.log_
        await log.show_conversation(talk(40))
        await settled(pilot)
        log.scroll_relative(y=-12, animate=False)
        await settled(pilot)
        assert not log.is_following
        log.focus()
        await pilot.press("pagedown")
        await settled(pilot)
        assert log.is_following


async def test_ones_own_message_is_scrolled_to() -> None:
    app = LogHost()
    async with running(app) as pilot:
        await app.log_.show_conversation(talk(200))
        await settled(pilot)
        app.log_.focus()
        await pilot.press("home")
        await settled(pilot)
        app.log_.add(question("my newest one"))
        await settled(pilot)
        assert "my newest one" in screen_text(app)
        assert app.log_.is_following


async def test_a_reply_that_streams_out_of_sight_is_whole_when_it_is_seen() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(800)
        await app.log_.show_conversation(messages)
        await settled(pilot)
        app.log_.focus()
        await pilot.press("home")
        await settled(pilot)
        answer = reply("")
        app.log_.add(answer, streaming=True)
        app.log_.list.view_of(answer.id).append_text("written out ")
        app.log_.list.view_of(answer.id).append_text("of sight")
        await settled(pilot)
        assert "out of sight" not in screen_text(app)
        await pilot.press("end")
        await settled(pilot)
        assert "written out of sight" in screen_text(app)
        app.log_.list.view_of(answer.id).append_text(" and then in it")
        await settled(pilot)
        assert "and then in it" in screen_text(app)


async def test_a_message_can_be_replaced_and_removed() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(4)
        await app.log_.show_conversation(messages)
        await settled(pilot)
        app.log_.list.finish(replace(messages[0], content="edited"))
        app.log_.list.remove(messages[1].id)
        await settled(pilot)
        assert "edited" in screen_text(app)
        assert "answer 1" not in screen_text(app)
        assert [message.id for message in app.log_.messages] == [
            messages[0].id,
            messages[2].id,
            messages[3].id,
        ]


async def test_another_branch_keeps_what_both_share() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(10)
        await app.log_.show_conversation(messages)
        await settled(pilot)
        kept = [app.log_.list.view_of(message.id) for message in messages[:9]]
        other = reply("another answer")
        await app.log_.show_conversation([*messages[:9], other])
        await settled(pilot)
        assert [app.log_.list.view_of(message.id) for message in messages[:9]] == kept
        assert "another answer" in screen_text(app)
        assert "answer 9" not in screen_text(app)


async def test_a_much_longer_branch_is_not_mounted_whole() -> None:
    app = LogHost()
    async with running(app) as pilot:
        messages = talk(1000)
        await app.log_.show_conversation(messages[:2])
        await settled(pilot)
        await app.log_.show_conversation(messages)
        await settled(pilot)
        assert mounted(app) == ids(messages[-OPENED:])
        assert "answer 999" in screen_text(app)


async def test_a_change_of_focus_restyles_no_message() -> None:
    app = LogHost()
    async with running(app) as pilot:
        await app.log_.show_conversation(talk(60))
        await settled(pilot)
        restyled: list[object] = []
        for message in app.log_.messages[:-1]:
            view = app.log_.list.view_of(message.id)
            view.notify_style_update = lambda: restyled.append(1)  # type: ignore[method-assign]
        app.log_.focus()
        await settled(pilot)
        app.query_one("#elsewhere").focus()
        await settled(pilot)
        assert restyled == []


@pytest.mark.parametrize("size", [(60, 20), (120, 36), (250, 80)])
async def test_any_size_of_terminal_will_do(size) -> None:
    app = LogHost()
    async with running(app, size) as pilot:
        await app.log_.show_conversation(talk(30))
        await settled(pilot)
        assert "answer 29" in screen_text(app)
        await pilot.resize_terminal(40, 12)
        await settled(pilot)
        assert "广州美食。" in screen_text(app)  # the last line of the last one
        assert app.log_.is_following


async def test_a_new_name_reaches_replies_that_do_not_tell_their_model() -> None:
    app = LogHost()
    async with running(app) as pilot:
        await app.log_.show_conversation([question(), reply("plain")])
        app.log_.assistant_name = "guide"
        await settled(pilot)
        assert "guide" in screen_text(app)


async def test_a_far_place_that_cannot_be_mounted_does_not_end_paging(monkeypatch) -> None:
    app = LogHost()
    async with running(app) as pilot:
        log, messages = app.log_, talk(500)
        await log.show_conversation(messages)
        await settled(pilot)

        async def fail() -> None:
            raise RuntimeError("no room")

        monkeypatch.setattr(log.list, "_arrange", fail)
        log.list.destination = messages[100].id
        with pytest.raises(RuntimeError):
            await log.list._go_far(messages[100].id)
        monkeypatch.undo()
        log.list._move(range(500)[-OPENED:])
        before = len(mounted(app))
        log.scroll_to(y=0, animate=False)
        await settled(pilot)
        assert len(mounted(app)) > before


async def test_a_far_message_that_is_removed_on_the_way_is_not_gone_to(monkeypatch) -> None:
    app = LogHost()
    async with running(app) as pilot:
        log, messages = app.log_, talk(500)
        await log.show_conversation(messages)
        await settled(pilot)
        arrange = log.list._arrange

        async def arrange_slowly() -> None:
            await arrange()
            log.list.remove(messages[100].id)

        monkeypatch.setattr(log.list, "_arrange", arrange_slowly)
        log.list.go_to(messages[100].id)
        await settled(pilot)
        await settled(pilot)
        assert messages[100].id not in mounted(app)
        monkeypatch.undo()
        log.list.go_to(messages[102].id)
        await settled(pilot)
        assert "question 102" in screen_text(app)


async def test_a_message_that_is_removed_while_others_are_mounted_is_not_mounted(monkeypatch) -> None:
    app = LogHost()
    async with running(app) as pilot:
        log, messages = app.log_, talk(100)
        await log.show_conversation(messages[:30])
        await settled(pilot)
        remove_children = log.remove_children

        async def remove_slowly(stale: object) -> None:
            await remove_children(stale)
            if log.list.position_of(messages[99].id) is not None:
                log.list.remove(messages[99].id)

        monkeypatch.setattr(log, "remove_children", remove_slowly)
        await log.show_conversation(messages[50:])
        await settled(pilot)
        assert mounted(app) == ids(messages[50:99])
