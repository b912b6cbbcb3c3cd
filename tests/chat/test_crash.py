"""Programs that are killed, disks that are full, and two programs in one folder: for real, in processes."""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from samples import answer, chat, question, texts
from work import pieces

from qwen_tui.chat.codec import decode, encode
from qwen_tui.chat.messages import Status
from qwen_tui.chat.store import ConversationStore

BEGINNING = """
import resource, sys
from pathlib import Path
from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError

folder = Path(sys.argv[1])
store = ConversationStore(folder)


def said(conversation, text):
    return conversation.with_message(Message(role=Role.USER, content=text, parent=conversation.head))


def only():
    return store.load(store.list()[0])


"""


def program(folder: Path, what: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a program of its own in the folder."""
    command = [sys.executable, "-c", BEGINNING + what, str(folder), *arguments]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )


def ended(*programs: "subprocess.Popen[str]") -> list[str]:
    """What the programs wrote, once all have ended well."""
    outputs = [each.communicate(timeout=60)[0] for each in programs]
    assert [each.returncode for each in programs] == [0] * len(programs)
    return outputs


def killed(writer: "subprocess.Popen[str]", after_seconds: float) -> str:
    """Kill a program this long after its first line; returns the last line that it had written by then."""
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(after_seconds)
    writer.kill()
    rest, _ = writer.communicate()
    *lines, _torn = (first + rest).split("\n")
    return lines[-1]


def test_a_conversation_survives_kill_9_at_any_moment(folder: Path) -> None:
    saving = """
conversation = only()
while True:
    conversation = store.save(said(conversation, "word " * 500))
    print(len(conversation.messages), flush=True)
"""
    ConversationStore(folder).save(chat("x"))
    moments = random.Random(7)
    for _ in range(12):
        promised = killed(program(folder, saving), moments.uniform(0, 0.1))
        found = decode((folder / "x.json").read_bytes(), "x")
        assert len(found.messages) >= int(promised)
    [entry] = ConversationStore(folder).list()
    assert entry.messages == len(found.messages)
    assert {file.name for file in folder.glob("[!.]*")} == {"x.json"}


def test_renaming_survives_kill_9_at_any_moment(folder: Path) -> None:
    renaming = """
entry, number = store.list()[0], 0
while True:
    number += 1
    entry = store.rename(entry, f"name {number}")
    print(number, flush=True)
"""
    saved = ConversationStore(folder).save(chat("x"))
    moments = random.Random(8)
    for _ in range(6):
        killed(program(folder, renaming), moments.uniform(0, 0.05))
        store = ConversationStore(folder)
        [entry] = store.list()
        assert entry.id == saved.id
        assert texts(store.load(entry)) == texts(saved)


def test_a_reply_survives_kill_9_up_to_its_last_piece(folder: Path) -> None:
    replying = """
conversation = only()
reply = Message(role=Role.ASSISTANT, content="", parent=conversation.head)
partial = store.partial(conversation, reply)
for number in range(10**9):
    partial.append_text(f"{number} ")
    print(number, flush=True)
"""
    ConversationStore(folder).save(chat("x"))
    moments = random.Random(9)
    for _ in range(6):
        promised = killed(program(folder, replying), moments.uniform(0, 0.05))
        store = ConversationStore(folder)
        reply = store.load(store.list()[0]).path()[-1]
        assert reply.status is Status.INTERRUPTED
        pieces = reply.content.split()
        assert pieces == [str(number) for number in range(len(pieces))]
        assert len(pieces) > int(promised)
    assert list(folder.glob("*.partial")) == []
    assert store.problems == ()


def test_a_reply_that_another_program_writes_is_left_to_it(folder: Path) -> None:
    replying = """
conversation = only()
partial = store.partial(conversation, Message(role=Role.ASSISTANT, content="", parent=conversation.head))
partial.append_text("half")
print("begun", flush=True)
sys.stdin.read()
"""
    store = ConversationStore(folder)
    store.save(chat("x"))
    writer = program(folder, replying)
    assert writer.stdout is not None
    writer.stdout.readline()
    assert store.list()[0].messages == 2
    assert len(list(folder.glob("*.partial"))) == 1
    writer.kill()
    writer.communicate()
    assert store.list()[0].messages == 3
    assert texts(store.load(store.list()[0]))[-1] == "half"


def test_two_programs_in_one_conversation_lose_nothing(folder: Path) -> None:
    talking = """
conversation = only()
print("ready", flush=True)
sys.stdin.readline()
for number in range(20):
    conversation = store.save(said(conversation, f"{sys.argv[2]} {number}"))
"""
    ConversationStore(folder).save(chat("x"))
    programs = [program(folder, talking, name) for name in "abc"]
    for each in programs:
        assert each.stdout is not None
        each.stdout.readline()
    ended(*programs)
    store = ConversationStore(folder)
    [entry] = store.list()
    said = {message.content for message in store.load(entry).messages}
    assert said >= {f"{name} {number}" for name in "abc" for number in range(20)}


def test_two_programs_that_choose_one_name_get_two_files(folder: Path) -> None:
    creating = """
for number in range(15):
    store.save(said(Conversation(name="same"), f"{sys.argv[2]} {number}"))
    store.list()
"""
    ended(*(program(folder, creating, name) for name in "ab"))
    entries = ConversationStore(folder).list()
    assert len({entry.file for entry in entries}) == len({entry.name for entry in entries}) == 30


def test_on_a_full_disk_the_old_file_stands_and_the_failure_is_said(folder: Path) -> None:
    filling = """
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
conversation = only()
try:
    while True:
        conversation = store.save(said(conversation, "x" * 1000))
except QwenTuiError as error:
    print(error.code, len(conversation.messages), error)
"""
    ConversationStore(folder).save(chat("x"))
    [output] = ended(program(folder, filling))
    code, saved, *_ = output.split()
    assert code == "store.not_saved"
    assert "x.json could not be written: File too large" in output
    assert len(decode((folder / "x.json").read_bytes(), "x").messages) == int(saved)
    assert list(folder.glob(".qwen-tui-*")) == []


def test_a_reply_on_a_full_disk_goes_on_and_is_written_when_there_is_room(folder: Path) -> None:
    replying = """
import time
from qwen_tui.chat import partial as module

module.SYNC_SECONDS = 0.01
conversation = only()
partial = store.partial(conversation, Message(role=Role.ASSISTANT, content="", parent=conversation.head))
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
for number in range(300):
    partial.append_text(f"{number} ")
print(partial.error.code)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
partial.close()
"""
    store = ConversationStore(folder)
    store.save(chat("x"))
    [output] = ended(program(folder, replying))
    assert output.split() == ["store.partial_not_saved"]
    assert texts(store.load(store.list()[0]))[-1] == " ".join(map(str, range(300))) + " "


def test_what_cannot_be_written_at_all_is_said(folder: Path) -> None:
    refusing = """
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
for attempt in (lambda: store.save(Conversation(name="new")), lambda: store.rename(store.list()[0], "other")):
    try:
        attempt()
    except QwenTuiError as error:
        print(error.code)
partial = store.partial(only(), Message(role=Role.ASSISTANT, content=""))
partial.append_text("x")
partial.close()
print(partial.error.code)
"""
    ConversationStore(folder).save(chat("x"))
    [output] = ended(program(folder, refusing))
    assert output.split() == ["store.not_saved", "store.not_saved", "store.partial_not_saved"]
    [entry] = ConversationStore(folder).list()
    assert entry.messages == 2


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as path:
        os.chmod(path, 0o755)
        yield Path(path) / "conversations"


def test_a_folder_that_may_not_be_changed_can_still_be_read(open_folder: Path) -> None:
    reading = """
import os
only()  # imports what it needs: the other user may not be able to
if os.getuid() == 0:
    os.setuid(65534)
conversation = only()
partial = store.partial(conversation, Message(role=Role.ASSISTANT, content=""))
partial.append_text("x")
print(len(conversation.messages), partial.error.code)
for attempt in (lambda: store.save(conversation), lambda: store.trash(store.list()[0])):
    try:
        attempt()
    except QwenTuiError as error:
        print(error.code)
"""
    ConversationStore(open_folder).save(chat("x"))
    os.chmod(open_folder, 0o555)
    os.chmod(open_folder / "x.json", 0o444)
    try:
        [output] = ended(program(open_folder, reading))
    finally:
        os.chmod(open_folder, 0o755)
    assert output.split() == ["2", "store.partial_not_saved", "store.not_saved", "store.not_moved"]


def test_five_thousand_conversations_are_listed_at_once(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(5000):
        conversation = chat(f"conversation {number}", turns=2)
        (folder / f"conversation {number}.json").write_bytes(encode(conversation))
    assert len(ConversationStore(folder).list()) == 5000
    store = ConversationStore(folder)
    began = time.process_time()
    entries = store.list()
    listed = time.process_time()
    conversation = store.load(entries[0])
    conversation = store.save(conversation.with_message(question(parent=conversation.head)))
    before_saving = time.process_time()
    store.save(conversation.with_message(answer(parent=conversation.head)))
    saved = time.process_time()
    assert len(entries) == 5000
    assert pieces(listed - began) < 33
    assert pieces(saved - before_saving) < 7
