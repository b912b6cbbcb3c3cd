"""The index of a folder of conversations: what the list shows, without opening the files.

A cache, `.index.json` in the folder: trusted for a file only while that file's stamp is unchanged, rebuilt
otherwise, and safe to lose. The leading dot keeps it apart from a conversation named *index*.
"""

import json
import zlib
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.fields import moment
from qwen_tui.chat.files import Stamp, write_whole
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.names import tidy

FILE = ".index.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the list of conversations."""

    id: str
    name: str
    pinned: bool
    updated: str
    """When the conversation was last used, ISO 8601 in UTC."""
    messages: int
    """Number of messages on the shown path."""
    words: str
    """The beginning of the last message on that path, on one line."""
    file: str
    """The name of its file in the folder."""
    stamp: Stamp
    """The state of the file this entry was read from."""


COLUMNS = tuple(f.name for f in fields(Entry))
"""Column order of an index row; an index with other columns belongs to another version and is ignored."""

KINDS = [str, str, bool, str, int, str, str, list]

WORDS = 120
"""Maximum length of `Entry.words`."""


def entry(conversation: Conversation, file: str, stamp: Stamp) -> Entry:
    """Build the entry of a conversation that is stored in this file."""
    path = conversation.path()
    said = next((each.content for each in reversed(path) if each.content.strip()), "")
    return Entry(
        id=conversation.id,
        name=conversation.name,
        pinned=conversation.pinned,
        updated=conversation.updated,
        messages=len(path),
        words=one_line(said.strip(), WORDS),
        file=file,
        stamp=stamp,
    )


def read(folder: Path) -> dict[str, Entry]:
    """Read the index as entries by file name; empty if it is missing or unreadable."""
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
    """Write the index; if that fails, the next program reads the files instead."""
    # ASCII escapes, because a file name need not be valid UTF-8.
    rows = [json.dumps([getattr(each, column) for column in COLUMNS]) for each in entries]
    columns, lines = json.dumps(list(COLUMNS)), ",\n".join(rows)
    text = f'{{"columns": {columns}, "check": {_check(rows)}, "files": [\n{lines}\n]}}\n'
    with suppress(OSError):
        write_whole(folder / FILE, text.encode(), durable=False)


def _check(rows: Iterable[str]) -> int:
    """Return a checksum: a corrupted index could show a wrong name or open another conversation."""
    return zlib.crc32("\n".join(rows).encode())


def _entry(row: object) -> Entry | None:
    if not isinstance(row, list) or [*map(type, row)] != KINDS:
        return None
    id, name, pinned, updated, messages, words, file, stamp = row
    if [*map(type, stamp)] != [int, int, int]:
        return None
    # The index is a foreign file too: names in it must not control the terminal.
    if not (name.isprintable() or tidy(name) == name) or moment(updated, "") != updated:
        return None
    if one_line(words, WORDS) != words:
        return None
    return Entry(id, name, pinned, updated, messages, words, file, (stamp[0], stamp[1], stamp[2]))
