"""What can be taken back: the changes to conversations, the newest first."""

from collections.abc import Callable
from typing import NamedTuple


class Change(NamedTuple):
    """A change that was made, and how to take it back."""

    what: str
    """The code of the sentence that says it was taken back: `undone.rename`, `undone.trash`, …"""
    conversation_id: str
    take_back: Callable[[], str]
    """Takes it back; returns the conversation's name. Raises `QwenTuiError`."""


class Undone(NamedTuple):
    """A change that was taken back."""

    what: str
    conversation_id: str
    name: str
    """Of the conversation."""


class UndoStack:
    """The changes of this run of the program, of all conversations in one order."""

    def __init__(self) -> None:
        self._changes: list[Change] = []

    def push(self, change: Change) -> None:
        """Remember a change."""
        self._changes.append(change)

    @property
    def next_conversation(self) -> str:
        """The conversation that the next undo is about; empty when there is nothing to take back."""
        return self._changes[-1].conversation_id if self._changes else ""

    def undo(self) -> Undone | None:
        """Take the newest change back; None when there is none. One that raises `QwenTuiError` stays the newest."""
        if not self._changes:
            return None
        newest = self._changes[-1]
        name = newest.take_back()
        self._changes.remove(newest)  # another may have been made while the disk was waited for
        return Undone(newest.what, newest.conversation_id, name)
