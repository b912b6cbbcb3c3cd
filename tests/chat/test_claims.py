"""A conversation is open in one program at a time, for as long as that lives."""

import errno
import fcntl
import os
import threading
from pathlib import Path

import pytest
from samples import chat, names
from test_crash import killed, program

from qwen_tui.chat.claims import Claim, Claims
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError

HOLDING = """
claim = store.claim(only().id)
print(claim is not None, flush=True)
sys.stdin.readline()
claim.release()
print("released", flush=True)
sys.stdin.read()
"""


def locks(folder: Path) -> int:
    return len(list((folder / ".open").iterdir()))


def taken(claim: Claim | None) -> Claim:
    assert claim is not None
    return claim


def test_only_one_has_a_claim(store: ConversationStore, folder: Path) -> None:
    other = ConversationStore(folder)
    claim = taken(store.claim("a"))
    assert store.claim("a") is None
    assert other.claim("a") is None
    different = taken(other.claim("b"))
    claim.release()
    claim.release()
    again = taken(other.claim("a"))
    assert store.claim("a") is None
    again.release()
    different.release()
    assert locks(folder) == 0


def test_a_claim_ends_with_its_program_however_that_ends(store: ConversationStore, folder: Path) -> None:
    own_id = store.save(chat("x")).id
    holder = program(folder, HOLDING)
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert holder.stdout.readline() == "True\n"
    assert store.claim(own_id) is None
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "released\n"
    taken(store.claim(own_id)).release()
    holder.kill()
    holder.communicate()

    assert killed(program(folder, HOLDING), 0) == "True"
    assert locks(folder) == 1
    claim = taken(store.claim(own_id))
    store.list()
    assert locks(folder) == 1, "its own claim is not swept away"
    claim.release()

    killed(program(folder, HOLDING), 0)
    store.list()
    assert locks(folder) == 0, "what a killed program left is swept away"


def test_what_is_open_in_another_program_is_not_trashed_but_can_be_renamed_and_pinned(
    store: ConversationStore, folder: Path
) -> None:
    conversation = store.save(chat("x"))
    holder = program(folder, HOLDING)
    assert holder.stdout is not None
    holder.stdout.readline()
    [entry] = store.list()
    with pytest.raises(QwenTuiError) as raised:
        store.trash(entry)
    assert raised.value.code == "store.open_elsewhere"
    assert names(store) == ["x"]
    assert store.pin(store.rename(entry, "y"), True).name == "y"
    holder.kill()
    holder.communicate()
    claim = taken(store.claim(conversation.id))
    store.trash(entry)
    claim.release()
    assert names(store) == []


def test_claims_are_no_conversations(store: ConversationStore, folder: Path) -> None:
    conversation = store.save(chat("x"))
    taken(store.claim(conversation.id))
    taken(store.claim("../../outside"))
    taken(store.claim("…\ud800" * 80))
    assert names(ConversationStore(folder)) == ["x"]
    assert locks(folder) == 3
    assert {path.name for path in folder.parent.iterdir()} == {"conversations"}


def test_where_nothing_can_be_written_or_locked_everyone_gets_a_claim(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("in the way")
    store = ConversationStore(tmp_path / "file" / "conversations")
    taken(store.claim("a")).release()

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refuse)
    first = taken(ConversationStore(folder).claim("a"))
    second = taken(ConversationStore(folder).claim("a"))
    first.release()
    second.release()


def test_a_lock_whose_folder_was_removed_does_not_remove_that_of_another(folder: Path) -> None:
    first, second = Claims(folder), Claims(folder)
    lost = taken(first.claim("a"))
    (folder / ".open" / os.listdir(folder / ".open")[0]).unlink()
    held = taken(second.claim("a"))
    lost.release()
    assert locks(folder) == 1
    assert first.claim("a") is None
    held.release()


def test_taking_and_letting_go_at_once_never_gives_two_claims(folder: Path) -> None:
    """The owner removes the file while others open and lock it: a lock on a removed file is worth nothing."""
    folder.mkdir(parents=True)
    holders: list[int] = []
    most: list[int] = []
    end = threading.Event()

    def contend(number: int) -> None:
        claims = Claims(folder)
        while not end.is_set():
            claim = claims.claim("a")
            if claim is not None:
                holders.append(number)
                most.append(len(holders))
                holders.remove(number)
                claim.release()
            claims.sweep()

    threads = [threading.Thread(target=contend, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    end.wait(1.0)
    end.set()
    for thread in threads:
        thread.join()
    assert len(most) > 20
    assert max(most) == 1
