"""Finding in the open conversation, and going on in a copy of it."""

import threading
import time

from doubles import Reply
from screenplay import press, say, shown, until
from work import pieces

from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.chat.store import ConversationStore


def seed(play, texts: list[str]) -> None:
    conversation = Conversation(name="talk", named_by_person=True)
    for number, text in enumerate(texts):
        role = Role.ASSISTANT if number % 2 else Role.USER
        conversation = conversation.with_message(Message(role=role, content=text, parent=conversation.head))
    ConversationStore(play.where.conversations).save(conversation)


def cursor(pilot) -> str:
    message = pilot.app.screen.query_one("MessageLog").keys.message
    return message.content if message is not None else ""


async def take(pilot, command: str) -> None:
    """Find a command in the palette and take it."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: "Search for commands" in shown(pilot))
    await press(pilot, command)
    await until(pilot, lambda: shown(pilot).count(command) >= 2)
    await pilot.press("enter")


async def test_the_last_line_names_the_keys_that_walk(play) -> None:
    async with play.running(size=(80, 24)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot))
        await pilot.press("ctrl+f")
        await until(pilot, lambda: "↑ Previous  ↓ Next  Esc Close" in shown(pilot))


async def test_what_is_typed_is_found_counted_and_walked_through(play) -> None:
    seed(play, [f"straw {n}\n\nmore\n\nmore" if n % 10 else f"the Needle {n}" for n in range(60)])
    async with play.running(conversation="talk") as pilot:
        await until(pilot, lambda: "straw 59" in shown(pilot))
        await pilot.press("ctrl+f")
        await press(pilot, "needle")
        await until(pilot, lambda: "6 / 6" in shown(pilot) and cursor(pilot) == "the Needle 50")
        await until(pilot, lambda: "the Needle 50" in shown(pilot))
        keys = ("enter", "up", "down", "shift+enter", "down", "up")
        for number, key in zip((40, 30, 40, 50, 0, 50), keys, strict=True):
            await pilot.press(key)
            await until(pilot, lambda number=number: cursor(pilot) == f"the Needle {number}")
            await until(pilot, lambda number=number: f"the Needle {number}" in shown(pilot))
        view = next(v for v in pilot.app.screen.query("MessageView") if v.body.content == "the Needle 50")
        marked = [s.text for s in view.render_line(1) if s.style is not None and s.style.reverse]
        assert marked == ["Needle"]
        await press(pilot, " nowhere")
        await until(pilot, lambda: "0 / 0" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").has_focus_within)
        assert "0 / 0" not in shown(pilot)
        assert not [s for s in view.render_line(1) if s.style is not None and s.style.reverse]


async def test_finding_goes_on_while_a_reply_is_written(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["first needle"]), Reply(["second ", "needle"], gate=gate)]
    async with play.running() as pilot:
        await say(pilot, "one")
        await until(
            pilot, lambda: "first needle" in shown(pilot) and not pilot.app.screen.query_one("#composer").busy
        )
        await say(pilot, "two")
        await until(pilot, lambda: "second" in shown(pilot))
        await pilot.press("ctrl+f")
        await press(pilot, "needle")
        await until(pilot, lambda: "1 / 1" in shown(pilot))
        gate.set()
        await until(pilot, lambda: "1 / 2" in shown(pilot))
        assert cursor(pilot) == "first needle"
        await pilot.press("down")
        await until(pilot, lambda: "2 / 2" in shown(pilot) and cursor(pilot) == "second needle")


async def test_esc_ends_finding_wherever_the_keyboard_is(play) -> None:
    seed(play, ["the needle", "straw"])
    async with play.running(conversation="talk") as pilot:
        await until(pilot, lambda: "straw" in shown(pilot))
        for place in ("#composer", "#log"):
            await pilot.press("ctrl+f")
            await press(pilot, "needle")
            await until(pilot, lambda: "1 / 1" in shown(pilot))
            pilot.app.screen.query_one(place).focus()
            await until(pilot, lambda place=place: pilot.app.screen.query_one(place).has_focus_within)
            await pilot.press("escape")
            await until(pilot, lambda: "1 / 1" not in shown(pilot))
            await until(pilot, lambda: pilot.app.screen.query_one("#composer").has_focus_within)


async def test_esc_ends_finding_before_it_stops_the_reply(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["half ", "whole"], gate=gate)]
    async with play.running() as pilot:
        await say(pilot, "one")
        await until(pilot, lambda: "half" in shown(pilot))
        await pilot.press("ctrl+f")
        await press(pilot, "one")
        await until(pilot, lambda: "1 / 1" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "1 / 1" not in shown(pilot))
        gate.set()
        await until(pilot, lambda: "half whole" in shown(pilot))


async def test_another_conversation_is_read_without_what_was_looked_for_in_this_one(play) -> None:
    seed(play, ["the needle", "straw"])
    async with play.running(size=(150, 36), conversation="talk") as pilot:
        await until(pilot, lambda: "straw" in shown(pilot))
        await pilot.press("ctrl+f")
        await press(pilot, "needle")
        await until(pilot, lambda: "1 / 1" in shown(pilot))
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "1 / 1" not in shown(pilot) and "Things to try" in shown(pilot))
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").has_focus_within)
        await pilot.press("f3", "enter")
        await until(pilot, lambda: "the needle" in shown(pilot))
        views = pilot.app.screen.query("MessageView")
        assert not [s for v in views for s in v.render_line(1) if s.style is not None and s.style.reverse]


async def test_typing_stays_fluent_in_a_long_conversation(play) -> None:
    seed(play, [f"word{n % 97} " * 60 for n in range(5_000)])
    async with play.running(conversation="talk") as pilot:
        await until(pilot, lambda: "word" in shown(pilot))
        await pilot.press("ctrl+f")
        await pilot.press("w")
        await until(pilot, lambda: "5000 / 5000" in shown(pilot))
        began = time.process_time()
        await press(pilot, "ord50")
        await until(
            pilot, lambda: f"{5000 // 97} / {5000 // 97}" in shown(pilot) or "52 / 52" in shown(pilot)
        )
        assert pieces(time.process_time() - began) < 200


async def test_a_copy_is_made_and_talked_in(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "one")
        await until(
            pilot, lambda: "echo: one" in shown(pilot) and not pilot.app.screen.query_one("#composer").busy
        )
        await pilot.press("f3", "d")
        await until(pilot, lambda: "This is the copy" in shown(pilot) and "one 2" in shown(pilot))
        await say(pilot, "two")
        await until(pilot, lambda: "echo: two" in shown(pilot))
        store = ConversationStore(play.where.conversations)
        lengths = {entry.name: len(store.load(entry).messages) for entry in store.list()}
        assert lengths == {"one": 2, "one 2": 4}


async def test_the_palette_finds_in_the_conversation_and_makes_a_copy_of_it(play) -> None:
    seed(play, ["the needle", "straw"])
    async with play.running(conversation="talk") as pilot:
        await until(pilot, lambda: "straw" in shown(pilot))
        await take(pilot, "Find in the conversation")
        await until(pilot, lambda: pilot.app.screen.query("FindBar Input:focus"))
        await press(pilot, "needle")
        await until(pilot, lambda: "1 / 1" in shown(pilot))
        await take(pilot, "Duplicate the conversation")
        await until(pilot, lambda: "This is the copy" in shown(pilot) and "talk 2" in shown(pilot))
        await until(pilot, lambda: "1 / 1" not in shown(pilot) and "the needle" in shown(pilot))
        await until(pilot, lambda: pilot.app.screen.query_one("#composer").has_focus_within)
        names = {entry.name for entry in ConversationStore(play.where.conversations).list()}
        assert names == {"talk", "talk 2"}
