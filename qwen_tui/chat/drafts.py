"""What was being written and is not part of a conversation yet: a file for each, `drafts/ID.json`.

A draft survives switching and the end of the program. Unlike a conversation it is not worth an error: a file that
cannot be read counts as none, and is moved to `drafts/damaged/`.
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
"""A larger file is not ours: a message of that size fits no model."""


DAMAGED = "damaged"


class Waiting(NamedTuple):
    """A message that was sent, and perhaps never became part of its conversation."""

    own_id: str
    """Of the message that it becomes: one that is in the conversation waits no longer."""
    text: str


class UnsentEdit(NamedTuple):
    """What was written in the place of a message of the conversation, and not sent."""

    message_id: str
    text: str


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """What stands in the composer of a conversation, and what waits to be answered in it."""

    text: str = ""
    attachments: tuple[str, ...] = ()
    """Pasted texts above it."""
    waiting: tuple[Waiting, ...] = ()
    """Messages that were sent and, when this was written, not accepted yet; the oldest first."""
    edits: tuple[UnsentEdit, ...] = ()
    editing: str = ""
    """The id of the message that stands in the composer to be written anew, instead of `text`."""
    is_new: bool = False
    """The conversation has no message, and so no file, yet."""
    name: str = ""
    """The name that a person gave such a conversation."""
    overrides: Mapping[str, Json] = field(default_factory=dict)
    """The settings of such a conversation, its system prompt for one."""

    @property
    def has_words(self) -> bool:
        """Whether a person wrote something that would be lost."""
        return bool(self.text or self.attachments or self.waiting or self.edits)


class LeftBehind(NamedTuple):
    """A conversation that was never begun, but for which something was written."""

    own_id: str
    name: str
    """The name that a person gave it, if one did."""
    overrides: Mapping[str, Json]
    """Its own settings."""
    has_words: bool = True
    """Whether anything was written for it beside those."""


class Drafts:
    """The drafts in a folder, which is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, conversation_id: str) -> SavedDraft | None:
        """The draft of a conversation; None when there is none that can be read."""
        file = self._file(conversation_id)
        try:
            found_id, draft = _read(file)
            if found_id == conversation_id:
                return draft
        except OSError:
            return None
        except (ValueError, RecursionError):
            pass
        with suppress(OSError):  # the next draft would take its place
            move_into(self._folder / DAMAGED, file)
        return None

    def save(self, conversation_id: str, draft: SavedDraft) -> None:
        """Keep a draft, or nothing when it is empty. Raises `QwenTuiError` (`store.draft_not_saved`).

        Not forced to the disk: a draft outlives the program, but not every loss of power.
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
        """Forget the draft of a conversation that is gone for good, if there is one."""
        with suppress(OSError):
            self._file(conversation_id).unlink()

    def among(self, conversation_ids: Iterable[str]) -> frozenset[str]:
        """Those of these conversations that have a draft; opens no file."""
        try:
            stems = {name.removesuffix(".json") for name in os.listdir(self._folder)}
        except OSError:
            return frozenset()
        return frozenset(own_id for own_id in conversation_ids if id_stem(own_id) in stems)

    def left_behind(self) -> tuple[LeftBehind, ...]:
        """The conversations that were never begun, but for which something was written; newest first."""
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
    """The id of a draft's conversation and the draft; raises OSError, or ValueError for what is none."""
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
    """The ids and texts of a list of such; without those that have no text."""
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
