"""A reply that is being written: what is in its file, and what becomes of it."""

import json
import os
import stat
from contextlib import closing
from pathlib import Path

import pytest
from samples import answer, question, texts

from qwen_tui.chat import partial as partial_module
from qwen_tui.chat.branches import siblings
from qwen_tui.chat.fields import DamagedError
from qwen_tui.chat.messages import Conversation, Message, Run, Status
from qwen_tui.chat.partial import Partial, recover
from qwen_tui.chat.store import ConversationStore


def asked(store: ConversationStore, name: str = "广州") -> Conversation:
    """A saved conversation that waits for a reply."""
    return store.save(Conversation(name=name).with_message(question()))


def crashed(store: ConversationStore, conversation: Conversation, reply: Message, *pieces: str) -> None:
    """Write pieces of a reply and go away without saving it."""
    partial = store.partial(conversation, reply)
    for piece in pieces:
        partial.append_text(piece)
    partial.close()


def partials(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.glob("*.partial"))


def test_every_piece_is_in_the_file_at_once(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    reply = answer("", conversation.head)
    partial = store.partial(conversation, reply)
    partial.append_thinking("hm\n")
    partial.append_text("早茶")
    first, *rest = (folder / "广州.partial").read_text().splitlines()
    assert json.loads(first)["conversation"] == conversation.id
    assert json.loads(first)["message"]["id"] == reply.id
    assert [json.loads(line) for line in rest] == [{"thinking": "hm\n"}, {"text": "早茶"}]
    partial.discard()
    assert partials(folder) == []


def test_a_reply_cut_short_is_there_and_marked_interrupted(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    reply = answer("", conversation.head)
    partial = store.partial(conversation, reply)
    partial.append_thinking("hm")
    partial.append_text("早")
    partial.append_text("茶")
    partial.close()
    store = ConversationStore(folder)
    [entry] = store.list()
    recovered = store.load(entry).path()[-1]
    assert (recovered.id, recovered.content, recovered.thinking) == (reply.id, "早茶", "hm")
    assert recovered.status is Status.INTERRUPTED
    assert entry.messages == 2
    assert partials(folder) == []


def test_opening_a_conversation_recovers_its_reply_too(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    [entry] = store.list()
    crashed(store, conversation, answer("", conversation.head), "早茶")
    assert texts(store.load(entry))[-1] == "早茶"
    assert partials(folder) == []


def test_a_reply_that_is_being_written_is_not_recovered(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    partial = store.partial(conversation, answer("", conversation.head))
    partial.append_text("早")
    for other in (store, ConversationStore(folder)):
        assert [entry.messages for entry in other.list()] == [1]
        assert len(other.load(other.list()[0]).messages) == 1
    partial.append_text("茶")
    partial.close()
    assert texts(store.load(store.list()[0]))[-1] == "早茶"


def test_a_finished_reply_is_not_touched_by_what_was_left_of_its_partial(
    store: ConversationStore, folder: Path
) -> None:
    conversation = asked(store)
    reply = answer("", conversation.head)
    partial = store.partial(conversation, reply)
    partial.append_text("早")
    finished = answer("早茶。", conversation.head, id=reply.id, receipt=(Run(model="m"),))
    saved = store.save(conversation.with_message(finished))
    partial.close()  # the program ends between saving and discarding
    assert store.load(store.list()[0]) == saved
    assert partials(folder) == []


def test_a_reply_that_could_not_be_saved_is_recovered_whole(store: ConversationStore) -> None:
    conversation = asked(store)
    reply = answer("", conversation.head, status=Status.INTERRUPTED)
    store.save(conversation.with_message(reply))
    crashed(store, conversation, reply, "早", "茶")
    assert texts(store.load(store.list()[0])) == ["广州有什么好吃的？", "早茶"]


def test_a_continued_reply_keeps_what_it_had_and_its_receipt(store: ConversationStore) -> None:
    conversation = asked(store)
    begun = answer("早茶", conversation.head, status=Status.STOPPED, receipt=(Run(model="m"),))
    conversation = store.save(conversation.with_message(begun))
    crashed(store, conversation, begun, "和", "烧鹅")
    [_, recovered] = store.load(store.list()[0]).path()
    assert (recovered.content, recovered.status) == ("早茶和烧鹅", Status.INTERRUPTED)
    assert recovered.receipt == (Run(model="m"),)


def test_a_reply_that_differs_from_the_saved_one_becomes_its_sibling(store: ConversationStore) -> None:
    conversation = asked(store)
    reply = answer("烧鹅", conversation.head)
    conversation = store.save(conversation.with_message(reply))
    crashed(store, conversation, answer("", reply.parent, id=reply.id), "早茶")
    again = store.load(store.list()[0])
    assert sorted(message.content for message in siblings(again, reply.id)) == ["早茶", "烧鹅"]


def test_a_crash_before_the_first_token_leaves_no_empty_reply(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    crashed(store, conversation, answer("", conversation.head))
    assert [entry.messages for entry in store.list()] == [1]
    assert partials(folder) == []


def test_a_reply_finds_its_conversation_after_a_rename(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    crashed(store, conversation, answer("", conversation.head), "早茶")
    (folder / "广州.json").rename(folder / "elsewhere.json")
    assert texts(store.load(store.list()[0]))[-1] == "早茶"


def test_a_torn_last_line_is_ignored(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    crashed(store, conversation, answer("", conversation.head), "早茶", "烧鹅")
    file = folder / "广州.partial"
    whole = file.read_bytes()
    for cut in range(len(whole)):
        reply = recover(whole[:cut])
        assert reply is None or reply.reply.content in ("早茶", "早茶烧鹅")
    file.write_bytes(whole[:-4])
    assert texts(store.load(store.list()[0]))[-1] == "早茶"


def test_a_line_that_cannot_be_read_costs_only_itself() -> None:
    first = b'{"version": 1, "conversation": "c", "message": {"role": "assistant", "content": ""}}\n'
    lines = b'{"text": "a"}\n\xff\n{"te{"text": "x"}\n[1]\n{"text": 5}\n{"future": 1}\n{"text": "b"}\n'
    recovered = recover(first + lines)
    assert recovered is not None
    assert recovered.reply.content == "ab"


@pytest.mark.parametrize(
    "data", [b"\x00\n", b"[]\n", b"{}\n", b'{"conversation": "c"}\n', b"[" * 100_000 + b"\n"]
)
def test_a_file_that_is_no_partial_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(DamagedError):
        recover(data)


def test_what_belongs_nowhere_is_set_aside_and_named(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    crashed(store, conversation, answer("", conversation.head), "早茶")
    (folder / "广州.json").unlink()
    (folder / "binary.partial").write_bytes(b"\x00\n\x01")
    assert store.list() == []
    assert sorted(problem.parameters["name"] for problem in store.problems) == [
        "binary.partial",
        "广州.partial",
    ]
    assert "早茶" in (folder / "damaged" / "广州.partial").read_text()


def test_what_only_looks_like_a_partial_is_not_touched_or_not_erased(
    store: ConversationStore, folder: Path
) -> None:
    folder.mkdir(parents=True)
    (folder / "notes.partial").write_text("a line without an end")
    (folder / "empty.partial").touch()
    os.utime(folder / "empty.partial", (0, 0))
    (folder / "folder.partial").mkdir()
    (folder / "link.partial").symlink_to("nowhere")
    os.mkfifo(folder / "pipe.partial")
    assert store.list() == []
    assert [problem.parameters["name"] for problem in store.problems] == ["notes.partial"]
    assert (folder / "damaged" / "notes.partial").read_text() == "a line without an end"
    assert set(partials(folder)) == {"folder.partial", "link.partial", "pipe.partial"}


def test_control_characters_do_not_come_back_from_a_partial(store: ConversationStore) -> None:
    conversation = asked(store)
    crashed(store, conversation, answer("", conversation.head), "a\x1b[3", "1mb")
    assert texts(store.load(store.list()[0]))[-1] == "ab"


def test_two_replies_at_once_have_files_of_their_own(store: ConversationStore, folder: Path) -> None:
    conversation = asked(store)
    first = store.partial(conversation, answer("", conversation.head))
    second = store.partial(conversation, answer("", conversation.head))
    assert partials(folder) == ["广州 2.partial", "广州.partial"]
    first.append_text("one")
    second.append_text("two")
    first.close()
    second.close()
    again = store.load(store.list()[0])
    assert {message.content for message in again.messages[1:]} == {"one", "two"}
    assert partials(folder) == []


def test_the_disk_gets_the_pieces_at_most_a_second_late(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []

    def sync(file: int) -> None:
        status = os.fstat(file)
        if stat.S_ISREG(status.st_mode):
            synced.append(status.st_size)

    monkeypatch.setattr(os, "fsync", sync)
    clock = [100.0]
    monkeypatch.setattr(partial_module.time, "monotonic", lambda: clock[0])
    partial = Partial(tmp_path / "x.partial", "c", answer(""))
    for _ in range(35):
        clock[0] += 0.1
        partial.append_text("x")
    assert len(synced) == 3
    partial.close()
    assert synced[-1] == (tmp_path / "x.partial").stat().st_size
    partial.append_text("ignored after the end")
    partial.close()
    partial.discard()


def test_a_partial_left_by_a_with_block_is_kept(store: ConversationStore) -> None:
    conversation = asked(store)
    with closing(store.partial(conversation, answer("", conversation.head))) as partial:
        partial.append_text("早茶")
    assert texts(store.load(store.list()[0]))[-1] == "早茶"
