"""Whatever stands in the files of the data folder: nothing crashes, nothing is erased, the rest is there."""

import json
import random
from contextlib import closing
from pathlib import Path

import pytest
from screenplay import Screenplay, say, shown, until
from walking import files_below

from qwen_tui.chat.drafts import Drafts, SavedDraft, Waiting
from qwen_tui.chat.messages import Conversation, Message, Role, Run, Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places, places
from qwen_tui.settings import config_file

NAMES = ("广州美食", "one", "two")
VALUES = [
    None,
    True,
    -1,
    1e308,
    10**400,
    "",
    "x" * 9999,
    [],
    [[]],
    {},
    {"a": {}},
    "\ud800",
    "../../etc",
    "\x00",
]


def filled(folder: Path) -> Places:
    """A data folder with one of everything."""
    where = places(str(folder), str(folder / "config.toml"))
    store = ConversationStore(where.conversations)
    for name in NAMES:
        conversation = Conversation(name=name, named_by_person=True, overrides={"top_k": 5})
        for number in range(3):
            role = Role.ASSISTANT if number % 2 else Role.USER
            run = Run(model="m", dtype="float32", token_ids=(1, 2), sampling={"top_k": 5}, seed=1)
            receipt = (run,) if role is Role.ASSISTANT else ()
            message = Message(
                role=role, content=f"{name} {number}", parent=conversation.head, receipt=receipt
            )
            conversation = conversation.with_message(message)
        store.save(conversation)
    reply = Message(role=Role.ASSISTANT, content="", parent=conversation.head, status=Status.INTERRUPTED)
    with closing(store.partial(conversation, reply)) as partial:
        partial.append_text("what came of it")
    drafts = Drafts(where.drafts)
    drafts.save(conversation.id, SavedDraft("a draft", ("attached",), (Waiting("1" * 12, "waits"),)))
    store.trash(next(entry for entry in store.list() if entry.name == "one"))
    store.save(store.create("four").with_message(Message(role=Role.USER, content="four")))
    where.config_file.write_text('[sampling]\ntop_k = 5\ntemperature = 0.5\n[keys]\n"chat.new" = "f9"\n')
    return where


def damage(data: bytes, chance: random.Random) -> bytes:
    """The same bytes, somewhere wrong."""
    at, length = chance.randrange(len(data) + 1), chance.randrange(40)
    match chance.randrange(8):
        case 0:
            return data[:at]
        case 1:
            return b""
        case 2:
            return data[:at] + chance.randbytes(length) + data[at + length :]
        case 3:
            return data[:at] + data[max(0, at - length) :]
        case 4:
            return b"[" * 100_000 + data
        case 5:
            return data.decode("utf-8").encode("utf-16")
        case _:
            return with_another_value(data, chance)


def with_another_value(data: bytes, chance: random.Random) -> bytes:
    """JSON with one value that is of another kind, or one key more or less; other files as they were."""
    lines = data.split(b"\n")
    number = chance.randrange(len(lines))
    try:
        whole = json.loads(data)
    except ValueError:
        try:
            whole = json.loads(lines[number])
        except ValueError:
            return data
    else:
        lines, number = [data], 0
    places: list[tuple[object, object]] = []
    waiting = [whole]
    while waiting:
        value = waiting.pop()
        keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for key in keys:
            places.append((value, key))
            waiting.append(value[key])
    if not places:
        return json.dumps(chance.choice(VALUES)).encode()
    holder, key = chance.choice(places)
    if chance.random() < 0.2:
        del holder[key]
    else:
        holder[key] = chance.choice(VALUES)
    lines[number] = json.dumps(whole).encode()
    return b"\n".join(lines)


@pytest.mark.parametrize("seed", range(12))
def test_no_damage_of_a_file_costs_more_than_that_file(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for round_number in range(12):
        folder = tmp_path / f"{round_number}"
        where = filled(folder)
        files = files_below(folder)
        victim = chance.choice(files)
        before = victim.read_bytes()
        victim.write_bytes(damage(before, chance))
        damaged = victim.read_bytes()
        about = f"seed {seed}, round {round_number}: {victim.relative_to(folder)} is {damaged[:300]!r}"

        store = ConversationStore(where.conversations)
        entries = store.list()
        others = {"广州美食", "two", "four"} - {victim.stem}
        assert others <= {entry.name for entry in entries}, about
        for entry in entries:
            try:
                conversation = store.load(entry)
            except QwenTuiError:
                assert entry.file == victim.name, about
            else:
                store.save(conversation)
        listed = {entry.name for entry in store.list()}
        everything = [file.read_bytes() for file in files_below(folder)]
        is_kept = damaged in everything or victim.name.startswith(".") or victim.suffix == ".partial"
        assert is_kept or len(listed) >= 3 or not damaged, about

        config = config_file.load(where.config_file)
        assert config.settings is not None
        drafts = Drafts(where.drafts)
        drafts.left_behind()
        for file in where.drafts.glob("*.json"):
            drafts.load(file.stem)
        for trashed in store.trashed():
            data = trashed.path.read_bytes()
            try:
                store.restore(trashed)
            except QwenTuiError:
                store.list()
                assert data in [file.read_bytes() for file in files_below(folder, pattern="*.json")], about


@pytest.mark.parametrize(
    "data", [b"", b"\x00" * 4096, b"{", b"[" * 100_000, b"\xff\xfe\x00", b"null", b'{"version": 99}']
)
async def test_the_program_starts_talks_and_saves_where_every_file_is_damaged(
    tmp_path: Path, data: bytes
) -> None:
    play = Screenplay(tmp_path / "data")
    filled(tmp_path / "data")
    before = [file for file in files_below(tmp_path / "data") if file.parent.name != ".open"]
    for file in before:
        file.write_bytes(data)
    async with play.running() as pilot:
        await say(pilot, "hello")
        await until(pilot, lambda: "echo: hello" in shown(pilot))
        await until(pilot, lambda: not pilot.app.screen.query_one("#composer").busy)
    store = ConversationStore(play.where.conversations)
    assert "hello" in [entry.name for entry in store.list()]
    kept = [file for file in files_below(tmp_path / "data") if file.read_bytes() == data]
    conversations = [
        file for file in before if file.suffix == ".json" and file.parent == play.where.conversations
    ]
    assert len(kept) >= len([file for file in conversations if not file.name.startswith(".")])


def test_unknown_keys_survive_wherever_they_stand(tmp_path: Path) -> None:
    where = filled(tmp_path)
    path = where.conversations / "two.json"
    value = json.loads(path.read_text())
    value["from_the_future"] = {"a": [1]}
    value["messages"][1]["reactions"] = ["+1"]
    value["messages"][1]["receipt"][0]["energy_joules"] = 3.5
    path.write_text(json.dumps(value))
    store = ConversationStore(where.conversations)
    entry = store.find("two")
    assert entry is not None
    conversation = store.load(entry)
    store.save(conversation.with_message(Message(role=Role.USER, content="more", parent=conversation.head)))
    saved = json.loads(path.read_text())
    assert saved["from_the_future"] == {"a": [1]}
    assert saved["messages"][1]["reactions"] == ["+1"]
    assert saved["messages"][1]["receipt"][0]["energy_joules"] == 3.5
