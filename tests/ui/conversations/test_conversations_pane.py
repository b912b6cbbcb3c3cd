"""The list of conversations and what is done to them there, on the whole screen."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from doubles import Reply
from screenplay import press, say, shown, until

from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.chat.store import ConversationStore
from qwen_tui.ui.conversations.list import ConversationList
from qwen_tui.ui.conversations.pane import ConversationsPane
from qwen_tui.ui.conversations.rename_field import RenameField

WIDE = (150, 30)


def seed(play, *names: str, pinned: str = "", said: str = "hay") -> None:
    """A conversation of each name, the one used last first."""
    store = ConversationStore(play.where.conversations)
    for minutes, name in enumerate(names, 1):
        conversation = Conversation(name=name, named_by_person=True, pinned=name == pinned)
        for role, text in ((Role.USER, f"{said} {name}"), (Role.ASSISTANT, f"echo: {said} {name}")):
            message = Message(role=role, content=text, parent=conversation.head)
            conversation = conversation.with_message(message)
        then = datetime.now(UTC) - timedelta(minutes=minutes)
        store.save(replace(conversation, updated=then.isoformat(timespec="milliseconds")))


def names(play) -> list[str]:
    """What the conversations are called on the disk, the one used last first."""
    return [entry.name for entry in ConversationStore(play.where.conversations).list()]


def rows(pilot) -> list[str]:
    """The titles in the list, with a sign before them where there is one."""
    listed = pilot.app.screen.query_one(ConversationList)
    return [f"{'▴ ' if row.pinned else ''}{row.title}" for row in listed.rows]


def under_the_cursor(pilot) -> str:
    row = pilot.app.screen.query_one(ConversationList).row
    return row.title if row is not None else ""


def messages(pilot) -> list[object]:
    """The widgets that show messages."""
    return list(pilot.app.screen.query("MessageView"))


async def in_the_list(pilot, count: int) -> None:
    """Go to the list when it has this many rows."""
    await until(pilot, lambda: pilot.app.screen.query(ConversationList) and len(rows(pilot)) == count)
    await pilot.press("f3")
    await until(pilot, lambda: isinstance(pilot.app.focused, ConversationList))


async def take(pilot, command: str) -> None:
    """Find a command in the palette and take it."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: "Search for commands" in shown(pilot))
    await press(pilot, command)
    await until(pilot, lambda: shown(pilot).count(command) >= 2)
    await pilot.press("enter")


async def write_name(pilot, name: str) -> None:
    """Write another name into the field, and see on which line that is."""
    await until(pilot, lambda: isinstance(pilot.app.focused, RenameField))
    await pilot.press("ctrl+u")
    await press(pilot, name)
    await pilot.press("enter")
    await until(pilot, lambda: not pilot.app.screen.query(RenameField))


def field_line(pilot) -> str:
    """The line of the screen that the field for a name lies over, as it is below the field."""
    field = pilot.app.screen.query_one(RenameField)
    listed = pilot.app.screen.query_one(ConversationList)
    return listed.render_line(field.region.y - listed.region.y).text


async def test_what_is_pinned_stands_on_top_and_undo_lets_it_go_again(play) -> None:
    seed(play, "a", "b", "c")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 3)
        await pilot.press("down", "p")
        await until(pilot, lambda: rows(pilot) == ["▴ b", "a", "c"])
        assert under_the_cursor(pilot) == "b"
        await pilot.press("ctrl+z")
        await until(pilot, lambda: rows(pilot) == ["a", "b", "c"] and "Unpinned" in shown(pilot))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "Nothing to undo" in shown(pilot))


async def test_after_trashing_the_cursor_is_on_the_next_row(play) -> None:
    seed(play, "a", "b", "c")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 3)
        await pilot.press("delete")
        await until(pilot, lambda: rows(pilot) == ["b", "c"] and under_the_cursor(pilot) == "b")
        await pilot.press("end", "delete")
        await until(pilot, lambda: rows(pilot) == ["b"] and under_the_cursor(pilot) == "b")
        await pilot.press("delete", "enter", "r", "p")
        await until(pilot, lambda: "No conversations yet." in shown(pilot))
        await pilot.press("delete", "d", "r", "p", "enter")
        assert isinstance(pilot.app.focused, ConversationList)
        await pilot.press("ctrl+z")
        await until(pilot, lambda: rows(pilot) == ["b"])
        await pilot.press("n")
        await until(pilot, lambda: pilot.app.focused.id != "conversations" and not rows(pilot)[1:])


