"""One row of the list of conversations."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from qwen_tui.chat.index import Entry
from qwen_tui.session.search import Found
from qwen_tui.ui.conversations.marks import Marks

_MARKUP = re.compile(r"\*\*|`+|^(?:#+|[-*>]) ")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRow:
    """What the list shows of a conversation."""

    id: str
    title: str
    updated: str
    """When it was last used, ISO 8601 in UTC."""
    pinned: bool = False
    running: bool = False
    """A reply is being written."""
    unread: bool = False
    """A reply has finished that was not shown."""
    draft: bool = False
    """It has unsent text."""
    messages: int = 0
    """How many messages it has."""
    words: str = ""
    """The beginning of its last message."""
    snippet: str = ""
    """One line of its content, if that matched the search."""
    message_id: str | None = None
    """The message of the snippet."""


def row_of(entry: Entry, marks: Marks, drafted: Collection[str]) -> ConversationRow:
    """Return the row of a saved conversation; `drafted` are the ids of conversations with a draft."""
    return ConversationRow(
        id=entry.id,
        title=entry.name,
        updated=entry.updated,
        messages=entry.messages,
        words=_MARKUP.sub("", entry.words),
        pinned=entry.pinned,
        running=marks.is_busy(entry.id),
        unread=marks.is_unread(entry.id),
        draft=entry.id in drafted,
    )


def in_order(rows: tuple[ConversationRow, ...]) -> tuple[ConversationRow, ...]:
    """Sort rows for display: pinned ones first, then by last use, newest first."""
    return tuple(sorted(rows, key=lambda row: (row.pinned, row.updated), reverse=True))


def narrowed(
    rows: tuple[ConversationRow, ...], query: str, found: Found | None
) -> tuple[ConversationRow, ...]:
    """Filter rows by a query: title matches first, then content matches."""
    if not query:
        return in_order(rows)
    words = query.casefold().split()
    titled = tuple(row for row in rows if all(word in row.title.casefold() for word in words))
    there = {row.id for row in titled}
    hits = found.hits if found is not None else {}
    said = tuple(
        replace(row, snippet=hits[row.id].snippet, message_id=hits[row.id].message_id)
        for row in rows
        if row.id in hits and row.id not in there
    )
    return (*in_order(titled), *in_order(said))
