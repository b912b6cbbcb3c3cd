"""The trash: conversations that were deleted, until they are thirty days old."""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.chat.codec import decode
from qwen_tui.chat.files import shown
from qwen_tui.chat.folder import SUFFIX, move_into
from qwen_tui.errors import QwenTuiError

FOLDER = "trash"

KEPT_SECONDS = 30 * 24 * 3600
"""How long a conversation stays in the trash."""


@dataclass(frozen=True, slots=True)
class Trashed:
    """A conversation in the trash, as `ConversationStore.restore` takes it."""

    name: str
    path: Path
    when: float
    """When it was put there, in seconds since 1970."""


def put(folder: Path, file: Path, name: str) -> Trashed:
    """Move a conversation's file into the trash of a folder; raises OSError."""
    # The time of the move, not that of the last save, is what the thirty days are counted from.
    os.utime(file)
    path = move_into(folder / FOLDER, file)
    return Trashed(name, path, path.stat().st_mtime)


def trashed(folder: Path) -> list[Trashed]:
    """What is in the trash, the newest first."""
    found = []
    with suppress(OSError):
        for path in (folder / FOLDER).glob(f"*{SUFFIX}"):
            with suppress(OSError):
                found.append(Trashed(_name(path), path, path.stat().st_mtime))
    return sorted(found, key=lambda each: each.when, reverse=True)


def purge(folder: Path) -> None:
    """Remove for good what has been in the trash for longer than `KEPT_SECONDS`."""
    oldest = time.time() - KEPT_SECONDS
    with suppress(OSError), os.scandir(folder / FOLDER) as found:
        for file in found:
            with suppress(OSError):
                is_conversation = file.name.endswith(SUFFIX) and file.is_file(follow_symlinks=False)
                if is_conversation and file.stat(follow_symlinks=False).st_mtime < oldest:
                    os.unlink(file.path)


def _name(path: Path) -> str:
    try:
        return decode(path.read_bytes(), path).name or shown(path.stem)
    except QwenTuiError:
        return shown(path.stem)
