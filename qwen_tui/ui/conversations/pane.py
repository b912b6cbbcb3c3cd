"""The conversations in a pane: which there are, which is open, and the keys to do something with them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Input, Static

from qwen_tui.chat.cleaning import one_line
from qwen_tui.session.search import Found
from qwen_tui.strings import say
from qwen_tui.ui.conversations.list import ConversationList, here_and_now
from qwen_tui.ui.conversations.rename_field import RenameField
from qwen_tui.ui.conversations.row import ConversationRow, in_order
from qwen_tui.ui.conversations.search_field import SearchField
from qwen_tui.ui.textual_patches.focus import focus_at_once
from qwen_tui.ui.widgets.keys import key_of

_LIST_ACTIONS = ("new", "rename", "pin", "duplicate", "trash", "search", "undo")
"""What the keys do only while the list itself has the keyboard."""


class ConversationsPane(Vertical):
    """A heading, the list, and the words that stand there while the list is empty."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", say("panes.key.new"), id="conversations.new"),
        Binding("r", "rename", say("panes.key.rename"), id="conversations.rename"),
        Binding("p", "pin", say("panes.key.pin"), id="conversations.pin"),
        Binding("d", "duplicate", say("panes.key.duplicate"), id="conversations.duplicate"),
        Binding("delete", "trash", say("panes.key.trash"), id="conversations.trash"),
        Binding("slash", "search", say("panes.key.search"), id="conversations.search"),
        Binding("escape", "show_all", say("panes.key.show_all"), id="conversations.show_all", show=False),
        Binding("ctrl+z", "undo", say("panes.key.undo"), id="conversations.undo"),
    ]

    DEFAULT_CSS = """
    ConversationsPane {
        height: 100%;
        layers: list over;
        & > Horizontal { height: 2; padding: 0 1 0 0; }
        & #conversations-slash { width: 2; color: $text-muted; visibility: hidden; }
        & #conversations-heading { width: 1fr; text-style: bold; }
        & #conversations-count { width: auto; color: $text-muted; }
        & > #conversations-empty { padding: 0 1 0 2; color: $text-muted; display: none; }
        & > ConversationList { height: 1fr; }
        & SearchField { display: none; width: 1fr; }
        &.-searching SearchField { display: block; }
        &.-searching #conversations-slash { visibility: visible; }
        &.-searching #conversations-heading { display: none; }
        &.-empty > #conversations-empty { display: block; }
        &:ansi #conversations-count { text-style: dim; }
        &:ansi > #conversations-empty { text-style: dim; }
    }
    """

    class Opened(Message):
        """The person wants to see this conversation."""

        def __init__(self, id: str, message_id: str | None = None) -> None:
            super().__init__()
            self.id = id
            self.message_id = message_id
            """The message that it was found by."""

    class SearchChanged(Message):
        """The person looks for this; an empty query ends it. The answer is `found`."""

        def __init__(self, query: str) -> None:
            super().__init__()
            self.query = query

    class NewRequested(Message):
        """The person wants a new conversation."""

    class RenameRequested(Message):
        """The person gave this conversation another name."""

        def __init__(self, id: str, name: str) -> None:
            super().__init__()
            self.id = id
            self.name = name

    class PinRequested(Message):
        """The person wants this conversation kept on top, or no longer."""

        def __init__(self, id: str, pinned: bool) -> None:
            super().__init__()
            self.id = id
            self.pinned = pinned

    class TrashRequested(Message):
        """The person wants this conversation in the trash."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    class DuplicateRequested(Message):
        """The person wants a copy of this conversation."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    class UndoRequested(Message):
        """The person wants the last change to the list taken back."""

    entries: reactive[tuple[ConversationRow, ...]] = reactive[tuple[ConversationRow, ...]](())
    """All conversations, in any order."""
    open_id: reactive[str | None] = reactive[str | None](None)
    """The one that the log shows."""
    found: reactive[Found | None] = reactive[Found | None](None)
    """In which conversations what is looked for was said; None while that is not known."""

    def __init__(self, *, id: str | None = None, clock: Callable[[], datetime] = here_and_now) -> None:
        super().__init__(id=id)
        self._list = ConversationList(clock)

    def compose(self) -> ComposeResult:
        """Heading and count, the words for nothing, the list."""
        with Horizontal():
            yield Static("/", id="conversations-slash", markup=False)
            yield Static(say("panes.conversations"), id="conversations-heading", markup=False)
            yield SearchField()
            yield Static(id="conversations-count", markup=False)
        yield Static(id="conversations-empty", markup=False)
        yield self._list

    def on_mount(self) -> None:
        """Show what was given before there was a list."""
        self._show()

    def watch_entries(self) -> None:
        """List these conversations."""
        self._show_if_mounted()

    def watch_open_id(self, open_id: str | None) -> None:
        """Mark the open conversation."""
        self._list.open_id = open_id

    def watch_found(self) -> None:
        """Show what was found."""
        self._show_if_mounted()

    @on(ConversationList.Chosen)
    def _open(self, event: ConversationList.Chosen) -> None:
        event.stop()
        self.post_message(self.Opened(event.id, event.message_id))

    @on(RenameField.Ended)
    def _rename(self, event: RenameField.Ended) -> None:
        event.stop()
        for field in self.query(RenameField):
            if field.has_focus:  # first: what goes away with the keyboard gives it to whatever comes next
                self.screen.set_focus(self._list)
            field.remove()
        if event.name is not None:
            self.post_message(self.RenameRequested(event.id, event.name))

    @on(Input.Changed, "SearchField")
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._show()
        self.post_message(self.SearchChanged(self._query))

    @on(SearchField.Ended)
    def _end_search(self, event: SearchField.Ended) -> None:
        event.stop()
        self._list.focus()
        if not event.found:
            self.action_show_all()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the list belong to the field while something is renamed or looked for."""
        if action == "show_all":
            return self.has_class("-searching")
        return self._list.has_focus or action not in _LIST_ACTIONS

    def action_new(self) -> None:
        """Ask for a new conversation."""
        self.post_message(self.NewRequested())

    def action_rename(self) -> None:
        """Open a field over the row under the cursor."""
        row = self._list.row
        if row is None:
            return
        field = RenameField(row.id, one_line(row.title))
        y = self._list.region.y - self.region.y + self._list.cursor - self._list.scroll_offset.y
        field.styles.margin = (y, 1, 0, 2)
        self.mount(field)
        field.focus()

    def action_pin(self) -> None:
        """Ask for the conversation under the cursor to be kept on top, or no longer."""
        row = self._list.row
        if row is not None:
            self.post_message(self.PinRequested(row.id, not row.pinned))

    def action_trash(self) -> None:
        """Ask for the conversation under the cursor to be moved to the trash."""
        row = self._list.row
        if row is not None:
            self.post_message(self.TrashRequested(row.id))

    def action_duplicate(self) -> None:
        """Ask for a copy of the conversation under the cursor."""
        row = self._list.row
        if row is not None:
            self.post_message(self.DuplicateRequested(row.id))

    def action_search(self) -> None:
        """Show only the conversations in whose title or messages what is typed stands."""
        field = self.query_one(SearchField)
        field.value = ""
        self.add_class("-searching")
        focus_at_once(field)

    def action_show_all(self) -> None:
        """End the search."""
        self.remove_class("-searching")
        self._show()
        self.post_message(self.SearchChanged(""))

    def action_undo(self) -> None:
        """Ask for the last change to the list to be taken back."""
        self.post_message(self.UndoRequested())

    def _show_if_mounted(self) -> None:
        if self.is_mounted:
            self._show()

    @property
    def _is_complete(self) -> bool:
        """Its parts come after it, and leave before it."""
        return bool(self.query("#conversations-empty") and self.query("#conversations-count"))

    @property
    def _query(self) -> str:
        return self.query_one(SearchField).value.strip() if self.has_class("-searching") else ""

    def _show(self) -> None:
        if not self._is_complete:
            return
        query = self._query
        found = self.found if self.found is not None and self.found.query == query else None
        rows = narrowed(self.entries, query, found)
        nothing = "empty" if not query else "not_found" if found and found.is_done else "searching"
        self.query_one("#conversations-empty", Static).update(
            say(f"panes.conversations.{nothing}", key=key_of(self, "conversations.show_all"))
        )
        self.query_one("#conversations-count", Static).update(f"{len(rows):,}" if rows else "")
        self.set_class(not rows, "-empty")
        self._list.marked = tuple(query.split())
        self._list.rows = rows


def narrowed(
    rows: tuple[ConversationRow, ...], query: str, found: Found | None
) -> tuple[ConversationRow, ...]:
    """The rows in which every word of a query stands: in their titles, then in what was said."""
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
