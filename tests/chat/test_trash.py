"""Deleted conversations: they can be brought back, and nothing of them is lost for thirty days."""

import os
import time
from pathlib import Path

import pytest
from samples import answer, chat, files, found, names, texts

from qwen_tui.chat.drafts import Drafts, SavedDraft
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError

DAY = 24 * 3600


def aged(path: Path, days: float) -> None:
    when = time.time() - days * DAY
    os.utime(path, (when, when))


def test_trash_is_undone(store: ConversationStore, folder: Path) -> None:
    saved = store.save(chat("广州"))
    trashed = store.trash(store.list()[0])
    assert (store.list(), trashed.name, trashed.path.parent.name) == ([], "广州", "trash")
    entry = store.restore(trashed)
    assert store.load(entry) == saved
    assert files(folder) == {"广州.json"}


def test_what_is_restored_gives_way_to_what_took_its_name(store: ConversationStore) -> None:
    first = store.save(chat("广州"))
    trashed = store.trash(store.list()[0])
    second = store.save(chat("广州"))
    entry = store.restore(trashed)
    assert (entry.id, entry.name, entry.file) == (first.id, "广州 2", "广州 2.json")
    assert store.load(found(store, "广州")) == second


def test_the_trash_keeps_all_of_one_name(store: ConversationStore, folder: Path) -> None:
    for _ in range(3):
        store.save(chat("x"))
        store.trash(store.list()[0])
    assert files(folder / "trash") == {"x.trashed.json", "x 2.trashed.json", "x 3.trashed.json"}


def test_the_trash_is_listed_the_newest_first_and_restored_by_another_program(
    store: ConversationStore, folder: Path
) -> None:
    for days, name in enumerate("abc"):
        store.save(chat(name))
        aged(store.trash(store.list()[0]).path, days + 1)
    other = ConversationStore(folder)
    assert [trashed.name for trashed in other.trashed()] == ["a", "b", "c"]
    assert [trashed.when for trashed in other.trashed()] == sorted(
        (trashed.when for trashed in other.trashed()), reverse=True
    )
    other.restore(other.trashed()[1])
    assert names(store) == ["b"]


def test_what_has_gone_is_said_to_be_gone(store: ConversationStore, folder: Path) -> None:
    store.save(chat("x"))
    [entry] = store.list()
    trashed = store.trash(entry)
    trashed.path.unlink()
    for gone in (
        lambda: store.restore(trashed),
        lambda: store.load(entry),
        lambda: store.trash(entry),
        lambda: store.rename(entry, "y"),
    ):
        with pytest.raises(QwenTuiError) as raised:
            gone()
        assert raised.value.code == "store.gone"


def test_the_thirty_days_count_from_the_deletion_and_not_from_the_last_save(
    store: ConversationStore, folder: Path
) -> None:
    store.save(chat("x"))
    aged(folder / "x.json", 400)
    trashed = store.trash(store.list()[0])
    store.list()
    assert trashed.path.exists()
    aged(trashed.path, 29.9)
    store.list()
    assert trashed.path.exists()
    aged(trashed.path, 30.1)
    assert store.trashed()[0].name == "x"
    store.list()
    assert not trashed.path.exists()
    assert store.trashed() == ()


def test_a_clock_that_was_wrong_does_not_empty_the_trash(
    store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(chat("x"))
    [entry] = store.list()
    with monkeypatch.context() as wrong:
        wrong.setattr(time, "time_ns", lambda: 0)
        trashed = store.trash(entry)
    store.list()
    assert store.restore(trashed).name == "x"


def test_what_someone_else_put_into_the_trash_is_never_removed(
    store: ConversationStore, folder: Path, tmp_path: Path
) -> None:
    saved = store.save(chat("x"))
    trash = folder / "trash"
    trash.mkdir()
    (folder / "x.json").rename(trash / "by hand.json")
    (trash / "notes.txt").write_text("mine")
    (trash / "folder.trashed.json").mkdir()
    (tmp_path / "elsewhere.json").write_text("mine")
    (trash / "link.trashed.json").symlink_to(tmp_path / "elsewhere.json")
    for path in trash.iterdir():
        if not path.is_symlink():
            aged(path, 1000)
    aged(tmp_path / "elsewhere.json", 1000)
    before = sorted(path.name for path in trash.iterdir())
    store.list()
    assert sorted(path.name for path in trash.iterdir()) == before
    by_hand = next(trashed for trashed in store.trashed() if trashed.path.name == "by hand.json")
    assert store.load(store.restore(by_hand)) == saved


def test_the_draft_of_what_is_removed_for_good_goes_too(folder: Path, tmp_path: Path) -> None:
    drafts = Drafts(tmp_path / "drafts")
    store = ConversationStore(folder, drafts)
    ids = [store.save(chat(name)).id for name in "ab"]
    for own_id in ids:
        drafts.save(own_id, SavedDraft("half a sent"))
    aged(store.trash(found(store, "a")).path, 31)
    store.trash(found(store, "b"))
    store.list()
    assert [drafts.load(own_id) for own_id in ids] == [None, SavedDraft("half a sent")]


def test_what_is_damaged_in_the_trash_does_not_hide_the_rest(store: ConversationStore, folder: Path) -> None:
    store.save(chat("x"))
    store.trash(store.list()[0])
    (folder / "trash" / "broken.trashed.json").write_bytes(b"\xff")
    assert {trashed.name for trashed in store.trashed()} == {"x", "broken"}
    broken = next(trashed for trashed in store.trashed() if trashed.name == "broken")
    with pytest.raises(QwenTuiError, match="damaged"):
        store.restore(broken)
    assert names(store) == []
    assert (folder / "damaged" / "broken.json").read_bytes() == b"\xff"


def test_a_reply_that_was_written_while_its_conversation_was_deleted_comes_back_with_it(
    store: ConversationStore, folder: Path
) -> None:
    conversation = store.save(chat("x"))
    partial = store.partial(conversation, answer("", conversation.head))
    partial.append_text("the last words")
    trashed = store.trash(store.list()[0])
    partial.close()
    assert store.list() == []
    assert store.problems == ()
    assert list(folder.glob("*.partial")) == []
    assert texts(store.load(store.restore(trashed)))[-1] == "the last words"


def test_a_link_to_a_conversation_still_leads_to_it_after_the_trash(
    store: ConversationStore, folder: Path, tmp_path: Path
) -> None:
    saved = store.save(chat("x"))
    (folder / "x.json").rename(tmp_path / "real.json")
    (folder / "x.json").symlink_to("../../real.json")
    trashed = store.trash(store.list()[0])
    assert trashed.path.exists()
    assert store.load(store.restore(trashed)) == saved
