"""The keyboard's position in the log: one message, highlighted while the log has the focus."""

from dataclasses import dataclass, replace

from qwen_tui.ui.transcript.virtual_list import VirtualList


@dataclass(frozen=True, slots=True)
class Cursor:
    """Which message the keys act on."""

    message_id: str | None = None
    words: tuple[str, ...] | None = None
    """The search words, typed outside the log, or None. During a search the cursor stays visible."""

    def on(self, message_id: str | None) -> "Cursor":
        return replace(self, message_id=message_id)

    def is_seen_on(self, message_id: str, has_keyboard: bool) -> bool:
        return message_id == self.message_id and (has_keyboard or self.words is not None)


def after_change(cursor: Cursor, messages: VirtualList, has_keyboard: bool) -> Cursor:
    """Return the cursor after messages were added or removed; while the log has the focus, there always is one."""
    if messages.position_of(cursor.message_id) is not None:
        return cursor
    newest = messages.messages[-1].id if has_keyboard and messages.messages else None
    return cursor.on(newest)


def after_focus(cursor: Cursor, messages: VirtualList) -> Cursor:
    """Return the cursor when the log gets the focus: the old one if visible, else the last visible message."""
    is_on_its_way = cursor.message_id is not None and cursor.message_id == messages.destination
    if not messages.messages or is_on_its_way or messages.is_seen(cursor.message_id):
        return cursor
    return cursor.on(messages.last_seen() or messages.messages[-1].id)


def step(cursor: Cursor, messages: VirtualList, by: int) -> str | None:
    """Return the id of the message this many below the cursor (above if negative); None below the newest."""
    total, at = len(messages.messages), messages.position_of(cursor.message_id)
    target = max(0, (total if at is None else at) + by)
    return messages.messages[target].id if target < total else None
