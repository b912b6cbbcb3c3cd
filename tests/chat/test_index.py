"""The index: a cache of the list that is never believed against the files."""

import json
from pathlib import Path

import pytest
from samples import chat, names

from qwen_tui.chat import index
from qwen_tui.chat.codec import encode
from qwen_tui.chat.store import ConversationStore


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
