"""Two programs with one conversation open: what either adds is kept."""

import errno
import threading
from pathlib import Path

import pytest
from samples import answer, chat, files, names, question, texts

from qwen_tui.chat import files as chat_files
from qwen_tui.chat.files import locked
from qwen_tui.chat.store import ConversationStore


def test_what_another_program_has_added_is_kept(store: ConversationStore, folder: Path) -> None:
    ours = store.save(chat("x"))
    other = ConversationStore(folder)
    theirs = other.load(other.list()[0])
    other.save(theirs.with_message(question("theirs", theirs.head)))
    merged = store.save(ours.with_message(question("ours", ours.head)))
    assert texts(merged)[-1] == "ours"
    assert {message.content for message in merged.messages} == {"question 1", "answer 1", "theirs", "ours"}
    assert store.load(store.list()[0]) == merged


def test_a_file_that_could_not_be_read_for_a_moment_is_not_written_over(
    store: ConversationStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = store.save(chat("x"))
    other = ConversationStore(folder)
    theirs = other.load(other.list()[0])
    other.save(theirs.with_message(question("theirs", theirs.head)))
    opened, failed = Path.open, []

    def fails_once(path: Path, *arguments: object, **options: object) -> object:
        if path.suffix == ".json" and not path.name.startswith(".") and not failed:
            failed.append(path)
            raise OSError(errno.EIO, "Input/output error")
        return opened(path, *arguments, **options)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", fails_once)
    store.save(ours.with_message(question("ours", ours.head)))
    assert failed
    kept = {message.content for entry in store.list() for message in store.load(entry).messages}
    assert {"theirs", "ours"} <= kept


def test_what_another_program_has_renamed_keeps_its_new_name(store: ConversationStore, folder: Path) -> None:
    ours = store.save(chat("x"))
    other = ConversationStore(folder)
    other.pin(other.rename(other.list()[0], "better"), True)
    merged = store.save(ours.with_message(question("ours", ours.head)))
    assert (merged.name, merged.pinned) == ("better", True)
    assert files(folder) == {"better.json"}


def test_looking_at_the_list_does_not_make_a_save_forget_the_others(
    store: ConversationStore, folder: Path
) -> None:
    ours = store.save(chat("x"))
    other = ConversationStore(folder)
    theirs = other.load(other.list()[0])
    other.save(theirs.with_message(question("theirs", theirs.head)))
    store.list()
    merged = store.save(ours.with_message(question("ours", ours.head)))
    assert {"theirs", "ours"} <= {message.content for message in merged.messages}


def test_a_reply_recovered_under_an_open_conversation_is_not_saved_over(store: ConversationStore) -> None:
    opened = store.save(chat("x"))
    partial = store.partial(opened, answer("", opened.head))
    partial.append_text("recovered")
    partial.close()
    store.list()
    saved = store.save(opened.with_message(question("more", opened.head)))
    assert "recovered" in {message.content for message in saved.messages}


def test_a_save_waits_until_another_program_has_done_its_own(store: ConversationStore, folder: Path) -> None:
    conversation = store.save(chat("x"))
    saving = threading.Thread(target=store.save, args=(conversation,))
    with locked(folder):
        before = (folder / "x.json").stat()
        saving.start()
        saving.join(0.1)
        assert saving.is_alive()
        assert (folder / "x.json").stat().st_ino == before.st_ino
    saving.join(5)
    assert not saving.is_alive()
    assert (folder / "x.json").stat().st_ino != before.st_ino


def test_a_program_that_was_suspended_while_saving_stops_nobody_for_long(
    store: ConversationStore, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat_files, "PATIENCE_SECONDS", 0.05)
    conversation = store.save(chat("x"))
    with locked(folder):
        assert store.save(conversation) == conversation
        assert names(store) == ["x"]
