"""Unsent text of each conversation, in the files `drafts/ID.json`.

A draft survives switching conversations and quitting. Unlike a damaged conversation, an unreadable draft is
not reported as an error: it counts as missing and is moved to `drafts/damaged/`.
"""

import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.codec import line
from qwen_tui.chat.fields import DamagedError, cleaned, shallow
from qwen_tui.chat.files import make_folder, move_into, shown, why, write_whole
from qwen_tui.chat.messages import Json
from qwen_tui.chat.names import id_stem, tidy
from qwen_tui.errors import QwenTuiError

LARGEST_BYTES = 64 * 2**20
"""Size limit for a draft file; a larger one is not ours, because no model could read a message of that size."""


DAMAGED = "damaged"


class Waiting(NamedTuple):
    """A message that was sent but may not have become part of its conversation."""

    own_id: str
    """The id of the message it becomes; if the conversation contains that id, it no longer waits."""
    text: str


class UnsentEdit(NamedTuple):
    """An unsent edit of a message of the conversation."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """The unsent text of one conversation: its message box, its queued messages and its edits."""

    text: str = ""
    attachments: tuple[str, ...] = ()
    """Pasted texts, shown above `text`."""
    waiting: tuple[Waiting, ...] = ()
    """Messages that were sent but not accepted yet when this was written, oldest first."""
    edits: tuple[UnsentEdit, ...] = ()
    editing: str = ""
    """The id of the message being edited in the message box instead of `text`."""
    is_new: bool = False
    """True while the conversation has no message, and so no file."""
    name: str = ""
    """The name that a person gave to the new conversation."""
    overrides: Mapping[str, Json] = field(default_factory=dict)
    """The settings of the new conversation, such as its system prompt."""

    @property
    def has_words(self) -> bool:
        """True if there is text that could be lost."""
        return bool(self.text or self.attachments or self.waiting or self.edits)


class LeftBehind(NamedTuple):
    """A conversation that has a saved draft but no message yet."""

    own_id: str
    name: str
    """The name that a person gave it, or empty."""
    overrides: Mapping[str, Json]
    """The overrides of the conversation."""
    has_words: bool = True
    """Whether the draft has text, not only settings."""


class Drafts:
    """The drafts in a folder, which is created on demand."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, conversation_id: str) -> SavedDraft | None:
        """Load the draft of a conversation; None if there is none or it cannot be read."""
        file = self._file(conversation_id)
        try:
            found_id, draft = _read(file)
            if found_id == conversation_id:
                return draft
        except OSError:
            return None
        except (ValueError, RecursionError):
            pass
        with suppress(OSError):  # the next draft would overwrite the file
            move_into(self._folder / DAMAGED, file)
        return None

    def save(self, conversation_id: str, draft: SavedDraft) -> None:
        """Save a draft, or remove its file if the draft is empty. Raises `QwenTuiError` (`store.draft_not_saved`).

        Not fsynced: a draft survives the program, but not every loss of power.
        """
        path = self._file(conversation_id)
        try:
            if draft.has_words or draft.overrides:
                make_folder(self._folder)
                write_whole(path, line(_json(conversation_id, draft)), durable=False)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise QwenTuiError("store.draft_not_saved", path=shown(path), detail=why(error)) from error

    def remove(self, conversation_id: str) -> None:
        """Remove the draft, if any, of a conversation that was permanently deleted."""
        with suppress(OSError):
            self._file(conversation_id).unlink()

    def among(self, conversation_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these conversations have a draft, without opening a file."""
        try:
            stems = {name.removesuffix(".json") for name in os.listdir(self._folder)}
        except OSError:
            return frozenset()
        return frozenset(own_id for own_id in conversation_ids if id_stem(own_id) in stems)

    def left_behind(self) -> tuple[LeftBehind, ...]:
        """Return the conversations that have a saved draft but no message yet, newest first."""
        found: list[tuple[float, LeftBehind]] = []
        for file in self._folder.glob("*.json"):
            with suppress(OSError, ValueError, RecursionError):
                conversation_id, draft = _read(file)
                if draft.is_new:
                    left = LeftBehind(conversation_id, draft.name, draft.overrides, draft.has_words)
                    found.append((file.stat().st_mtime, left))
        return tuple(left for _, left in sorted(found, key=lambda each: each[0], reverse=True))

    def _file(self, conversation_id: str) -> Path:
        return self._folder / f"{id_stem(conversation_id)}.json"


def _read(file: Path) -> tuple[str, SavedDraft]:
    """Return the conversation id and the draft in a file; raises OSError, or ValueError if it is not a draft."""
    with file.open("rb") as opened:
        data = opened.read(LARGEST_BYTES + 1)
    value = json.loads(data) if len(data) <= LARGEST_BYTES else None
    if not isinstance(value, dict) or not isinstance(value.get("conversation"), str):
        raise ValueError(file.name)
    return value["conversation"], SavedDraft(
        text=_text(value.get("text")),
        attachments=_texts(value.get("attachments")),
        waiting=tuple(Waiting(*pair) for pair in _pairs(value.get("waiting"))),
        edits=tuple(UnsentEdit(*pair) for pair in _pairs(value.get("edits"))),
        editing=_text(value.get("editing")),
        is_new=value.get("is_new") is True,
        name=tidy(_text(value.get("name"))),
        overrides=_settings(value.get("overrides")),
    )


def _json(conversation_id: str, draft: SavedDraft) -> Json:
    pairs = {"waiting": draft.waiting, "edits": draft.edits}
    lists = {key: [{"id": own_id, "text": text} for own_id, text in value] for key, value in pairs.items()}
    return {"conversation": conversation_id, **asdict(draft), **lists}


def _pairs(value: Json) -> list[tuple[str, str]]:
    """Return the (id, text) pairs of a list, without those that have no text."""
    found = [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
    pairs = ((_text(each.get("id")), _text(each.get("text"))) for each in found)
    return [(own_id, text) for own_id, text in pairs if text]


def _settings(value: Json) -> dict[str, Json]:
    with suppress(DamagedError):
        return cleaned(shallow(value)) if isinstance(value, dict) else {}
    return {}


def _text(value: Json) -> str:
    return clean(value) if isinstance(value, str) else ""


def _texts(value: Json) -> tuple[str, ...]:
    texts = map(_text, value) if isinstance(value, list) else ()
    return tuple(text for text in texts if text)
