"""The index of a folder of conversations: what its list shows, so that no file has to be opened for it.

It is a cache: `.index.json` in the folder, trusted for a file only while that file's stamp is the same,
rebuilt where it is not, and of no consequence when it is lost. The leading dot keeps it apart from a
conversation that a person calls *index*.
"""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from qwen_tui.chat.codec import VERSION
from qwen_tui.chat.files import write_whole
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.names import tidy

FILE = ".index.json"

Stamp = tuple[int, int, int]
"""What changes when a file does: time of its last change in nanoseconds, size in bytes, inode."""


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


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp in what the file system says of a file."""
    return status.st_mtime_ns, status.st_size, status.st_ino


def read(folder: Path) -> dict[str, Entry]:
    """The entries of the index by file name; none where there is no index or it cannot be read."""
    try:
        value = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if (
        not isinstance(value, dict)
        or value.get("version") != VERSION
        or not isinstance(value.get("files"), list)
    ):
        return {}
    entries = (_entry(each) for each in value["files"])
    return {each.file: each for each in entries if each is not None}


def write(folder: Path, entries: Iterable[Entry]) -> None:
    """Write the index; when that fails the next program reads the files instead."""
    lines = (json.dumps(asdict(each), ensure_ascii=False) for each in entries)
    text = f'{{"version": {VERSION}, "files": [\n' + ",\n".join(lines) + "\n]}\n"
    with suppress(OSError, UnicodeEncodeError):
        write_whole(folder / FILE, text.encode(), durable=False)


KINDS = {f.name: f.type for f in fields(Entry) if f.name != "stamp"}


def _entry(value: object) -> Entry | None:
    if not isinstance(value, dict) or value.keys() != KINDS.keys() | {"stamp"}:
        return None
    stamp = value["stamp"]
    if not isinstance(stamp, list) or len(stamp) != 3 or not all(type(each) is int for each in stamp):
        return None
    if not all(type(value[key]) is kind for key, kind in KINDS.items()):
        return None
    if not value["name"].isprintable() and tidy(value["name"]) != value["name"]:
        return None
    return Entry(**(value | {"stamp": tuple(stamp)}))
