"""The keyboard's place in the log: one message, marked while the log has the focus."""

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from qwen_tui.chat.messages import Message
from qwen_tui.strings import say
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.ui.transcript.virtual_list import MessageWindow


class MessageCursor(MessageWindow):
    """Messages with a cursor that walks from one to the next."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "previous_message", say("chat.key.previous"), id="log.previous", show=False),
        Binding("down,j", "next_message", say("chat.key.next"), id="log.next", show=False),
        Binding("enter", "toggle_thinking", say("chat.key.thoughts"), id="log.thinking", show=False),
    ]

    def __init__(self, name: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name, id=id, classes=classes)
        self._cursor: str | None = None
        self._keeps_cursor_shown = False
        self._marked: tuple[str, ...] = ()

    def keep_cursor_shown(self, shown: bool) -> None:
        """Show the cursor without the keyboard too: what is looked for is typed elsewhere."""
        self._keeps_cursor_shown = shown
        self._mark_cursor(self._is_cursor_shown)

    def mark(self, words: tuple[str, ...]) -> None:
        """Mark these words, in upper or lower case, wherever they stand in one line; none takes the marks away."""
        if words != self._marked:
            self._marked = words
            for view in self.views:
                view.mark(words)

    @property
    def _is_cursor_shown(self) -> bool:
        return self.has_focus or self._keeps_cursor_shown

    def cursor_moved(self) -> None:
        """For a subclass: the cursor stands on another message or place, or is shown or hidden."""

    @property
    def cursor_message(self) -> Message | None:
        """The message under the cursor."""
        position = self.position_of(self._cursor)
        return None if position is None else self.messages[position]

    def move_cursor(self, message_id: str | None) -> None:
        """Put the cursor on a message and scroll to it; None takes it away."""
        if message_id is None or self.position_of(message_id) is not None:
            self._set_cursor(message_id)
        if message_id is not None:
            self.go_to(message_id)

    def point_at(self, message_id: str) -> None:
        """Put the cursor on a message without scrolling."""
        if self.position_of(message_id) is not None:
            self._set_cursor(message_id)

    @property
    def cursor(self) -> str | None:
        """The id of the message under the cursor."""
        return self._cursor

    def prepare_view(self, view: MessageView) -> None:
        """A new widget is marked when the cursor stands on its message."""
        view.mark(self._marked)
        view.set_class(self._is_cursor_shown and view.message.id == self._cursor, "-focused")

    def messages_changed(self) -> None:
        """A cursor whose message has gone goes too; with the keyboard here there is one again."""
        if self.position_of(self._cursor) is None:
            self._set_cursor(None)
        if self._cursor is None and self.has_focus and self.messages:
            self._set_cursor(self.messages[-1].id)
        else:
            self.cursor_moved()

    def went_to_end(self) -> None:
        """The cursor does not stay behind, out of sight, where keys would do something to its message."""
        if self.has_focus:
            self._set_cursor(self.messages[-1].id)

    def action_previous_message(self) -> None:
        """The message above."""
        self._step(-1)

    def action_next_message(self) -> None:
        """The message below; below the newest, follow it."""
        self._step(1)

    def action_toggle_thinking(self) -> None:
        """Unfold or fold the thoughts of the message under the cursor."""
        if view := self.view_of(self._cursor):
            view.toggle_thinking()

    def watch_has_focus(self, has_focus: bool) -> None:
        """With the keyboard comes a cursor: where it was, if that is seen, or else on the last message that is.

        Without the keyboard it is not shown.
        """
        super().watch_has_focus(has_focus)
        is_wanted = (
            self._cursor is not None and self._cursor == self._destination
        )  # it may still be on its way
        if has_focus and self.messages and not is_wanted and not self.is_seen(self._cursor):
            self._set_cursor(self.last_seen() or self.messages[-1].id)
        self._mark_cursor(self._is_cursor_shown)

    @on(MessageView.Picked)
    def _pick(self, event: MessageView.Picked) -> None:
        event.stop()
        self._set_cursor(event.view.message.id)

    def _step(self, by: int) -> None:
        at = self.position_of(self._cursor)
        target = (len(self.messages) if at is None else at) + by
        if target >= len(self.messages):
            self.follow()
        elif target >= 0:
            self.move_cursor(self.messages[target].id)

    def _set_cursor(self, message_id: str | None) -> None:
        if message_id == self._cursor:
            return
        self._mark_cursor(False)
        self._cursor = message_id
        self._mark_cursor(self._is_cursor_shown)

    def _mark_cursor(self, shown: bool) -> None:
        if view := self.view_of(self._cursor):
            view.set_class(shown, "-focused")
        self.cursor_moved()
