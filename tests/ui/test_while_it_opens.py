"""Text, replies and the screen itself survive what a person does while a disk takes its time."""

import threading

import pytest
from doubles import Reply
from screenplay import press, say, shown, until
from test_right_place import box, go_to

from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.host import Failed
from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.conversations.pane import ConversationsPane

WIDE = (150, 36)


def paths(play) -> dict[str, list[str]]:
    store = ConversationStore(play.where.conversations)
    return {entry.name: [message.content for message in store.load(entry).path()] for entry in store.list()}


async def talk(pilot, name: str) -> None:
    await say(pilot, name)
    await until(pilot, lambda: f"echo: {name}" in shown(pilot) and not box(pilot).busy)


async def new(pilot) -> None:
    await pilot.press("ctrl+n")
    await until(pilot, lambda: "Things to try" in shown(pilot))


async def hold(pilot, disk):
    """Let the storage thread wait for the disk."""
    disk.stop()
    pilot.app.screen.chat.session.adjust(lambda it: it)
    pilot.app.screen.run_worker(pilot.app.screen._autosave.save())
    await until(pilot, lambda: disk.waits)


def choose(pilot, name: str) -> None:
    pane = pilot.app.screen.conversations
    own_id = next(row.id for row in pane._list.rows if row.title == name)
    pane.post_message(ConversationsPane.Chosen(own_id))


async def test_what_is_typed_while_a_conversation_opens_is_its_own_though_another_one_is_gone_to(
    play, disk
) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        await new(pilot)
        await talk(pilot, "two")
        await new(pilot)
        await talk(pilot, "three")
        await hold(pilot, disk)
        choose(pilot, "one")
        await pilot.pause()
        await press(pilot, "of one")
        choose(pilot, "two")
        await pilot.pause()
        await press(pilot, "of two")
        disk.is_quick.set()
        await until(pilot, lambda: box(pilot).title == "two")
        assert box(pilot).text == "of two"
        await go_to(pilot, "one")
        assert box(pilot).text == "of one"


async def test_what_is_sent_while_a_conversation_opens_is_asked_in_it_though_another_one_is_gone_to(
    play, disk
) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        await new(pilot)
        await talk(pilot, "two")
        await new(pilot)
        await talk(pilot, "three")
        await hold(pilot, disk)
        choose(pilot, "one")
        await pilot.pause()
        await say(pilot, "of one")
        choose(pilot, "two")
        await pilot.pause()
        disk.is_quick.set()
        await until(pilot, lambda: box(pilot).title == "two")
        await until(pilot, lambda: len(paths(play)["one"]) == 4)
        assert paths(play)["one"] == ["one", "echo: one", "of one", "echo: of one"]
        assert paths(play)["two"] == ["two", "echo: two"]


async def test_a_message_that_is_edited_while_another_conversation_opens_stays_where_it_is(
    play, disk
) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        await new(pilot)
        await talk(pilot, "two")
        await hold(pilot, disk)
        choose(pilot, "one")
        await pilot.pause()
        await pilot.press("shift+tab", "up", "e")
        await pilot.pause()
        disk.is_quick.set()
        await until(pilot, lambda: box(pilot).title == "one")
        assert "two" not in box(pilot).text


async def test_what_was_sent_to_a_conversation_that_cannot_be_opened_is_not_asked_in_another(
    play, disk
) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        await new(pilot)
        await talk(pilot, "two")
        await hold(pilot, disk)
        pilot.app.screen.conversations.post_message(ConversationsPane.Chosen("0" * 12))
        await pilot.pause()
        await say(pilot, "of the lost")
        await press(pilot, "more")
        disk.is_quick.set()
        await until(pilot, lambda: "of the lost" in shown(pilot))
        await until(pilot, lambda: box(pilot).text == "of the lost\n\nmore")
        assert paths(play)["two"] == ["two", "echo: two"]


async def test_the_screen_is_complete_before_the_storage_thread_has_answered(play, disk) -> None:
    async with play.running_at_once(size=(90, 30)) as pilot:
        blocked = threading.Event()
        pilot.app._storage.run(blocked.wait)
        try:
            await until(pilot, lambda: pilot.app.screen.chat.transcript.log_widget is not None)
            await press(pilot, "x")
            await until(pilot, lambda: "x" in shown(pilot))
            await pilot.press("f2")
            await until(pilot, lambda: pilot.app.screen.query_one("#settings").has_focus_within, 3)
        finally:
            blocked.set()


@pytest.mark.parametrize("is_shown", [True, False], ids=["shown", "another is shown"])
async def test_two_edits_of_one_message_both_come_back(play, is_shown: bool) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        gate = threading.Event()
        play.engine.replies = [Reply(["a", "b"], gate=gate)]
        await say(pilot, "more")
        await until(pilot, lambda: len(play.engine.asked) == 2)
        own_id = pilot.app.screen.shown.conversation.path()[0].id
        box(pilot).edit(own_id, "second", is_reply=False)
        await pilot.press("enter")
        await until(pilot, lambda: "waiting" in shown(pilot))
        box(pilot).edit(own_id, "one", is_reply=False)
        await press(pilot, " third")
        if not is_shown:
            await new(pilot)
        pilot.app.screen.chat.outbox.take_all_back()
        if not is_shown:
            await go_to(pilot, "one")
        await until(pilot, lambda: "second" in box(pilot).text and "third" in box(pilot).text)
        gate.set()


