"""The folder of conversations: each in a file of its own, named after it, and nothing is ever lost."""

import json
import os
import stat
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from samples import answer, chat, question, texts
from test_names import AWKWARD

from qwen_tui.chat import index
from qwen_tui.chat.codec import encode
from qwen_tui.chat.index import Entry
from qwen_tui.chat.messages import Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations"


@pytest.fixture
def store(folder: Path) -> ConversationStore:
    return ConversationStore(folder)


def files(folder: Path) -> set[str]:
    return {file.name for file in folder.iterdir() if not file.name.startswith(".") and file.is_file()}


def names(store: ConversationStore) -> list[str]:
    return [entry.name for entry in store.list()]


def found(store: ConversationStore, name: str) -> Entry:
    entry = store.find(name)
    assert entry is not None
    return entry


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
    assert ConversationStore(store._path).list() == [entry]


def test_a_conversation_is_found_by_name(store: ConversationStore) -> None:
    for name in ("Python", "café"):
        store.save(chat(name))
    assert found(store, "python").name == "Python"
    assert found(store, " cafe\u0301\n").name == "café"
    assert store.find("perl") is None


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


def test_an_entry_leads_to_its_conversation_after_a_rename(store: ConversationStore, folder: Path) -> None:
    store.save(chat("before"))
    [entry] = store.list()
    ConversationStore(folder).rename(entry, "after")
    assert store.load(entry).name == "after"


def test_a_file_renamed_by_hand_is_the_same_conversation(store: ConversationStore, folder: Path) -> None:
    conversation = store.save(chat("x"))
    (folder / "x.json").rename(folder / "by hand.json")
    [entry] = store.list()
    assert (entry.id, entry.file) == (conversation.id, "by hand.json")
    store.save(conversation.with_message(question(parent=conversation.head)))
    assert files(folder) == {"by hand.json"}


def test_a_copy_made_by_hand_is_a_conversation_of_its_own(store: ConversationStore, folder: Path) -> None:
    conversation = store.save(chat("x"))
    (folder / "copy.json").write_bytes((folder / "x.json").read_bytes())
    first, second = store.list()
    assert first.id != second.id
    copy = next(entry for entry in (first, second) if entry.file == "copy.json")
    loaded = store.load(copy)
    store.save(loaded.with_message(question("only in the copy", loaded.head)))
    assert [entry.messages for entry in ConversationStore(folder).list()] == [3, 2]
    assert "only in the copy" not in (folder / "x.json").read_text()
    assert conversation.id in (folder / "x.json").read_text()


def test_a_list_written_by_hand_can_be_talked_to(store: ConversationStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "mine.json").write_text('{"messages": [{"role": "user", "content": "Hi"}]}')
    conversation = store.load(found(store, "mine"))
    store.save(conversation.with_message(answer("Hello", conversation.head)))
    assert files(folder) == {"mine.json"}
    assert texts(store.load(store.list()[0])) == ["Hi", "Hello"]


DAMAGED = {"truncated.json": b'{"messages": [', "empty.json": b"", "binary.json": bytes(range(256))}


def test_damaged_files_are_set_aside_and_named(store: ConversationStore, folder: Path) -> None:
    store.save(chat("good"))
    for name, data in DAMAGED.items():
        (folder / name).write_bytes(data)
    assert names(store) == ["good"]
    assert {problem.parameters["name"] for problem in store.problems} == DAMAGED.keys()
    assert {problem.code for problem in store.problems} == {"store.set_aside"}
    assert {file.name: file.read_bytes() for file in (folder / "damaged").iterdir()} == DAMAGED
    assert names(store) == ["good"]
    assert store.problems == ()


def test_damaged_files_of_one_name_are_all_kept(store: ConversationStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / "x.json").write_text(f"damage {number}")
        store.list()
    kept = {file.name: file.read_text() for file in (folder / "damaged").iterdir()}
    assert kept == {"x.json": "damage 0", "x 2.json": "damage 1", "x 3.json": "damage 2"}


def test_a_file_of_a_newer_version_is_left_where_it_is(store: ConversationStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    newer = '{"version": 9, "id": "a", "messages": "of another kind"}'
    (folder / "x.json").write_text(newer)
    assert store.list() == []
    assert [problem.code for problem in store.problems] == ["store.newer_version"]
    assert store.save(chat("x")).name == "x"
    assert (folder / "x.json").read_text() == newer
    assert files(folder) == {"x.json", "x 2.json"}


def test_what_is_no_file_of_ours_is_left_alone(store: ConversationStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "folder.json").mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / ".hidden.json").write_text("mine")
    (folder / "nowhere.json").symlink_to("gone")
    os.mkfifo(folder / "pipe.json")
    assert store.list() == []
    assert store.problems == ()
    assert len(list(folder.iterdir())) >= 5


def test_a_conversation_damaged_while_it_is_open_is_saved_beside_the_damage(
    store: ConversationStore, folder: Path
) -> None:
    conversation = store.save(chat("x"))
    (folder / "x.json").write_text("damage")
    store.save(conversation.with_message(question("later", conversation.head)))
    assert (folder / "damaged" / "x.json").read_text() == "damage"
    assert texts(store.load(store.list()[0]))[-1] == "later"


