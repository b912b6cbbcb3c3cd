"""The trash: deleted conversations, for thirty days.

A deleted conversation's file name ends in `.trashed.json`, and its mtime is the time of deletion. Other files
that someone moved here can be restored, but are never removed.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.chat.codec import decode
from qwen_tui.chat.files import move_into, shown, written
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.names import plain
from qwen_tui.errors import QwenTuiError

FOLDER = "trash"

ENDING = ".trashed.json"

KEPT_SECONDS = 30 * 24 * 3600
"""How long a conversation stays in the trash."""


@dataclass(frozen=True, slots=True)
class Trashed:
    """A conversation in the trash, as accepted by `ConversationStore.restore`."""

    name: str
    path: Path
    when: str
    """When it was deleted, ISO 8601 in UTC."""


def put(folder: Path, file: Path, name: str) -> Trashed:
    """Move a conversation's file into the trash of a folder; raises OSError."""
    # Set the time before the move: if killed between the two, a conversation saved long ago would be removed
    # at the next purge. Never set it back: the clock of a machine without a battery may be wrong now and
    # right later.
    now = max(time.time_ns(), file.stat().st_mtime_ns)
    os.utime(file, ns=(now, now))
    path = move_into(folder / FOLDER, file, ENDING)
    return Trashed(name, path, written(path.stat()))


def trashed(folder: Path) -> list[Trashed]:
    """Return the contents of the trash, newest first."""
    found = []
    for path in _files(folder, ".json"):
        with suppress(OSError):
            found.append(Trashed(_name(path), path, written(path.stat())))
    return sorted(found, key=lambda each: each.when, reverse=True)


def find(folder: Path, conversation_id: str) -> tuple[Path, Conversation] | None:
    """Find the file in the trash that contains the conversation with this id."""
    for path in _files(folder, ".json"):
        with suppress(OSError, QwenTuiError):
            conversation = decode(path.read_bytes(), path)
            if conversation.id == conversation_id:
                return path, conversation
    return None


def purge(folder: Path) -> list[str]:
    """Permanently remove what was deleted more than `KEPT_SECONDS` ago; return the conversations' ids."""
    oldest = time.time() - KEPT_SECONDS
    gone = []
    for path in _files(folder, ENDING):
        with suppress(OSError):
            if path.lstat().st_mtime < oldest and not path.is_symlink():
                with suppress(QwenTuiError):
                    gone.append(decode(path.read_bytes(), path).id)
                path.unlink()
    return gone


def _files(folder: Path, ending: str) -> list[Path]:
    with suppress(OSError), os.scandir(folder / FOLDER) as found:
        return [Path(each.path) for each in found if each.name.endswith(ending) and each.is_file()]
    return []


def _name(path: Path) -> str:
    try:
        name = decode(path.read_bytes(), path).name
    except QwenTuiError:
        name = ""
    return name or plain(path.name.removesuffix(".json").removesuffix(".trashed")) or shown(path.name)