async def test_an_edit_that_is_refused_stays_an_edit_through_switching(play) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        own_id = pilot.app.screen.shown.conversation.path()[0].id
        box(pilot).edit(own_id, "word " * 500, is_reply=False)
        await pilot.press("enter")
        await until(pilot, lambda: "505" in shown(pilot) and box(pilot).editing is not None)
        await new(pilot)
        await go_to(pilot, "one")
        assert box(pilot).editing is not None
        assert box(pilot).text.startswith("word word")


async def test_a_question_is_not_deleted_that_has_been_asked_again_meanwhile(play, disk) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        await talk(pilot, "two")
        gate = threading.Event()
        play.engine.replies = [Reply(["a", "b"], gate=gate)]
        await hold(pilot, disk)
        await pilot.press("shift+tab", "up")
        await pilot.press("d", "ctrl+r")
        await until(pilot, lambda: box(pilot).busy)
        disk.is_quick.set()
        await until(pilot, lambda: "A reply is running" in shown(pilot))
        gate.set()
        await until(pilot, lambda: not box(pilot).busy and "ab" in shown(pilot))
        assert "echo: one" in shown(pilot)
        assert paths(play) == {"one": ["one", "echo: one", "two", "ab"]}


async def test_a_reply_written_anew_where_nothing_can_be_written_stays_in_the_message_box(play) -> None:
    async with play.running() as first:
        await talk(first, "mine")
        async with play.running(conversation="mine") as second:
            await until(second, lambda: "another qwen-tui" in shown(second) and "echo: mine" in shown(second))
            reply = second.app.screen.shown.conversation.path()[-1]
            box(second).edit(reply.id, reply.content, is_reply=True)
            await press(second, " changed")
            await second.press("enter")
            await until(second, lambda: box(second).text != "")
            assert "changed" in box(second).text


async def test_a_message_that_comes_back_stays_out_of_the_edit_of_another_one(play) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        own_id = pilot.app.screen.shown.conversation.path()[0].id
        gate = threading.Event()
        play.engine.replies = [Reply(["a", "b"], gate=gate)]
        await say(pilot, "more")
        await until(pilot, lambda: len(play.engine.asked) == 2)
        await say(pilot, "waits")
        await until(pilot, lambda: "waiting" in shown(pilot))
        await press(pilot, "draft")
        box(pilot).edit(own_id, "one", is_reply=False)
        await pilot.press("ctrl+c")
        await until(pilot, lambda: "back in the message box" in shown(pilot))
        assert box(pilot).text == "one"
        await pilot.press("escape")
        assert box(pilot).text == "waits\n\ndraft"
        gate.set()


async def test_what_is_sent_ahead_has_the_model_loaded_again_though_another_one_is_gone_to(
    play, disk
) -> None:
    async with play.running(size=WIDE) as pilot:
        await talk(pilot, "one")
        await new(pilot)
        await talk(pilot, "two")
        play.open_error = QwenTuiError("engine.out_of_memory")
        await pilot.app.run_action("load_model")
        await until(pilot, lambda: isinstance(pilot.app.engine_state, Failed))
        play.open_error = None
        await hold(pilot, disk)
        choose(pilot, "one")
        await pilot.pause()
        await say(pilot, "of one")
        choose(pilot, "two")
        await pilot.pause()
        disk.is_quick.set()
        await until(pilot, lambda: paths(play)["one"] == ["one", "echo: one", "of one", "echo: of one"])


async def test_what_is_typed_while_another_one_opens_is_not_taken_by_one_that_can_be_written_in_again(
    play,
) -> None:
    async with play.running() as pilot:
        await talk(pilot, "one")
        await new(pilot)
        await talk(pilot, "two")
    async with play.running(conversation="one") as first:
        await until(first, lambda: "echo: one" in shown(first))
        async with play.running(size=WIDE, conversation="one") as second:
            await until(second, lambda: "another qwen-tui" in shown(second) and "echo: one" in shown(second))
            may_go_on = threading.Event()
            second.app._storage.run(lambda: may_go_on.wait(20))
            own_id = first.app.screen.shown.conversation.id
            await first.press("ctrl+n")
            await until(first, lambda: own_id not in first.app._library._open)
            second.app.screen.run_worker(second.app.screen._switching.take_over())
            await second.pause()
            choose(second, "two")
            await second.pause()
            await press(second, "for two")
            may_go_on.set()
            await until(second, lambda: box(second).title == "two")
            assert box(second).text == "for two"
            choose(second, "one")
            await until(
                second, lambda: box(second).title == "one" and not second.app.screen.shown.is_read_only
            )
            assert box(second).text == ""


async def test_who_has_gone_on_is_not_brought_back_to_one_that_can_be_written_in_again(play) -> None:
    async with play.running() as pilot:
        await talk(pilot, "one")
        await new(pilot)
        await talk(pilot, "two")
    async with play.running(conversation="one") as first:
        await until(first, lambda: "echo: one" in shown(first))
        async with play.running(size=WIDE, conversation="one") as second:
            await until(second, lambda: "another qwen-tui" in shown(second) and "echo: one" in shown(second))
            own_id = first.app.screen.shown.conversation.id
            switching = second.app.screen._switching
            await switching._lock.acquire()
            choose(second, "two")
            await until(second, lambda: switching._lock._waiters)
            await first.press("ctrl+n")
            await until(first, lambda: own_id not in first.app._library._open)
            switching._lock.release()
            await switching.take_over()
            assert box(second).title == "two"
            assert second.app.screen.shown.conversation.name == "two"
