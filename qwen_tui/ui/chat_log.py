"""The conversation as it is read.

    log = ChatLog("Qwen2.5-7B-Instruct", welcome=Welcome())
    await log.show_conversation(conversation.path())
    log.add(question); log.add(reply, streaming=True)
    log.show_progress(reply.id, 512, 1204); log.append_text(reply.id, "…"); log.finish(stored_reply)
    log.show_memory_line(Memory(first_sent_id, tokens, budget, older))

Messages up: `CopyRequested`. A long conversation opens as fast as a short one: only messages near
what is read have a widget (`message_window`), and `view_of` returns None for the others.
"""

from collections.abc import Iterable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.message import Message as Posted
from textual.widget import Widget

from qwen_tui.chat.messages import Message, Role
from qwen_tui.strings import say
from qwen_tui.ui.memory_line import Memory, MemoryLine
from qwen_tui.ui.message_view import MessageView
from qwen_tui.ui.message_window import MessageWindow


class ChatLog(MessageWindow):
    """Messages, the line where the model's memory begins, and a cursor for the keyboard."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "previous_message", say("chat.key.previous"), id="log.previous", show=False),
        Binding("down,j", "next_message", say("chat.key.next"), id="log.next", show=False),
        Binding("enter", "toggle_thinking", say("chat.key.thoughts"), id="log.thinking", show=False),
        Binding("y", "copy_message", say("chat.key.copy"), id="log.copy"),
    ]

    class CopyRequested(Posted):
        """The person wants this text in the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        name: str = "",
        welcome: Widget | None = None,
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`name` is what the assistant is called; `welcome` is shown while there are no messages."""
        super().__init__(name, id=id, classes=classes)
        self._welcome = welcome
        self._memory: Memory | None = None
        self._memory_line: MemoryLine | None = None
        self._cursor: str | None = None

    def compose(self) -> ComposeResult:
        """The welcome, where there is one."""
        yield from super().compose()
        if self._welcome is not None:
            yield self._welcome

    def on_mount(self) -> None:
        """An empty log."""
        self.messages_changed()

    # --- What is shown ---

    @property
    def assistant_name(self) -> str:
        """What the assistant is called where a reply does not tell which model wrote it."""
        return self._assistant

    @assistant_name.setter
    def assistant_name(self, name: str) -> None:
        self._assistant = name
        for view in self.views:
            view.set_name(name)

    def show_conversation(self, messages: Iterable[Message]) -> AwaitComplete:
        """Show another conversation, at its end; or another path of this one, keeping the messages they share."""
        shown = self.show_messages(messages)
        if self.position_of(self._cursor) is None:
            self._set_cursor(None)
        if self._memory is not None and self.position_of(self._memory.first_sent_id) is None:
            self._memory = None
        return shown

    def add(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> None:
        """Show a new message at the end; a person's own one is scrolled to, unless it waits for its turn."""
        self.add_message(message, streaming=streaming, waiting=waiting)
        if message.role is Role.USER and not waiting:
            self.follow()

    def append_text(self, message_id: str, text: str) -> None:
        """More of a reply's answer."""
        if view := self.view_of(message_id):
            view.append_text(text)

    def append_thinking(self, message_id: str, text: str, tokens: int = 1) -> None:
        """More of a reply's thoughts; `tokens` is how many generated tokens the text stands for."""
        if view := self.view_of(message_id):
            view.append_thinking(text, tokens)

    def show_progress(self, message_id: str, done: int, total: int) -> None:
        """How much of the prompt the model has read, in tokens."""
        if view := self.view_of(message_id):
            view.show_progress(done, total)

    def remove_message(self, message_id: str) -> None:
        """Take a message out of the log."""
        if message_id == self._cursor:
            self._set_cursor(None)
        super().remove_message(message_id)

    # --- The memory line ---

    def show_memory_line(self, memory: Memory | None) -> None:
        """Draw the line above the first message that is sent and dim those before it; None: all are sent."""
        self._memory = memory
        self._place_memory()

    def prepare_view(self, view: MessageView) -> None:
        """A new widget is dimmed and marked as its message is."""
        view.set_dimmed(self._is_dimmed(view.message.id))
        view.set_class(self.has_focus and view.message.id == self._cursor, "-focused")

    def messages_changed(self) -> None:
        """The welcome stands in an empty log; it is laid out freely, messages are not."""
        empty = not self.messages
        self.styles.layout = "vertical" if empty else "stream"
        if self._welcome is not None:
            self._welcome.display = empty
        if empty or not self.is_anchored:
            self.anchor(not empty)
        if self.has_focus:
            self.on_focus()
        self._place_memory()
        self.show_hint()

    def _is_dimmed(self, message_id: str) -> bool:
        begins = self.position_of(self._memory.first_sent_id) if self._memory else None
        position = self.position_of(message_id)
        return begins is not None and position is not None and position < begins

    def _place_memory(self) -> None:
        """Dim what is not sent and put the line where the sent part begins, if that is mounted."""
        for view in self.views:
            view.set_dimmed(self._is_dimmed(view.message.id))
        memory, line = self._memory, self._memory_line
        first = self.view_of(memory.first_sent_id) if memory and memory.older else None
        if memory is None or first is None or not first.is_attached:
            if line is not None:
                line.remove()
                self._memory_line = None
        elif line is None:
            self._memory_line = MemoryLine(memory)
            self.mount(self._memory_line, before=first)
        else:
            line.show(memory)
            if self.children.index(line) != self.children.index(first) - 1:
                self.move_child(line, before=first)

    # --- The cursor ---

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

    def action_copy_message(self) -> None:
        """Ask for the source of the message under the cursor to be copied."""
        if message := self.cursor_message:
            view = self.view_of(message.id)
            self.post_message(self.CopyRequested(view.content if view else message.content))

    def on_focus(self) -> None:
        """With the keyboard comes a cursor: where it was, or on the newest message."""
        if self._cursor is None and self.messages:
            self._set_cursor(self.messages[-1].id)
        self._mark_cursor(True)

    def on_blur(self) -> None:
        """The keyboard is elsewhere; the cursor keeps its place."""
        self._mark_cursor(False)

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
        self._mark_cursor(self.has_focus)

    def _mark_cursor(self, shown: bool) -> None:
        if view := self.view_of(self._cursor):
            view.set_class(shown, "-focused")
