"""The index of a folder of conversations: what its list shows, so that no file has to be opened for it.

It is a cache: `.index.json` in the folder, trusted for a file only while that file's stamp is the same,
rebuilt where it is not, and of no consequence when it is lost. The leading dot keeps it apart from a
conversation that a person calls *index*.
"""

import json
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

from qwen_tui.chat.fields import moment
from qwen_tui.chat.files import Stamp, write_whole
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.names import tidy

FILE = ".index.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One conversation as the list shows it."""

    id: str
    name: str
    pinned: bool
    updated: str
    """When it was last used, ISO 8601 in UTC."""
    messages: int
    """How many are on the path that is shown."""
    file: str
    """The name of its file in the folder."""
    stamp: Stamp
    """The state of the file that this was read from."""


COLUMNS = tuple(f.name for f in fields(Entry))
"""A row of the index is an entry's values in this order; another order is another version's index."""

KINDS = [str, str, bool, str, int, str, list]


def entry(conversation: Conversation, file: str, stamp: Stamp) -> Entry:
    """What the list shows of a conversation that is kept in this file."""
    return Entry(
        id=conversation.id,
        name=conversation.name,
        pinned=conversation.pinned,
        updated=conversation.updated,
        messages=len(conversation.path()),
        file=file,
        stamp=stamp,
    )


def read(folder: Path) -> dict[str, Entry]:
    """The entries of the index by file name; none where there is no index or it cannot be read."""
    try:
        value = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(value, dict) or value.get("columns") != list(COLUMNS):
        return {}
    rows = value.get("files")
    if not isinstance(rows, list) or value.get("check") != _check(map(json.dumps, rows)):
        return {}
    entries = map(_entry, rows)
    return {each.file: each for each in entries if each is not None}


def write(folder: Path, entries: Iterable[Entry]) -> None:
    """Write the index; when that fails the next program reads the files instead."""
    # Escapes are ugly but complete: a file name need not be valid UTF-8.
    rows = [json.dumps([getattr(each, column) for column in COLUMNS]) for each in entries]
    columns, lines = json.dumps(list(COLUMNS)), ",\n".join(rows)
    text = f'{{"columns": {columns}, "check": {_check(rows)}, "files": [\n{lines}\n]}}\n'
    with suppress(OSError):
        write_whole(folder / FILE, text.encode(), durable=False)


def _check(rows: Iterable[str]) -> int:
    """A checksum: one wrong letter would be taken for a name, or lead to another conversation."""
    return zlib.crc32("\n".join(rows).encode())


def _entry(row: object) -> Entry | None:
    if not isinstance(row, list) or [*map(type, row)] != KINDS:
        return None
    id, name, pinned, updated, messages, file, stamp = row
    if [*map(type, stamp)] != [int, int, int]:
        return None
    # The index is a file like any other: a name in it may not control the terminal either.
    if not (name.isprintable() or tidy(name) == name) or moment(updated, "") != updated:
        return None
    return Entry(id, name, pinned, updated, messages, file, (stamp[0], stamp[1], stamp[2]))