def test_a_conversation_deleted_while_it_is_open_is_saved_again(
    store: ConversationStore, folder: Path
) -> None:
    conversation = store.save(chat("x"))
    (folder / "x.json").unlink()
    store.save(conversation)
    assert files(folder) == {"x.json"}


def test_what_another_program_has_added_is_kept(store: ConversationStore, folder: Path) -> None:
    ours = store.save(chat("x"))
    other = ConversationStore(folder)
    theirs = other.load(other.list()[0])
    other.save(theirs.with_message(question("theirs", theirs.head)))
    merged = store.save(ours.with_message(question("ours", ours.head)))
    assert texts(merged)[-1] == "ours"
    assert {message.content for message in merged.messages} == {"question 1", "answer 1", "theirs", "ours"}
    assert store.load(store.list()[0]) == merged


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


def test_a_reply_recovered_under_an_open_conversation_is_not_saved_over(store: ConversationStore) -> None:
    opened = store.save(chat("x"))
    partial = store.partial(opened, answer("", opened.head))
    partial.append_text("recovered")
    partial.close()
    store.list()
    saved = store.save(opened.with_message(question("more", opened.head)))
    assert "recovered" in {message.content for message in saved.messages}


def test_file_names_cannot_control_the_terminal(store: ConversationStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    data = encode(chat(""))
    (folder / "\x1b[31mred\n.json").write_bytes(data)
    (folder / "\x1b]0;title\x07damaged.json").write_text("damage")
    (folder / os.fsdecode(b"not utf-8 \xff.json")).write_bytes(data)
    for fresh in (store, ConversationStore(folder)):
        assert sorted(names(fresh)) == ["[31mred", "not utf-8"]
    assert [fresh.load(entry).name for entry in fresh.list()] == names(fresh)
    assert len(store.problems) == 1
    assert str(store.problems[0]).isprintable()
    assert len(list((folder / "damaged").iterdir())) == 1


def test_a_file_from_any_year_can_be_listed(store: ConversationStore, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "x.json").write_text('{"messages": []}')
    for seconds in (-(10**10), 10**11, 2**50):
        try:
            os.utime(folder / "x.json", (seconds, seconds))
        except OSError:
            continue
        assert names(store) == ["x"]


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


def test_what_a_killed_writer_left_is_removed_after_a_while(store: ConversationStore, folder: Path) -> None:
    store.save(chat())
    old, new = folder / ".qwen-tui-old", folder / ".qwen-tui-new"
    for file in (old, new):
        file.write_text("half")
    os.utime(old, (0, 0))
    store.list()
    assert (old.exists(), new.exists()) == (False, True)


# The index.


def opened(store: ConversationStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conversation files that are opened from now on."""
    read: list[str] = []
    original = store._folder.read
    monkeypatch.setattr(store._folder, "read", lambda file: read.append(file) or original(file))
    return read


def test_the_list_opens_only_files_that_the_index_does_not_know(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = ConversationStore(folder)
    for name in ("a", "b", "c"):
        first.save(chat(name))
    expected = ConversationStore(folder).list()
    (folder / "b.json").write_bytes(encode(chat("changed", updated="2027-01-01T00:00:00.000+00:00", turns=0)))
    store = ConversationStore(folder)
    read = opened(store, monkeypatch)
    assert names(store) == ["changed", *[entry.name for entry in expected if entry.name != "b"]]
    assert read == ["b.json"]
    assert names(store)[0] == "changed"
    assert read == ["b.json"]


COLUMNS = json.dumps(index.COLUMNS)


@pytest.mark.parametrize(
    "damage",
    [
        "",
        "{",
        "[]",
        '{"columns": ["other"], "files": []}',
        f'{{"columns": {COLUMNS}, "files": {{}}}}',
        f'{{"columns": {COLUMNS}, "files": [1, {{"id": "x"}}, null, [], ["x"]]}}',
        "[" * 100_000,
        "\xff",
    ],
)
def test_a_damaged_index_is_rebuilt(folder: Path, damage: str) -> None:
    ConversationStore(folder).save(chat("x"))
    expected = ConversationStore(folder).list()
    (folder / ".index.json").write_bytes(damage.encode("latin-1"))
    assert ConversationStore(folder).list() == expected
    assert "x" in json.loads((folder / ".index.json").read_bytes())["files"][0]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", 5),
        ("name", "a\u001b[31m"),
        ("messages", True),
        ("stamp", [1, 2]),
        ("stamp", "x"),
        ("pinned", 1),
    ],
)
def test_an_index_with_a_wrong_value_is_not_believed(folder: Path, key: str, value: object) -> None:
    ConversationStore(folder).save(chat("x"))
    expected = ConversationStore(folder).list()
    written = json.loads((folder / ".index.json").read_bytes())
    written["files"][0][written["columns"].index(key)] = value
    (folder / ".index.json").write_text(json.dumps(written))
    assert ConversationStore(folder).list() == expected


def test_a_failed_status_and_its_error_are_in_the_file(store: ConversationStore) -> None:
    failed = answer("half", status=Status.FAILED, error=QwenTuiError("store.gone", name="x"))
    store.save(chat("x", turns=0).with_message(failed))
    assert store.load(store.list()[0]).messages[0].error is not None
