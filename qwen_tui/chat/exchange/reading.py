"""Read conversations from files of any program; the format is detected by content, not by name.

| content of the file | format |
|---|---|
| an object with `messages`, and with a `version`, a `head` or parents | this program's own |
| an object with `messages`, or a list of messages | OpenAI's |
| an object with `mapping` | ChatGPT's |
| a list of any of these, or one of them on each line (JSONL) | |
| a zip archive with `conversations.json` in it | ChatGPT's |
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, NamedTuple

from qwen_tui.chat import codec
from qwen_tui.chat.exchange import chatgpt, openai
from qwen_tui.chat.exchange.archive import texts_in
from qwen_tui.chat.exchange.notes import Notes
from qwen_tui.chat.fields import DamagedError, parsed, text_in
from qwen_tui.chat.files import shown, why
from qwen_tui.chat.messages import Conversation, Json
from qwen_tui.chat.names import name_from
from qwen_tui.errors import QwenTuiError

MOST_CONVERSATIONS = 10_000
"""Limit on the conversations in one file; more is a data set, and each would get a file of its own."""


class Imported(NamedTuple):
    """The result of an import."""

    conversations: tuple[Conversation, ...]
    notes: tuple[str, ...]
    """What was left out, in sentences."""


def read_file(path: Path) -> Imported:
    """Read the conversations in a file; raises `QwenTuiError` like `read`."""
    try:
        with path.open("rb") as file:
            return read(file, str(path))
    except (OSError, ValueError) as error:
        detail = why(error) if isinstance(error, OSError) else str(error)
        raise QwenTuiError("exchange.not_read", path=shown(path), detail=detail) from error


def read(file: BinaryIO, name: str) -> Imported:
    """Read the conversations in an open file; `name` is used in errors.

    Raises `QwenTuiError` if none can be read. If some can, the notes list the others.
    """
    name = shown(name)
    try:
        values = [value for text in texts_in(file, name) for value in _values(text_in(text))]
    except DamagedError as error:
        raise QwenTuiError("exchange.damaged", path=name, detail=str(error)) from None
    except OSError as error:
        raise QwenTuiError("exchange.not_read", path=name, detail=why(error)) from error
    if len(values) > MOST_CONVERSATIONS:
        raise QwenTuiError("exchange.too_many", path=name, count=len(values), limit=MOST_CONVERSATIONS)
    return _imported(values, name)


def _imported(values: Iterable[Json | DamagedError], name: str) -> Imported:
    notes = Notes()
    conversations: list[Conversation] = []
    first_error: QwenTuiError | None = None
    for number, value in enumerate(values, 1):
        own = Notes()
        try:
            conversations.append(_conversation(value, name, own))
        except (DamagedError, QwenTuiError) as error:
            if isinstance(error, DamagedError):
                error = QwenTuiError("exchange.damaged", path=name, detail=str(error))
            notes.add_unread(number, str(error.parameters.get("detail") or error.explanation.title))
            first_error = first_error or error
        else:
            notes.take_over(own)
    if not conversations:
        raise first_error or QwenTuiError("exchange.damaged", path=name, detail=str(DamagedError("empty")))
    return Imported(tuple(conversations), notes.sentences())


def _conversation(value: Json | DamagedError, name: str, notes: Notes) -> Conversation:
    if isinstance(value, DamagedError):
        raise value
    if isinstance(value, dict) and "mapping" in value:
        return chatgpt.read(value, notes)
    if not _is_own(value):
        return openai.read(value, notes)
    conversation = codec.from_json(value, name)
    first = next((message.content for message in conversation.messages), "")
    return conversation if conversation.name else replace(conversation, name=name_from(first))


def _is_own(value: Json) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        return False
    return (
        type(value.get("version")) is int
        or "head" in value
        or any(isinstance(message, dict) and "parent" in message for message in value["messages"])
    )


def _values(text: str) -> list[Json | DamagedError]:
    """Split a text into candidate conversations; raises `DamagedError` if it is neither JSON nor JSONL."""
    try:
        value = parsed(text)
    except DamagedError:
        lines = [line for line in text.split("\n") if line.strip()]
        if not isinstance(_line(lines[0]), dict | list):
            raise
        return _apart([_line(line) for line in lines])
    return _apart(value) if isinstance(value, list) else [value]


def _apart(values: list[Json | DamagedError]) -> list[Json | DamagedError]:
    """Split a list into conversations; a list of messages is a single one."""
    is_one = any(isinstance(value, dict) and "role" in value and "messages" not in value for value in values)
    return [values] if is_one else values


def _line(line: str) -> Json | DamagedError:
    try:
        return parsed(line)
    except DamagedError as error:
        return error
