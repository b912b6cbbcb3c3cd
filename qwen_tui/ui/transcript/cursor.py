"""The keyboard's place in the log: one message, marked while the log has the keyboard."""

from dataclasses import dataclass, replace

from qwen_tui.ui.transcript.virtual_list import VirtualList


@dataclass(frozen=True, slots=True)
class Cursor:
    """Which message the keys apply to."""

    message_id: str | None = None
    words: tuple[str, ...] | None = None
    """What is searched for, typed outside the log; None when nothing is. Meanwhile the cursor stays visible."""

    def on(self, message_id: str | None) -> "Cursor":
        return replace(self, message_id=message_id)

    def is_seen_on(self, message_id: str, has_keyboard: bool) -> bool:
        return message_id == self.message_id and (has_keyboard or self.words is not None)


def after_change(cursor: Cursor, messages: VirtualList, has_keyboard: bool) -> Cursor:
    """The cursor after messages came or went: with the keyboard here there always is one."""
    if messages.position_of(cursor.message_id) is not None:
        return cursor
    newest = messages.messages[-1].id if has_keyboard and messages.messages else None
    return cursor.on(newest)


def after_focus(cursor: Cursor, messages: VirtualList) -> Cursor:
    """The cursor when the keyboard comes: where it was if that is in sight, else the last message in sight."""
    is_on_its_way = cursor.message_id is not None and cursor.message_id == messages.destination
    if not messages.messages or is_on_its_way or messages.is_seen(cursor.message_id):
        return cursor
    return cursor.on(messages.last_seen() or messages.messages[-1].id)


def step(cursor: Cursor, messages: VirtualList, by: int) -> str | None:
    """The message so many below the cursor, or above; None below the newest."""
    total, at = len(messages.messages), messages.position_of(cursor.message_id)
    target = max(0, (total if at is None else at) + by)
    return messages.messages[target].id if target < total else None
