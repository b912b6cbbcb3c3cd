"""The conversation as it is read.

    log = ChatLog("Qwen2.5-7B-Instruct", welcome=Welcome())
    await log.show_conversation(conversation.path(), variants(conversation))
    log.add(question); log.add(reply, streaming=True)
    log.show_progress(reply.id, 512, 1204); log.append_text(reply.id, "…"); log.finish(stored_reply)
    log.resume(reply.id)                                 # it goes on: append and finish as above
    log.show_memory_line(Memory(first_sent_id, tokens, budget, older))

Messages up: those of `MessageActions`. A long conversation opens as fast as a short one: only messages near
what is read have a widget (`virtual_list`), and `view_of` returns None for the others.
"""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.message import Message as Posted
from textual.widget import Widget

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.messages import Message, Role
from qwen_tui.ui.transcript.memory_marker import Memory, MemoryLine
from qwen_tui.ui.transcript.message_keys import MessageActions
from qwen_tui.ui.transcript.message_view import MessageView


class ChatLog(MessageActions):
    """Messages, the line where the model's memory begins, and a cursor for the keyboard."""

    class MessagesChanged(Posted):
        """There are other messages, or one of them says something else."""

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

    def compose(self) -> ComposeResult:
        """The welcome, where there is one."""
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

    def show_conversation(
        self, messages: Iterable[Message], variants: Mapping[str, Variant] = MappingProxyType({})
    ) -> AwaitComplete:
        """Show another conversation, at its end; or another path of this one, keeping the messages they share.

        `variants` tells which messages have variants, by id.
        """
        shown = self.show_messages(messages)
        self.show_variants(variants)
        if self._memory is not None and self._memory_begins is None:
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

    def finish(self, message: Message) -> None:
        """A reply has ended, or a message has changed: show it as it was stored."""
        super().finish(message)
        self.post_message(self.MessagesChanged())

    # --- The memory line ---

    def show_memory_line(self, memory: Memory | None) -> None:
        """Draw the line above the first message that is sent and dim those before it; None: all are sent."""
        self._memory = memory
        self._place_memory()

    def prepare_view(self, view: MessageView) -> None:
        """A new widget is dimmed as its message is."""
        super().prepare_view(view)
        view.set_dimmed(self._is_dimmed(view.message.id))

    def messages_changed(self) -> None:
        """The welcome stands in an empty log; it is laid out freely, messages are not."""
        empty = not self.messages
        self.styles.layout = "vertical" if empty else "stream"
        self.styles.padding = (1 if empty else 0, 0, 0, 0)
        if self._welcome is not None:
            self._welcome.display = empty
        if empty or not self.is_anchored:
            self.anchor(not empty)
        super().messages_changed()
        self._place_memory()
        self.say_where()
        self.post_message(self.MessagesChanged())

    @property
    def _memory_begins(self) -> int | None:
        """The place of the first message that is sent, which may be one that is not there yet."""
        memory = self._memory
        if memory is None or (not memory.first_sent_id and memory.older > len(self.messages)):
            return None
        return self.position_of(memory.first_sent_id) if memory.first_sent_id else memory.older

    def _is_dimmed(self, message_id: str) -> bool:
        begins, position = self._memory_begins, self.position_of(message_id)
        return begins is not None and position is not None and position < begins

    def _place_memory(self) -> None:
        """Dim what is not sent and put the line where the sent part begins, if that is mounted."""
        for view in self.views:
            view.set_dimmed(self._is_dimmed(view.message.id))
        memory, line, begins = self._memory, self._memory_line, self._memory_begins
        first = None
        if begins is not None and begins < len(self.messages):
            first = self.view_of(self.messages[begins].id)
        is_last = begins == len(self.messages) and not self.has_more_below
        if memory is None or not memory.older or not (is_last or (first is not None and first.is_attached)):
            if line is not None:
                line.remove()
                self._memory_line = None
        elif line is None:
            self._memory_line = MemoryLine(memory)
            self.mount(self._memory_line, before=first)
        else:
            line.show(memory)
            if first is None:
                if self.children[-1] is not line:
                    self.move_child(line, after=self.children[-1])
            elif self.children.index(line) != self.children.index(first) - 1:
                self.move_child(line, before=first)
