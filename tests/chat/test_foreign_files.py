"""Files that people, other programs and accidents leave in the folder."""

import os
from pathlib import Path

from samples import answer, chat, files, found, names, question, texts

from qwen_tui.chat.codec import encode
from qwen_tui.chat.store import ConversationStore


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