async def test_the_conversation_that_is_shown_is_trashed_and_a_new_one_is_shown(play) -> None:
    seed(play, "a", "b")
    async with play.running(size=WIDE, conversation="a") as pilot:
        await until(pilot, lambda: "echo: hay a" in shown(pilot))
        await in_the_list(pilot, 2)
        await pilot.press("delete")
        await until(pilot, lambda: "Things to try" in shown(pilot) and "Moved to trash" in shown(pilot))
        assert isinstance(pilot.app.focused, ConversationList)
        await pilot.press("ctrl+z", "home", "enter")
        await until(pilot, lambda: "echo: hay a" in shown(pilot))


async def test_a_copy_is_gone_on_in(play) -> None:
    seed(play, "a", "b")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 2)
        await pilot.press("down", "d")
        await until(pilot, lambda: "This is the copy" in shown(pilot) and "b 2" in rows(pilot))
        await until(pilot, lambda: "echo: hay b" in shown(pilot))


async def test_a_conversation_that_is_answered_is_not_trashed(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["so far", " on"], gate=gate)]
    async with play.running(size=WIDE) as pilot:
        await say(pilot, "go")
        await until(pilot, lambda: "so far" in shown(pilot))
        await in_the_list(pilot, 1)
        await pilot.press("delete")
        await until(pilot, lambda: "A reply is running" in shown(pilot))
        gate.set()
        await until(pilot, lambda: names(play) == ["go"])


async def test_a_name_is_written_over_its_row(play) -> None:
    seed(play, "a", "b", "c")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 3)
        await pilot.press("down", "r")
        await until(pilot, lambda: pilot.app.screen.query(RenameField) and "b" in field_line(pilot))
        await pilot.press("ctrl+u", *"nrpjk 新", "ctrl+z")
        await pilot.press("enter")
        await until(pilot, lambda: rows(pilot) == ["a", "nrpjk 新", "c"])
        assert isinstance(pilot.app.focused, ConversationList)
        assert sorted(names(play)) == ["a", "c", "nrpjk 新"]


@pytest.mark.parametrize("keys", [("x", "escape"), ("enter",), ("backspace", "enter"), ("x", "tab")])
async def test_a_name_is_kept_when_nothing_new_is_given(play, keys: tuple[str, ...]) -> None:
    seed(play, "a")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 1)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(pilot.app.focused, RenameField))
        await pilot.press(*keys)
        await until(pilot, lambda: not pilot.app.screen.query(RenameField))
        assert names(play) == ["a"]


async def test_in_what_a_search_found_too_a_name_is_written_over_its_own_row(play) -> None:
    seed(play, "a", "b", "c", said="needle")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 3)
        await pilot.press("slash")
        await press(pilot, "needle")
        await until(pilot, lambda: shown(pilot).count("needle ") >= 3)  # rows of two lines
        await pilot.press("enter", "j", "r")
        await until(pilot, lambda: pilot.app.screen.query(RenameField) and "b" in field_line(pilot))
        assert "needle" not in field_line(pilot)
        await write_name(pilot, "second")
        await until(pilot, lambda: sorted(names(play)) == ["a", "c", "second"])


async def test_the_palette_renames_the_conversation_that_is_shown(play) -> None:
    seed(play, "a", "b", "c")
    for size in (WIDE, (80, 24)):
        async with play.running(size=size, conversation="b") as pilot:
            await until(pilot, lambda: "echo: hay b" in shown(pilot))
            await in_the_list(pilot, 3)
            await pilot.press("end", "f3")
            await take(pilot, "Rename the conversation")
            await until(pilot, lambda: pilot.app.screen.query(RenameField) and "b " in field_line(pilot))
            await write_name(pilot, "other")
            await until(pilot, lambda: rows(pilot) == ["a", "other", "c"])
            await pilot.press("ctrl+z")
            await until(pilot, lambda: rows(pilot) == ["a", "b", "c"])


async def test_the_field_for_a_name_finds_its_row_though_the_pane_gets_its_place_afterwards(
    play, monkeypatch
) -> None:
    monkeypatch.setattr(ConversationsPane, "call_after_refresh", lambda _, callback, *given: callback(*given))
    seed(play, "a", "b", "c")
    async with play.running(size=(80, 24), conversation="a") as pilot:
        await until(pilot, lambda: "echo: hay a" in shown(pilot) and len(rows(pilot)) == 3)
        screen = pilot.app.screen
        screen.panels.drawer = "conversations"
        screen.conversations.rename(screen.shown.conversation.id)
        await until(pilot, lambda: screen.query(RenameField) and "a " in field_line(pilot))


