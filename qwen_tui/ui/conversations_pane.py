"""The conversations in a pane: which there are, which is open, and the keys to do something with them."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widgets import Static

from qwen_tui import strings
from qwen_tui.chat.cleaning import one_line
from qwen_tui.ui.conversation_list import ConversationList, here_and_now
from qwen_tui.ui.conversation_row import ConversationRow, in_order
from qwen_tui.ui.rename_field import RenameField


class ConversationsPane(Vertical):
    """A heading, the list, and the words that stand there while the list is empty."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", strings.say("panes.key.new"), id="conversations.new"),
        Binding("r", "rename", strings.say("panes.key.rename"), id="conversations.rename"),
        Binding("p", "pin", strings.say("panes.key.pin"), id="conversations.pin"),
        Binding("delete", "trash", strings.say("panes.key.trash"), id="conversations.trash"),
        Binding("ctrl+z", "undo", strings.say("panes.key.undo"), id="conversations.undo"),
    ]

    DEFAULT_CSS = """
    ConversationsPane {
        height: 100%;
        layers: list over;
        & > Horizontal { height: 2; padding: 0 1 0 2; }
        & #conversations-heading { width: 1fr; text-style: bold; }
        & #conversations-count { width: auto; color: $text-muted; }
        & > #conversations-empty { padding: 0 1 0 2; color: $text-muted; display: none; }
        & > ConversationList { height: 1fr; }
        &.-empty > #conversations-empty { display: block; }
        &:ansi #conversations-count { text-style: dim; }
        &:ansi > #conversations-empty { text-style: dim; }
    }
    """

    class Opened(Message):
        """The person wants to see this conversation."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

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

    class UndoRequested(Message):
        """The person wants the last change to the list taken back."""

    entries: reactive[tuple[ConversationRow, ...]] = reactive[tuple[ConversationRow, ...]](())
    """All conversations, in any order."""
    open_id: reactive[str | None] = reactive[str | None](None)
    """The one that the log shows."""

    def __init__(self, *, id: str | None = None, clock: Callable[[], datetime] = here_and_now) -> None:
        super().__init__(id=id)
        self._list = ConversationList(clock)

    def compose(self) -> ComposeResult:
        """Heading and count, the words for nothing, the list."""
        with Horizontal():
            yield Static(strings.say("panes.conversations"), id="conversations-heading", markup=False)
            yield Static(id="conversations-count", markup=False)
        yield Static(strings.say("panes.conversations.empty"), id="conversations-empty", markup=False)
        yield self._list

    def on_mount(self) -> None:
        """Show what was given before there was a list."""
        self.watch_entries(self.entries)

    def watch_entries(self, entries: tuple[ConversationRow, ...]) -> None:
        """List these conversations."""
        self.set_class(not entries, "-empty")
        self._list.rows = in_order(entries)
        for count in self.query("#conversations-count").results(Static):
            count.update(f"{len(entries):,}" if entries else "")

    def watch_open_id(self, open_id: str | None) -> None:
        """Mark the open conversation."""
        self._list.open_id = open_id

    @on(ConversationList.Chosen)
    def _open(self, event: ConversationList.Chosen) -> None:
        event.stop()
        self.post_message(self.Opened(event.id))

    @on(RenameField.Ended)
    def _rename(self, event: RenameField.Ended) -> None:
        event.stop()
        for field in self.query(RenameField):
            had_focus = field.has_focus
            field.remove()
            if had_focus:
                self._list.focus()
        if event.name is not None:
            self.post_message(self.RenameRequested(event.id, event.name))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the list are the field's while something is renamed."""
        return not self.query(RenameField) or action not in ("new", "rename", "pin", "trash", "undo")

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

    def action_undo(self) -> None:
        """Ask for the last change to the list to be taken back."""
        self.post_message(self.UndoRequested())
