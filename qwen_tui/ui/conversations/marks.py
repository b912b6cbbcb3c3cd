"""What the list marks: conversations that are being answered, and those that were answered unseen."""

from collections.abc import Iterable

from qwen_tui.session.events import Replied
from qwen_tui.session.turn_queue import Happened, TurnQueue


class Marks:
    """Read by the list; told of what happens by whoever shows a conversation."""

    def __init__(self, turns: TurnQueue) -> None:
        self._turns = turns
        self._unread: set[str] = set()

    def is_busy(self, conversation_id: str) -> bool:
        return self._turns.is_running(conversation_id)

    def is_unread(self, conversation_id: str) -> bool:
        return conversation_id in self._unread

    def note(self, happened: Iterable[Happened], shown_id: str) -> None:
        """Follow what happened while this conversation was shown."""
        ended = (each.turn.conversation_id for each in happened if isinstance(each.event, Replied))
        self._unread = (self._unread | set(ended)) - {shown_id}
