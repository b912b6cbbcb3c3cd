"""The list of conversations, rendered line by line, so that thousands cost no more than ten.

A conversation has one line, and a second one: how its last message begins, or the snippet that matched. A line
above the first conversation of each group of days names the group.
"""

import re
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message as Posted
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from qwen_tui import strings
from qwen_tui.chat.cleaning import one_line
from qwen_tui.ui.conversations.row import ConversationRow
from qwen_tui.wording.cell_width import cells, cropped, displayed
from qwen_tui.wording.times import days_group, here_and_now, last_use

_TICK_SECONDS = 60.0

_BEFORE_MARK = 4
"""How many characters of a snippet are shown before the match."""


def _moves(keys: str, action: str, name: str) -> Binding:
    return Binding(keys, action, strings.say(f"panes.key.{name}"), id=f"conversations.{name}", show=False)


class ConversationList(ScrollView, can_focus=True):
    """Rows of conversations with a cursor, which stays on its conversation when the order changes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        _moves("up,k", "move(-1)", "up"),
        _moves("down,j", "move(1)", "down"),
        _moves("pageup", "page(-1)", "page_up"),
        _moves("pagedown", "page(1)", "page_down"),
        _moves("home", "first", "first"),
        _moves("end", "last", "last"),
        Binding("enter", "choose", strings.say("panes.key.open"), id="conversations.open"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "conversation-list--title",
        "conversation-list--open",
        "conversation-list--cursor",
        "conversation-list--dim",
        "conversation-list--group",
        "conversation-list--sign",
    }

    DEFAULT_CSS = """
    ConversationList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .conversation-list--title { color: $foreground; }
        & > .conversation-list--open { color: $text-accent; text-style: bold; }
        & > .conversation-list--cursor { background: $foreground 12%; }
        & > .conversation-list--dim { color: $foreground 60%; }
        & > .conversation-list--group { color: $text-accent; text-style: none; }
        & > .conversation-list--sign { color: $text-accent; }
        &:ansi {
            & > .conversation-list--cursor { background: transparent; text-style: reverse; }
            & > .conversation-list--dim { text-style: dim; }
        }
    }
    """

    @dataclass
    class Chosen(Posted):
        """The person chose this conversation."""

        id: str
        message_id: str | None = None
        """The message that matched the search."""

    rows: reactive[tuple[ConversationRow, ...]] = reactive[tuple[ConversationRow, ...]](())
    """The listed conversations, in display order."""
    open_id: reactive[str | None] = reactive[str | None](None)
    """The conversation shown in the log."""
    cursor: reactive[int] = reactive(0)
    """The index of the row that keys act on."""
    marked: reactive[tuple[str, ...]] = reactive[tuple[str, ...]](())
    """Search words to highlight in the snippets."""

    def __init__(self, clock: Callable[[], datetime] = here_and_now) -> None:
        super().__init__()
        self._clock = clock
        self._now = clock()
        self._tops = [0]
        """The first line of each row, and the line after the last row."""
        self._groups: dict[int, str] = {}
        """The group named above a row, by its index; this line belongs to the row."""

    @property
    def row(self) -> ConversationRow | None:
        return self.rows[self.cursor] if self.rows else None

    def on_mount(self) -> None:
        self.set_interval(_TICK_SECONDS, self._grow_older)

    def validate_cursor(self, cursor: int) -> int:
        return max(0, min(cursor, len(self.rows) - 1))

    def watch_rows(self, before: tuple[ConversationRow, ...], rows: tuple[ConversationRow, ...]) -> None:
        """Keep the cursor on its conversation, or at its index if that one is gone."""
        self._measure()
        is_new = self.open_id in {row.id for row in rows} - {row.id for row in before}
        if is_new:
            self.go_to(self.open_id)
        elif before:
            if not self.go_to(before[self.cursor].id):
                self.cursor = self.cursor  # clamps it: there may be fewer rows
        elif rows and not self.marked:
            self.go_to(max(rows, key=lambda row: row.updated).id)
        self._show_cursor()
        self.refresh()

    def watch_open_id(self, open_id: str | None) -> None:
        self.go_to(open_id)
        self.refresh()

    def go_to(self, conversation_id: str | None) -> bool:
        index = self._index(conversation_id)
        if index is not None:
            self.cursor = index
        return index is not None

    @on(events.Resize)
    def _measure(self) -> None:
        """Group the rows by days, but not what a search has found, and find the first line of each."""
        self._now, self._groups, last = self._clock(), {}, ""
        for index, row in enumerate(() if self.marked else self.rows):
            group = "pinned" if row.pinned else days_group(row.updated, self._now)
            if group != last:
                self._groups[index] = last = group
        heights = (
            1 + bool(row.snippet or row.words) + (at in self._groups) for at, row in enumerate(self.rows)
        )
        self._tops = [0, *accumulate(heights)]
        self.virtual_size = Size(self.size.width, self._tops[-1])

    def line_of(self, conversation_id: str) -> int | None:
        index = self._index(conversation_id)
        if index is None:
            return None
        return self._tops[index] + (index in self._groups) - self.scroll_offset.y

    def _index(self, conversation_id: str | None) -> int | None:
        return next((i for i, row in enumerate(self.rows) if row.id == conversation_id), None)

    def watch_cursor(self, before: int, cursor: int) -> None:
        shift = (0, -self.scroll_offset.y)
        self.refresh(*(self._region(index).translate(shift) for index in (before, cursor)))
        self._show_cursor()

    def render_line(self, y: int) -> Strip:
        line = self.scroll_offset.y + y
        width = self.size.width
        index = self._row_at(line)
        if index is None:
            return Strip.blank(width, self.rich_style)
        row, within = self.rows[index], line - self._tops[index]
        if index in self._groups:
            if not within:
                text = cropped(f"  {strings.say(f'panes.conversations.{self._groups[index]}')}", width)
                return Strip([Segment(text, self._look("group", False))]).adjust_cell_length(
                    width, self.rich_style
                )
            within -= 1
        lit = index == self.cursor and self.has_focus
        if within:
            if row.snippet:
                return self._snippet(row, width, lit)
            return Strip([Segment(last_words(row, width), self._look("dim", lit))])
        sign, sign_look = _sign(row)
        age = last_use(row.updated, self._now)
        room = width - 4 - cells(age)
        title = cropped(displayed(one_line(row.title)), room)
        gap = " " * (room - cells(title) + 1)
        segments = [
            Segment(f"{sign} ", self._look(sign_look, lit)),
            Segment(title + gap, self._look("open" if row.id == self.open_id else "title", lit)),
            Segment(f"{age} ", self._look("dim", lit)),
        ]
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _snippet(self, row: ConversationRow, width: int, lit: bool) -> Strip:
        text = cropped(from_mark(displayed(one_line(row.snippet)), self.marked), width - 5)
        segments = [Segment("    ", self._look("dim", lit))]
        for part, is_marked in marked_parts(text, self.marked):
            segments.append(Segment(part, self._look("sign" if is_marked else "dim", lit)))
        spare = width - sum(segment.cell_length for segment in segments)
        segments.append(Segment(" " * spare, self._look("dim", lit)))
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _row_at(self, line: int) -> int | None:
        return bisect_right(self._tops, line) - 1 if 0 <= line < self._tops[-1] else None

    def _region(self, index: int) -> Region:
        """Return the lines of a row in list coordinates; the cursor may be beyond a list that has shrunk."""
        top, below = (self._tops[min(each, len(self._tops) - 1)] for each in (index, index + 1))
        return Region(0, top, self.size.width, max(1, below - top))

    @on(events.Focus)
    @on(events.Blur)
    def _show_focus(self) -> None:
        self._show_cursor()
        self.refresh()

    @on(events.Click)
    def _choose_row(self, event: events.Click) -> None:
        line = self.scroll_offset.y + event.y
        index = self._row_at(line)
        if index is not None and not (index in self._groups and line == self._tops[index]):
            self.cursor = index
            self.action_choose()

    def action_move(self, by: int) -> None:
        self.cursor += by

    def action_page(self, by: int) -> None:
        there = bisect_right(self._tops, self._tops[self.cursor] + by * max(1, self.size.height - 2)) - 1
        self.cursor = there if there != self.cursor else there + by

    def action_first(self) -> None:
        self.cursor = 0

    def action_last(self) -> None:
        self.cursor = len(self.rows) - 1

    def action_choose(self) -> None:
        if self.row is not None:
            self.post_message(self.Chosen(self.row.id, self.row.message_id))

    def _show_cursor(self) -> None:
        self.scroll_to_region(self._region(self.cursor), animate=False, force=True)

    def _grow_older(self) -> None:
        self._measure()
        self.refresh()

    watch_marked = _grow_older

    def _look(self, name: str, lit: bool) -> Style:
        """Return the style of a part of a row; parts of a reversed row look alike, since colours would clash."""
        style = self.visual_style
        own_styles = [f"conversation-list--{name}"]
        if lit:
            cursor = "conversation-list--cursor"
            if self.get_component_styles(cursor).text_style.reverse:
                return style.rich_style + Style(reverse=True)
            own_styles.insert(0, cursor)
        for own_style in own_styles:
            style += self.get_visual_style(own_style, partial=True)
        return style.rich_style


def last_words(row: ConversationRow, width: int) -> str:
    """Return how the last message of a conversation begins, with the number of messages at the right."""
    count = f"{row.messages:,}" if row.messages else ""
    room = width - 5 - cells(count)
    words = cropped(displayed(one_line(row.words)), room)
    return f"  {words}{' ' * (room - cells(words) + 2)}{count} "


def from_mark(text: str, words: tuple[str, ...]) -> str:
    """Shorten a text to start just before the first of these words, because a list is narrow."""
    parts = marked_parts(text, words)
    before = len(parts[0][0]) if len(parts) > 1 and not parts[0][1] else 0
    return text if before <= _BEFORE_MARK else "…" + text[before - _BEFORE_MARK :]


def marked_parts(text: str, words: tuple[str, ...]) -> list[tuple[str, bool]]:
    """Split a text at these words, ignoring case; return the parts, and whether each is one of the words."""
    if not words:
        return [(text, False)]
    pattern = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    parts = re.split(f"({pattern})", text, flags=re.IGNORECASE)
    return [(part, bool(at % 2)) for at, part in enumerate(parts) if part]


def _sign(row: ConversationRow) -> tuple[str, str]:
    if row.running:
        return "○", "sign"
    if row.unread:
        return "●", "sign"
    if row.draft:
        return "…", "dim"
    return ("▴", "dim") if row.pinned else (" ", "dim")