async def test_a_search_does_not_keep_the_palette_from_renaming_what_is_shown(play) -> None:
    seed(play, "q", "b")
    async with play.running(size=WIDE, conversation="b") as pilot:
        await in_the_list(pilot, 2)
        await pilot.press("slash", "q", "enter")
        await until(pilot, lambda: rows(pilot) == ["q"])
        await take(pilot, "Rename the conversation")
        await write_name(pilot, "other")
        await until(pilot, lambda: rows(pilot) == ["q", "other"])


async def test_a_conversation_that_has_no_message_yet_keeps_the_name_that_it_was_given(play) -> None:
    seed(play, "a")
    async with play.running(size=WIDE) as pilot:
        await until(pilot, lambda: pilot.app.screen.query(ConversationList) and rows(pilot) == ["a"])
        await take(pilot, "Rename the conversation")
        await write_name(pilot, "tea")
        await until(pilot, lambda: "tea" in shown(pilot))
        assert names(play) == ["a"]
        await pilot.press("ctrl+z")
        await until(pilot, lambda: "Renamed back to “New conversation”" in shown(pilot))
        await take(pilot, "Rename the conversation")
        await write_name(pilot, "tea")
        await pilot.press("f3")
        await say(pilot, "what is good")
        await until(pilot, lambda: "echo: what is good" in shown(pilot))
        await until(pilot, lambda: names(play) == ["tea", "a"])


async def test_a_name_for_a_new_conversation_that_was_taken_back_leaves_it_to_its_first_message(play) -> None:
    async with play.running(size=WIDE) as pilot:
        await until(pilot, lambda: pilot.app.screen.query(ConversationList))
        await take(pilot, "Rename the conversation")
        await write_name(pilot, "tea")
        await pilot.press("ctrl+z", "f3")
        await say(pilot, "what is good")
        await until(pilot, lambda: names(play) == ["what is good"])


async def test_what_is_done_to_another_conversation_leaves_the_log_as_it_is(play) -> None:
    gate = threading.Event()
    play.engine.replies = [Reply(["so far", " on"], gate=gate)]
    seed(play, "a")
    async with play.running(size=WIDE) as pilot:
        await say(pilot, "go")
        await until(pilot, lambda: "so far" in shown(pilot))
        before = messages(pilot)
        await in_the_list(pilot, 2)
        await pilot.press("end", "p")
        await until(pilot, lambda: rows(pilot) == ["▴ a", "go"])
        await pilot.press("r")
        await write_name(pilot, "other")
        await until(pilot, lambda: rows(pilot) == ["▴ other", "go"])
        await pilot.press("delete")
        await until(pilot, lambda: rows(pilot) == ["go"])
        assert messages(pilot) == before
        gate.set()
        await until(pilot, lambda: "so far on" in shown(pilot))


async def test_at_first_the_cursor_stands_on_what_is_shown_or_was_used_last(play) -> None:
    seed(play, "a", "b", "old", pinned="old")
    for conversation, expected in ((None, "a"), ("b", "b"), ("old", "old")):
        async with play.running(size=WIDE, conversation=conversation) as pilot:
            await in_the_list(pilot, 3)
            assert under_the_cursor(pilot) == expected


async def test_a_search_narrows_the_list_until_it_is_ended(play) -> None:
    seed(play, "a", "广州美食", "c")
    async with play.running(size=WIDE) as pilot:
        await in_the_list(pilot, 3)
        await pilot.press("slash", *"美食")
        await until(pilot, lambda: rows(pilot) == ["广州美食"])
        await pilot.press("enter", "enter")
        await until(pilot, lambda: "echo: hay 广州美食" in shown(pilot))
        await pilot.press("f3", "escape")
        await until(pilot, lambda: len(rows(pilot)) == 3)
        await pilot.press("slash", *"zz")
        await until(pilot, lambda: "No title or message" in shown(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: len(rows(pilot)) == 3)


async def test_an_empty_list_says_how_to_begin(play) -> None:
    async with play.running(size=WIDE) as pilot:
        await until(pilot, lambda: "No conversations yet." in shown(pilot) and "start one." in shown(pilot))
