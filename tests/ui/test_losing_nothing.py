"""What a person wrote survives switching, leaving, a second program and a disk that takes nothing."""

import shutil
import threading

import pytest
from doubles import Reply
from screenplay import press, say, shown, until

from qwen_tui.chat.drafts import Drafts, SavedDraft, Waiting
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.store import ConversationStore
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.storage import Storage
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.ui.widgets.notice import Notice


def paths(play) -> dict[str, list[str]]:
    store = ConversationStore(play.where.conversations)
    return {entry.name: [message.content for message in store.load(entry).path()] for entry in store.list()}


def composer(pilot):
    return pilot.app.screen.query_one("#composer")


async def test_each_conversation_keeps_its_draft_through_switching_and_a_restart(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot) and not composer(pilot).busy)
        await press(pilot, "half a thought")
        await pilot.press("ctrl+n")
        await until(pilot, lambda: composer(pilot).text == "" and "… first" in shown(pilot))
        await press(pilot, "another one")
        await pilot.press("f3", "enter")
        await until(pilot, lambda: composer(pilot).text == "half a thought")
    async with play.running(conversation="first") as pilot:
        assert composer(pilot).text == "half a thought"
    async with play.running() as pilot:
        assert composer(pilot).text == "another one"
        await pilot.press("enter")
        await until(pilot, lambda: "echo: another one" in shown(pilot))
    async with play.running() as pilot:
        assert composer(pilot).text == ""


async def test_the_draft_of_a_named_conversation_that_was_not_begun_comes_back_under_its_name(play) -> None:
    async with play.running(conversation="talk") as pilot:
        await press(pilot, "half a thought")
    async with play.running(conversation="another") as pilot:
        assert composer(pilot).text == ""
    async with play.running(conversation="talk") as pilot:
        assert composer(pilot).text == "half a thought"
    async with play.running() as pilot:
        assert composer(pilot).text == "half a thought"
        await pilot.press("enter")
        await until(pilot, lambda: paths(play) == {"talk": ["half a thought", "echo: half a thought"]})


async def test_what_was_written_for_new_conversations_is_reached_by_the_key_for_a_new_one(play) -> None:
    async def goes_to(pilot, text: str, notice: str) -> None:
        await pilot.press("ctrl+n")
        await until(pilot, lambda: composer(pilot).text == text and notice in shown(pilot))

    async with play.running() as pilot:
        await press(pilot, "older")
        await goes_to(pilot, "", "Things to try")
        await press(pilot, "newer")
        await goes_to(pilot, "older", "Ctrl+N again for an empty conversation")
        await goes_to(pilot, "", "Things to try")
        assert "Ctrl+N again" not in shown(pilot)
        await say(pilot, "first")
        await until(pilot, lambda: "echo: first" in shown(pilot) and not composer(pilot).busy)
    async with play.running(conversation="first") as pilot:
        await goes_to(pilot, "newer", "Ctrl+N again for an older one")
        await goes_to(pilot, "older", "Ctrl+N again for an empty conversation")
        await goes_to(pilot, "", "Things to try")
        await goes_to(pilot, "newer", "Ctrl+N again for an older one")
        await pilot.press("enter")
        await until(pilot, lambda: "echo: newer" in shown(pilot) and not composer(pilot).busy)
    assert paths(play) == {"first": ["first", "echo: first"], "newer": ["newer", "echo: newer"]}


async def test_settings_alone_make_no_conversation_to_come_back_to(play) -> None:
    left = "0" * 12
    Drafts(play.where.drafts).save(left, SavedDraft(is_new=True, overrides={"top_k": 5}))
    async with play.running(conversation="talk") as pilot:
        talk = pilot.app.screen.query_one("#talk")
        before = talk.session.conversation.id
        await pilot.press("ctrl+n")
        await until(pilot, lambda: talk.session.conversation.id != before)
        assert talk.session.conversation.id != left


async def test_messages_that_nobody_answered_come_back_when_the_program_is_left(play) -> None:
    play.may_open.clear()
    async with play.running() as pilot:
        await say(pilot, "one")
        await say(pilot, "two")
        await press(pilot, "thr")
        await until(pilot, lambda: shown(pilot).count("waiting") == 2)
    async with play.running() as pilot:
        assert composer(pilot).text == "one\n\ntwo\n\nthr"
        assert paths(play) == {}


async def test_a_message_that_was_accepted_before_the_program_was_killed_does_not_come_back(play) -> None:
    async with play.running() as pilot:
        await say(pilot, "one")
        await until(pilot, lambda: "echo: one" in shown(pilot) and not composer(pilot).busy)
    store = ConversationStore(play.where.conversations)
    conversation = store.load(store.list()[0])
    waiting = (Waiting(conversation.path()[0].id, "one"), Waiting("0" * 12, "one"))
    Drafts(play.where.drafts).save(conversation.id, SavedDraft(waiting=waiting))
    turns = TurnQueue()
    assert DraftKeeper(Drafts(play.where.drafts), turns, Storage()).open(conversation).draft.text == "one"
    empty = Conversation(name="x", id=conversation.id)
    assert DraftKeeper(Drafts(play.where.drafts), turns, Storage()).open(empty).draft.text == "one\n\none"
    turns.close(1)


