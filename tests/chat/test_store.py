"""The folder of conversations: each in a file of its own, named after it."""

import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from samples import answer, chat, files, found, names, question, texts
from test_names import AWKWARD

from qwen_tui.chat import index
from qwen_tui.chat.messages import Status
from qwen_tui.chat.names import default_name
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError


def test_a_saved_conversation_is_listed_and_loaded_by_the_next_program(folder: Path) -> None:
    saved = ConversationStore(folder).save(chat("广州", turns=2))
    store = ConversationStore(folder)
    [entry] = store.list()
    assert (entry.id, entry.name, entry.messages, entry.file) == (saved.id, "广州", 4, "广州.json")
    assert store.load(entry) == saved


def test_nothing_is_on_disk_before_something_is_saved(store: ConversationStore, folder: Path) -> None:
    assert store.list() == []
    store.create()
    assert store.find("x") is None
    assert not folder.exists() or files(folder) == set()


def test_only_the_owner_can_read_what_is_saved(store: ConversationStore, folder: Path) -> None:
    conversation = store.save(chat())
    partial = store.partial(conversation, answer())
    store.list()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    partial.discard()


def test_a_failed_status_and_its_error_are_in_the_file(store: ConversationStore) -> None:
    failed = answer("half", status=Status.FAILED, error=QwenTuiError("store.gone", name="x"))
    store.save(chat("x", turns=0).with_message(failed))
    assert store.load(store.list()[0]).messages[0].error is not None


def test_the_conversation_used_last_comes_first(store: ConversationStore) -> None:
    store.save(chat("older", updated="2026-01-01T00:00:00.000+00:00", turns=0))
    store.save(chat("newest", updated="2026-03-01T00:00:00.000+00:00", turns=0))
    store.save(chat("middle", updated="2026-02-01T00:00:00.000+00:00", turns=0))
    assert names(store) == ["newest", "middle", "older"]


def test_two_conversations_never_share_a_name_or_a_file(store: ConversationStore, folder: Path) -> None:
    given = ["广州", "广州", "Abc", "abc", "a/b", "a:b", "广州"]
    saved = [store.save(chat(name)).name for name in given]
    assert saved == ["广州", "广州 2", "Abc", "abc 2", "a/b", "a:b", "广州 3"]
    assert files(folder) == {
        "广州.json",
        "广州 2.json",
        "广州 3.json",
        "Abc.json",
        "abc 2.json",
        "a b.json",
        "a b 2.json",
    }
    assert len(store.list()) == 7


@pytest.mark.parametrize("name", AWKWARD)
def test_a_conversation_of_any_name_stays_in_the_folder(
    store: ConversationStore, folder: Path, tmp_path: Path, name: str
) -> None:
    first, second = store.save(chat(name)), store.save(chat(name))
    assert store.load(found(store, first.name)).id == first.id
    assert len(files(folder)) == 2
    assert len(ConversationStore(folder).list()) == 2
    assert second.name != first.name
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_conversations_can_be_called_like_our_own_files(store: ConversationStore) -> None:
    for name in ("index", ".index", "trash", "damaged", "index.json", "x.partial"):
        store.save(chat(name))
    assert sorted(names(store)) == [".index", "damaged", "index", "index.json", "trash", "x.partial"]


def test_a_new_conversation_has_a_name_of_its_own(store: ConversationStore) -> None:
    assert store.create().name == "New conversation"
    store.save(chat("New conversation"))
    assert store.create().name == "New conversation 2"
    named = store.create("New conversation")
    assert (named.name, named.named_by_person) == ("New conversation 2", True)


def test_a_file_follows_the_name_of_its_conversation(store: ConversationStore, folder: Path) -> None:
    conversation = store.save(store.create().with_message(question()))
    conversation = store.save(replace(conversation, name="广州美食"))
    assert files(folder) == {"广州美食.json"}
    store.save(conversation.with_message(answer(parent=conversation.head)))
    assert files(folder) == {"广州美食.json"}


def test_renaming_keeps_the_id_and_finds_a_free_name(store: ConversationStore, folder: Path) -> None:
    store.save(chat("taken"))
    saved = store.save(chat("before"))
    renamed = store.rename(found(store, "before"), "taken")
    assert (renamed.id, renamed.name, renamed.file) == (saved.id, "taken 2", "taken 2.json")
    assert files(folder) == {"taken.json", "taken 2.json"}
    assert store.load(renamed).named_by_person


def test_a_name_can_change_by_upper_case_only(store: ConversationStore, folder: Path) -> None:
    store.save(chat("python"))
    assert store.rename(store.list()[0], "Python").name == "Python"
    assert files(folder) == {"Python.json"}


