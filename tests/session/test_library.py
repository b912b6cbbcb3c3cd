"""Open conversations, undo, and two programs on one folder."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest
from doubles import ScriptedEngine

from qwen_tui.chat.drafts import Drafts, LeftBehind, SavedDraft
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.library import Library
from qwen_tui.session.session import ChatSession
from qwen_tui.session.undo import Undone
from qwen_tui.settings.options import Settings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "conversations"


@pytest.fixture
def library(folder: Path) -> Library:
    return Library(ConversationStore(folder))


def talked(library: Library, name: str, *texts: str) -> ChatSession:
    session = library.new(name)
    for text in texts:
        list(session.send(text, Settings(), ScriptedEngine(), threading.Event()))
    return session


def shown(session: ChatSession) -> list[str]:
    return [message.content for message in session.conversation.path()]


def test_renaming_and_trashing_can_be_undone(library) -> None:
    session = library.new()
    list(session.send("hello", Settings(), ScriptedEngine(), threading.Event()))
    own_id = session.conversation.id
    library.rename(own_id, "greetings")
    assert [entry.name for entry in library.entries()] == ["greetings"]
    library.trash(own_id)
    assert library.entries() == ()
    with pytest.raises(QwenTuiError):
        library.open(own_id)
    assert library.changes.undo() == Undone("undone.trash", own_id, "greetings")
    assert [entry.name for entry in library.entries()] == ["greetings"]
    assert library.changes.undo() == Undone("undone.rename", own_id, "hello")
    assert [entry.name for entry in library.entries()] == ["hello"]
    assert library.changes.undo() is None


def test_an_open_conversation_is_one_session(library) -> None:
    session = library.new("广州")
    list(session.send("你好", Settings(), ScriptedEngine(), threading.Event()))
    assert library.open_named("广州") is session
    library.let_go(lambda _: False)
    again = library.open_named("广州")
    assert again is not session
    assert [m.content for m in again.conversation.path()] == ["你好", "echo: 你好"]


def test_a_conversation_that_was_just_adjusted_stays_in_the_trash(library) -> None:
    session = library.new("mine")
    list(session.send("hello", Settings(), ScriptedEngine(), threading.Event()))
    session.adjust(lambda conversation: replace(conversation, overrides={"top_k": 3}))
    library.trash(session.conversation.id)
    session.save()
    assert library.entries() == ()
    library.changes.undo()
    (entry,) = library.entries()
    assert library.open(entry.id).conversation.overrides == {"top_k": 3}


def test_an_undo_that_failed_can_be_tried_again(library, tmp_path) -> None:
    session = library.new("mine")
    list(session.send("hello", Settings(), ScriptedEngine(), threading.Event()))
    library.trash(session.conversation.id)
    trash = tmp_path / "conversations" / "trash"
    trash.rename(tmp_path / "elsewhere")
    with pytest.raises(QwenTuiError):
        library.changes.undo()
    (tmp_path / "elsewhere").rename(trash)
    assert library.changes.undo() is not None


def test_a_deleted_turn_comes_back(library) -> None:
    session = talked(library, "mine", "one", "two", "three")
    before = shown(session)
    library.delete(session, session.conversation.path()[2].id)
    assert shown(session) == ["one", "echo: one", "three", "echo: three"]
    assert library.changes.next_conversation == session.conversation.id
    assert library.changes.undo() == Undone("undone.delete", session.conversation.id, "mine")
    assert shown(session) == before


def test_undo_reaches_a_conversation_that_was_closed_meanwhile(library) -> None:
    session = talked(library, "mine", "one", "two")
    library.delete(session, session.conversation.path()[2].id)
    library.let_go(lambda _: False)
    assert library.changes.undo() is not None
    assert shown(library.open(session.conversation.id)) == ["one", "echo: one", "two", "echo: two"]


def test_an_edit_is_undone_by_showing_what_was_there_and_the_edit_stays_beside_it(library) -> None:
    session = talked(library, "mine", "one", "two")
    question = session.conversation.path()[2]
    library.note_edit(session, question.id)
    list(session.edit(question.id, "better", Settings(), ScriptedEngine(), threading.Event()))
    reply_id = session.conversation.head or ""
    library.rewrite(session, reply_id, "my words")
    assert shown(session)[2:] == ["better", "my words"]
    library.changes.undo()
    assert shown(session)[2:] == ["better", "echo: better"]
    library.changes.undo()
    assert shown(session)[2:] == ["two", "echo: two"]
    assert len(session.conversation.messages) == 7


def test_a_copy_has_the_same_messages_under_a_name_and_file_of_its_own(library) -> None:
    session = talked(library, "mine", "one")
    session.adjust(lambda it: replace(it, pinned=True, overrides={"top_k": 3}))
    copy = library.open(library.duplicate(session.conversation.id))
    assert (copy.conversation.name, copy.conversation.pinned) == ("mine 2", False)
    assert copy.conversation.overrides == {"top_k": 3}
    assert copy.conversation.messages == session.conversation.messages
    list(copy.send("only here", Settings(), ScriptedEngine(), threading.Event()))
    assert shown(session) == ["one", "echo: one"]


def test_a_conversation_that_another_program_has_open_is_read_only_until_it_closes(library, folder) -> None:
    session = talked(library, "mine", "one")
    own_id = session.conversation.id
    other = Library(ConversationStore(folder))
    reader = other.open_named("mine")
    assert reader.is_read_only
    assert not session.is_read_only
    with pytest.raises(QwenTuiError, match="open"):
        other.trash(own_id)
    other.rename(own_id, "theirs")
    other.pin(own_id, True)
    list(session.send("two", Settings(), ScriptedEngine(), threading.Event()))
    assert (session.conversation.name, session.conversation.pinned) == ("theirs", True)
    assert other.open(own_id) is reader
    copy = other.open(other.duplicate(own_id))
    assert not copy.is_read_only
    assert shown(copy) == ["one", "echo: one", "two", "echo: two"]
    library.let_go(lambda _: False)
    writer = other.open(own_id)
    assert not writer.is_read_only
    assert shown(writer) == ["one", "echo: one", "two", "echo: two"]


def test_what_could_not_be_saved_stays_open_and_is_saved_when_it_can_be(library, folder) -> None:
    folder.write_text("a file stands where the folder should be")
    session = talked(library, "mine", "one")
    assert library.save_changes() is not None
    library.let_go(lambda _: False)
    folder.unlink()
    assert library.save_changes() is None
    assert session.is_saved
    other = Library(ConversationStore(folder))
    assert [entry.name for entry in other.entries()] == ["mine"]


def test_a_conversation_that_was_never_begun_is_taken_up_again_with_its_draft(
    library, folder, tmp_path
) -> None:
    drafts = Drafts(tmp_path / "drafts")
    begun = talked(library, "begun", "one")
    drafts.save("never-begun", SavedDraft("half a sent", is_new=True))
    drafts.save(begun.conversation.id, SavedDraft("more", is_new=False))
    assert drafts.left_behind() == (LeftBehind("never-begun", "", {}),)
    first = library.new_or_left_behind(drafts.left_behind())
    assert first.conversation.id == "never-begun"
    other = Library(ConversationStore(folder))
    second = other.new_or_left_behind(drafts.left_behind())
    assert second.conversation.id != "never-begun", "another program has it open"
    assert not second.is_read_only


def test_closing_what_nobody_needs_lets_its_memory_go(library, folder) -> None:
    sessions = [talked(library, f"talk {number}", "one") for number in range(4)]
    needed = sessions[2].conversation.id
    library.let_go(lambda conversation_id: conversation_id == needed)
    assert library.open(needed) is sessions[2]
    assert library.open(sessions[0].conversation.id) is not sessions[0]
    assert len(list((folder / ".open").iterdir())) == 2
    store = library._store
    assert set(store._held) == {needed, sessions[0].conversation.id}


def test_pinning_is_undone_in_the_file_and_in_what_is_open(library) -> None:
    session = talked(library, "mine", "one")
    own_id = session.conversation.id
    for is_open in (True, False):
        library.pin(own_id, True)
        assert [entry.pinned for entry in library.entries()] == [True]
        assert library.changes.undo() == Undone("undone.pin", own_id, "mine")
        assert [entry.pinned for entry in library.entries()] == [False]
        if is_open:
            library.let_go(lambda _: False)


def test_a_conversation_without_a_file_can_be_named_and_undo_leaves_it_to_its_first_message(library) -> None:
    session = library.new()
    own_id, before = session.conversation.id, session.conversation.name
    library.rename(own_id, "tea")
    assert library.name(own_id) == "tea"
    assert library.entries() == ()
    assert library.changes.undo() == Undone("undone.rename", own_id, before)
    list(session.send("coffee", Settings(), ScriptedEngine(), threading.Event()))
    assert library.name(own_id) == "coffee"


def test_the_conversation_used_last_is_known_whatever_is_pinned(library) -> None:
    assert library.recent(1) == ()
    for name in ("older", "newer"):
        talked(library, name, "one")
    (older,) = (entry for entry in library.entries() if entry.name == "older")
    library.pin(older.id, True)
    assert [entry.name for entry in library.recent(3)] == ["newer", "older"]
    assert [entry.name for entry in library.recent(1)] == ["newer"]


def test_a_turn_in_a_conversation_that_was_trashed_meanwhile_gives_the_text_back(library) -> None:
    session = talked(library, "mine", "one")
    library.trash(session.conversation.id)
    (refused,) = session.send("two", Settings(), ScriptedEngine(), threading.Event())
    assert (refused.text, refused.error.code) == ("two", "store.gone")
