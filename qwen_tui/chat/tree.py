"""Order the messages of a file as a tree, as `Conversation` requires: parents precede their children."""

from collections.abc import Sequence
from dataclasses import replace

from qwen_tui.chat.fields import DamagedError
from qwen_tui.chat.messages import Message


def parents_first(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return the messages in their order, except that parents precede their children.

    A message whose parent is missing is attached to the one before it in the file. Raises `DamagedError` for
    duplicate ids and for cycles.
    """
    by_id: dict[str, Message] = {}
    for number, message in enumerate(messages, 1):
        if message.id in by_id:
            raise DamagedError("same_id", number=number)
        by_id[message.id] = message
    placed: dict[str, Message] = {}
    before: str | None = None
    for message in messages:
        for each in _unplaced_line(message, by_id, placed):
            is_dangling = each.parent is not None and each.parent not in by_id
            placed[each.id] = replace(each, parent=before) if is_dangling else each
            before = each.id
    return tuple(placed.values())


def _unplaced_line(message: Message, by_id: dict[str, Message], placed: dict[str, Message]) -> list[Message]:
    """Return the message preceded by its unplaced ancestors, oldest first."""
    line: list[Message] = []
    at: Message | None = message
    while at is not None and at.id not in placed:
        line.append(at)
        if len(line) > len(by_id):
            raise DamagedError("cycle")
        at = by_id.get(at.parent) if at.parent is not None else None
    return line[::-1]