async def test_a_conversation_that_another_program_has_open_is_only_read_until_that_has_gone(play) -> None:
    async with play.running() as first:
        await say(first, "mine")
        await until(first, lambda: "echo: mine" in shown(first) and not composer(first).busy)
        async with play.running(conversation="mine") as second:
            await until(second, lambda: "echo: mine" in shown(second) and "another qwen-tui" in shown(second))
            await say(second, "me too")
            await until(second, lambda: composer(second).text == "me too")
            assert paths(play) == {"mine": ["mine", "echo: mine"]}
            await first.press("ctrl+n")
            await until(first, lambda: "Things to try" in shown(first))
            await until(second, lambda: "you can write here again" in shown(second))
            await second.press("enter")
            await until(second, lambda: "echo: me too" in shown(second))
    assert paths(play) == {"mine": ["mine", "echo: mine", "me too", "echo: me too"]}


async def say_what_cannot_be_saved(play, pilot) -> None:
    await say(pilot, "one")
    await until(pilot, lambda: "echo: one" in shown(pilot) and not composer(pilot).busy)
    shutil.rmtree(play.where.conversations)
    play.where.conversations.write_text("in the way")
    await say(pilot, "two")


async def test_what_cannot_be_saved_is_said_and_saved_when_it_can_be(play) -> None:
    async with play.running() as pilot:
        await say_what_cannot_be_saved(play, pilot)
        await until(pilot, lambda: "echo: two" in shown(pilot) and "not saved" in shown(pilot).lower())
        await pilot.press("ctrl+q")
        await until(pilot, lambda: "again" in shown(pilot).lower())
        assert pilot.app.is_running
        play.where.conversations.unlink()
        await until(pilot, lambda: paths(play) == {"one": ["one", "echo: one", "two", "echo: two"]})


async def test_what_could_not_be_saved_is_said_beside_another_conversation_too(play) -> None:
    async with play.running() as pilot:
        await say_what_cannot_be_saved(play, pilot)
        await until(pilot, lambda: "not saved" in shown(pilot).lower() and not composer(pilot).busy)
        await pilot.press("ctrl+n")
        await until(pilot, lambda: "Things to try" in shown(pilot) and "not saved" in shown(pilot).lower())
        play.where.conversations.unlink()
        await until(pilot, lambda: "Saving works again" in shown(pilot))


async def test_a_conversation_is_trashed_renamed_and_both_are_taken_back(play) -> None:
    async with play.running(size=(150, 36)) as pilot:
        await say(pilot, "one")
        await until(pilot, lambda: "echo: one" in shown(pilot) and not composer(pilot).busy)
        await pilot.press("f3", "r", "ctrl+u")
        await press(pilot, "other")
        await pilot.press("enter")
        await until(pilot, lambda: list(paths(play)) == ["other"])
        await pilot.press("ctrl+z")
        await until(pilot, lambda: list(paths(play)) == ["one"])
        await pilot.press("delete")
        await until(pilot, lambda: paths(play) == {} and "Moved to trash" in shown(pilot))
        await pilot.press("ctrl+z")
        await until(pilot, lambda: paths(play) == {"one": ["one", "echo: one"]})


@pytest.mark.parametrize(("width", "end"), [(60, 60), (80, 80), (120, 84)])
async def test_what_is_said_while_the_list_lies_over_the_talk_is_seen_beside_it(play, width, end) -> None:
    def beside_the_list() -> str:
        return " ".join(" ".join(line[44:end] for line in shown(pilot).splitlines()).split())

    async with play.running(size=(width, 24)) as pilot:
        await say(pilot, "one")
        await until(pilot, lambda: "echo: one" in shown(pilot) and not composer(pilot).busy)
        await pilot.press("f3", "delete")
        notice = pilot.app.screen.query_one(Notice)
        await until(pilot, lambda: "trash" in notice.text and notice.text in beside_the_list())


async def test_leaving_in_the_middle_of_a_reply_keeps_what_there_is_of_it(play) -> None:
    play.engine.replies = [Reply(["so far ", "never"], gate=threading.Event())]
    async with play.running() as pilot:
        await say(pilot, "go")
        await until(pilot, lambda: "so far" in shown(pilot))
    assert paths(play) == {"go": ["go", "so far "]}
    async with play.running(conversation="go") as pilot:
        await until(pilot, lambda: "so far" in shown(pilot))
        await pilot.press("shift+tab", "c")
        await until(pilot, lambda: paths(play) == {"go": ["go", "so far echo: so far "]})
