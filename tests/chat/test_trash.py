"""Deleted conversations: they can be brought back, and nothing of them is lost."""

from pathlib import Path

import pytest
from samples import chat, files, found

from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError


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
    assert files(folder / "trash") == {"x.json", "x 2.json", "x 3.json"}


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
