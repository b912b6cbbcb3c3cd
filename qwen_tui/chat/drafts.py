"""What was being written and is not part of a conversation yet: a file for each, `drafts/DIGEST.json`.

A draft survives switching and the end of the program. Unlike a conversation it is not worth an error: a file that
cannot be read counts as none.
"""

import hashlib
import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.codec import line
from qwen_tui.chat.files import make_folder, shown, why, write_whole
from qwen_tui.chat.messages import Json
from qwen_tui.errors import QwenTuiError

LARGEST_BYTES = 64 * 2**20
"""A larger file is not ours: a message of that size fits no model."""


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """What stands in the composer of a conversation, and what waits to be answered in it."""

    text: str = ""
    attachments: tuple[str, ...] = ()
    """Pasted texts above it."""
    waiting: tuple[str, ...] = ()
    """Messages that were sent and not accepted yet, the oldest first."""
    is_new: bool = False
    """The conversation has no message, and so no file, yet."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to keep."""
        return not (self.text or self.attachments or self.waiting)


class Drafts:
    """The drafts in a folder, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, conversation_id: str) -> SavedDraft | None:
        """The draft of a conversation; None when there is none that can be read."""
        found = _read(self._file(conversation_id))
        return found[1] if found is not None and found[0] == conversation_id else None

    def save(self, conversation_id: str, draft: SavedDraft) -> None:
        """Keep a draft, or nothing when it is empty. Raises `QwenTuiError` (`store.draft_not_saved`).

        Not forced to the disk: a draft outlives the program, but not every loss of power.
        """
        path = self._file(conversation_id)
        try:
            if draft.is_empty:
                path.unlink(missing_ok=True)
            else:
                make_folder(self._folder)
                write_whole(path, line({"conversation": conversation_id, **asdict(draft)}), durable=False)
        except OSError as error:
            raise QwenTuiError("store.draft_not_saved", path=shown(path), detail=why(error)) from error

    def left_behind(self) -> tuple[str, ...]:
        """The ids of conversations that were never begun, but for which something was written; newest first."""
        with suppress(OSError):
            files = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime, reverse=True)
            found = [_read(file) for file in files]
            return tuple(each[0] for each in found if each is not None and each[1].is_new)
        return ()

    def _file(self, conversation_id: str) -> Path:
        # An id is whatever a file says: only a digest of it makes a safe file name.
        return self._folder / f"{hashlib.sha256(conversation_id.encode()).hexdigest()[:32]}.json"


def _read(file: Path) -> tuple[str, SavedDraft] | None:
    """A draft and the id of its conversation."""
    with suppress(OSError, ValueError, RecursionError):
        if os.stat(file).st_size <= LARGEST_BYTES:
            value = json.loads(file.read_bytes())
            if isinstance(value, dict) and isinstance(own_id := value.get("conversation"), str):
                return own_id, SavedDraft(
                    text=_text(value.get("text")),
                    attachments=_texts(value.get("attachments")),
                    waiting=_texts(value.get("waiting")),
                    is_new=value.get("is_new") is True,
                )
    return None


def _text(value: Json) -> str:
    return clean(value) if isinstance(value, str) else ""


def _texts(value: Json) -> tuple[str, ...]:
    texts = map(_text, value) if isinstance(value, list) else ()
    return tuple(text for text in texts if text)
