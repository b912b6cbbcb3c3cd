"""Undo for changes to conversations, newest first."""

from collections.abc import Callable
from typing import NamedTuple


class Change(NamedTuple):
    """A change that was made, and how to undo it."""

    what: str
    """The code of the sentence reporting the undo: `undone.rename`, `undone.trash`, …"""
    conversation_id: str
    take_back: Callable[[], str]
    """Undoes the change and returns the conversation's name. Raises `QwenTuiError`."""


class Undone(NamedTuple):
    """A change that was undone."""

    what: str
    conversation_id: str
    name: str
    """The conversation's name."""


class UndoStack:
    """The changes made since the program started, for all conversations in one order."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def push(self, change: Change) -> None:
        """Push a change."""
        self._changes.append(change)

    @property
    def next_conversation(self) -> str:
        """The conversation that the next undo affects; empty if there is nothing to undo."""
        return self._changes[-1].conversation_id if self._changes else ""

    def undo(self) -> Undone | None:
        """Undo the newest change; None if there is none. A change that raises `QwenTuiError` stays the newest."""
        if not self._changes:
            return None
        newest = self._changes[-1]
        name = newest.take_back()
        self._changes.remove(newest)  # another change may have been pushed during disk access
        return Undone(newest.what, newest.conversation_id, name)
