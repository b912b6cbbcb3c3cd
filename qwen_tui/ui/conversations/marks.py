"""Marks in the list of conversations: running replies and unread replies."""

from collections.abc import Iterable

from qwen_tui.session.events import Replied
from qwen_tui.session.turn_queue import Happened, TurnQueue


class Marks:
    """The marks by conversation; whoever shows a conversation reports events with `note`."""

    def __init__(self, turns: TurnQueue) -> None:
        self._turns = turns
        self._unread: set[str] = set()

    def is_busy(self, conversation_id: str) -> bool:
        return self._turns.is_running(conversation_id)

    def is_unread(self, conversation_id: str) -> bool:
        return conversation_id in self._unread

    def note(self, happened: Iterable[Happened], shown_id: str) -> None:
        """Update the marks with events that happened while this conversation was shown."""
        ended = (each.turn.conversation_id for each in happened if isinstance(each.event, Replied))
        self._unread = (self._unread | set(ended)) - {shown_id}