def test_renaming_and_pinning_are_not_using(store: ConversationStore) -> None:
    store.save(chat("a", updated="2026-01-01T00:00:00.000+00:00", turns=0))
    entry = store.pin(store.rename(store.list()[0], "b"), True)
    assert (entry.name, entry.pinned, entry.updated) == ("b", True, "2026-01-01T00:00:00.000+00:00")
    assert ConversationStore(store.path).list() == [entry]


def test_renaming_and_pinning_hold_where_the_conversation_is_open(
    store: ConversationStore, folder: Path
) -> None:
    opened = store.save(chat("before"))
    store.pin(store.rename(found(store, "before"), "after"), True)
    saved = store.save(opened.with_message(question("more", opened.head)))
    assert (saved.name, saved.pinned, len(saved.messages)) == ("after", True, 3)
    saved = store.save(replace(saved, name="later", pinned=False))
    assert (saved.name, saved.pinned) == ("later", False)
    assert files(folder) == {"later.json"}


def test_a_conversation_is_found_by_name(store: ConversationStore) -> None:
    for name in ("Python", "café"):
        store.save(chat(name))
    assert found(store, "python").name == "Python"
    assert found(store, " cafe\u0301\n").name == "café"
    assert store.find("perl") is None


def test_an_entry_leads_to_its_conversation_after_a_rename(store: ConversationStore, folder: Path) -> None:
    store.save(chat("before"))
    [entry] = store.list()
    ConversationStore(folder).rename(entry, "after")
    assert store.load(entry).name == "after"


def test_a_save_reads_no_other_conversation(store: ConversationStore, folder: Path) -> None:
    conversation = store.save(chat("x"))
    other = store.save(chat("y"))
    (folder / "y.json").write_text("damage that a reader would set aside")
    store.save(conversation.with_message(question(parent=conversation.head)))
    assert (folder / "y.json").exists()
    assert other.name == "y"


def test_threads_share_a_store(store: ConversationStore) -> None:
    def work(number: int) -> None:
        conversation = store.create("same")
        for step in range(5):
            conversation = store.save(
                conversation.with_message(question(f"{number}.{step}", conversation.head))
            )
            store.list()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names(store))) == 4
    assert {len(store.load(entry).messages) for entry in store.list()} == {5}


def test_a_folder_that_cannot_be_made_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ConversationStore(tmp_path / "file" / "conversations")
    assert store.list() == []
    assert [problem.code for problem in store.problems] == ["store.unreadable"]
    assert store.create().name == "New conversation"
    with pytest.raises(QwenTuiError) as raised:
        store.save(chat())
    assert raised.value.code == "store.not_saved"
    partial = store.partial(chat(), answer())
    partial.append_text("x")
    partial.close()
    assert partial.error is not None


def test_what_a_killed_writer_left_is_removed_after_a_while(store: ConversationStore, folder: Path) -> None:
    store.save(chat())
    old, new = folder / ".qwen-tui-old", folder / ".qwen-tui-new"
    for file in (old, new):
        file.write_text("half")
    os.utime(old, (0, 0))
    store.list()
    assert (old.exists(), new.exists()) == (False, True)


def test_a_conversation_from_elsewhere_gets_a_name_and_an_id_of_its_own(store) -> None:
    first = chat("广州", turns=2)
    assert [entry.name for entry in store.add([first])] == ["广州"]
    again, other = store.add([first, replace(first, id="other")])
    assert (again.name, again.messages) == ("广州 2", 4)
    assert again.id not in (first.id, other.id)
    assert (other.name, other.id) == ("广州 3", "other")
    assert set(names(store)) == {"广州", "广州 2", "广州 3"}
    assert texts(store.load(again)) == texts(first)


def test_what_was_taken_in_is_listed_by_the_next_program_without_opening_the_files(store, folder) -> None:
    list(store.add([chat("one"), chat("two")]))
    assert set(index.read(folder)) == {"one.json", "two.json"}


def test_a_conversation_from_elsewhere_may_have_no_name(store) -> None:
    assert [entry.name for entry in store.add([chat("\x1b")])] == [default_name()]


def test_one_that_cannot_be_written_is_told_and_those_before_it_stay(store, folder) -> None:
    adding = store.add([chat("one"), chat("two")])
    assert next(adding).name == "one"
    os.rename(folder, folder.with_name("away"))
    folder.write_text("no folder")
    with pytest.raises(QwenTuiError) as caught:
        next(adding)
    assert caught.value.code == "store.not_added"
    assert caught.value.parameters["done"] == 1
    assert files(folder.with_name("away")) == {"one.json"}
