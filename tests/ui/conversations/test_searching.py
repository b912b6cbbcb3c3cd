"""Finding a conversation by what was said in it, and the message itself."""

import json

from doubles import Reply
from screenplay import press, say, shown, until
from textual import events

from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.chat.store import ConversationStore


def seed(play, count: int = 30) -> None:
    store = ConversationStore(play.where.conversations)
    for number in range(count):
        conversation = Conversation(name=f"talk {number}")
        for turn in range(12):
            text = f"the needle of {number}" if (number, turn) == (7, 2) else f"hay {number} {turn}\n\nmore"
            role = Role.ASSISTANT if turn % 2 else Role.USER
            conversation = conversation.with_message(
                Message(role=role, content=text, parent=conversation.head)
            )
        store.save(conversation)


async def test_enter_on_a_hit_opens_the_conversation_at_the_message(play) -> None:
    seed(play)
    async with play.running(size=(150, 30)) as pilot:
        await until(pilot, lambda: "talk 29" in shown(pilot))
        await pilot.press("f3", "slash")
        await press(pilot, "NEEDLE")
        await until(pilot, lambda: "the needle of 7" in shown(pilot) and "talk 26" not in shown(pilot))
        await pilot.press("enter", "enter")
        log = pilot.app.screen.query_one("MessageLog")
        await until(pilot, lambda: log.has_focus and log.keys.message is not None)
        await until(pilot, lambda: log.keys.message.content == "the needle of 7")
        await until(pilot, lambda: shown(pilot).count("the needle of 7") == 2)


async def test_a_hit_on_another_branch_brings_that_branch_to_the_front(play) -> None:
    play.engine.replies = [Reply(["the needle"]), Reply(["only hay"])]
    async with play.running(size=(150, 30)) as pilot:
        await say(pilot, "go")
        await until(
            pilot, lambda: "the needle" in shown(pilot) and not pilot.app.screen.query_one("#composer").busy
        )
        await pilot.press("ctrl+r")
        await until(
            pilot, lambda: "only hay" in shown(pilot) and not pilot.app.screen.query_one("#composer").busy
        )
        await pilot.press("f3", "slash")
        await press(pilot, "needle")
        await until(pilot, lambda: "the needle" in shown(pilot))
        await pilot.press("enter", "enter")
        await until(pilot, lambda: "‹ 1 / 2 ›" in shown(pilot) and "only hay" not in shown(pilot))
        await pilot.press("right")
        await until(pilot, lambda: "only hay" in shown(pilot))


async def test_typing_on_answers_the_newest_question_only(play) -> None:
    seed(play)
    broken = play.where.conversations / "talk 3.json"
    async with play.running(size=(150, 30)) as pilot:
        await until(pilot, lambda: "talk 29" in shown(pilot))
        broken.write_text(json.dumps({"version": 1, "messages": "?"}))
        await pilot.press("f3", "slash")
        await press(pilot, "hay 12 11")
        await until(pilot, lambda: "hay 12 11" in shown(pilot) and "talk 11" not in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "talk 29" in shown(pilot))


async def test_a_pane_over_the_log_loses_no_wide_character(play) -> None:
    store = ConversationStore(play.where.conversations)
    names = ["广州美食", "a广州美食", "早茶和晚茶", "中" * 30, "x" + "中" * 30]
    for name in names:
        question = Message(role=Role.USER, content="你好" * 60)
        store.save(Conversation(name=name, named_by_person=True).with_message(question))
    for width in (60, 80, 81, 120):
        async with play.running(size=(width, 24)) as pilot:
            await pilot.press("f3")
            await until(pilot, lambda: "早茶和晚茶" in shown(pilot))
            for name in names:
                assert name[:8] in shown(pilot)
            assert all(len(strip.text) <= width for strip in pilot.app.screen._compositor.render_strips())
            assert all(strip.cell_length == width for strip in pilot.app.screen._compositor.render_strips())


async def test_keys_in_a_burst_meet_the_pane_that_the_first_of_them_opened(play) -> None:
    seed(play)
    for width in (80, 150):
        async with play.running(size=(width, 30)) as pilot:
            await until(pilot, lambda: pilot.app.screen.query("ConversationList"))
            keys = ["f3", "slash", *"needle"]
            characters = [None, "/", *"needle"]
            for key, character in zip(keys, characters, strict=True):
                pilot.app.post_message(events.Key(key, character))
            await until(pilot, lambda: "the needle of 7" in shown(pilot))
            assert pilot.app.screen.query_one("#composer").text == ""
