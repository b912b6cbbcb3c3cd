"""The conversation as it is read.

    log = MessageLog(Welcome())
    await log.show_conversation(conversation.path(), variants(conversation))
    log.add(question); view = log.add(reply, streaming=True)
    view.show_progress(512, 1204); view.append_text("…"); log.list.finish(stored_reply)
    log.list.resume(reply.id)                            # it goes on: append and finish as above
    log.memory.show(Memory(first_sent_id, tokens, budget, older))

Its parts: `list` (which messages there are, and which of them have a widget: a long conversation opens as fast as a
short one), `memory` (where the model's memory begins), `keys` (what is done to messages), and `cursor`, a value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import ClassVar

from textual import on
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.message import Message as Posted
from textual.reactive import var
from textual.widget import Widget

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.messages import Message, Role
from qwen_tui.ui.transcript import message_keys
from qwen_tui.ui.transcript.autoscroll import Autoscroll
from qwen_tui.ui.transcript.cursor import Cursor, after_change, after_focus, step
from qwen_tui.ui.transcript.memory_marker import MemoryMarker
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.ui.transcript.virtual_list import VirtualList
from qwen_tui.ui.widgets.action_bar import Offer


class MessageLog(Autoscroll):
    """Messages, the line where the model's memory begins, and a cursor for the keyboard."""

    BINDINGS: ClassVar[list[BindingType]] = [*message_keys.BINDINGS]

    @dataclass
    class Requested(Posted):
        """The person wants something done: an action of `message_actions` to a message, or "undo"."""

        action: str
        message: Message | None = None
        """As it was last stored; None for undo."""
        text: str = ""
        """What is to be copied or saved."""
        note: str = ""
        """Which code block that is, in words; empty for a whole message."""
        file_name: str = ""
        """What a file with it may be called, without a folder."""

    @dataclass
    class Refused(Posted):
        """What the person asked for cannot be done to the message."""

        reason: str

    class MessagesChanged(Posted):
        """There are other messages, or one of them says something else."""

    assistant_name = var("", init=False)
    """What the assistant is called where a reply does not tell which model wrote it."""
    cursor = var(Cursor(), init=False)
    offers: var[tuple[Offer, ...]] = var((), init=False)
    """What can be done to the message under the cursor; nothing without the keyboard."""

    def __init__(self, welcome: Widget, *, id: str | None = None) -> None:
        """`welcome` is shown while there are no messages."""
        super().__init__(welcome, id=id)
        self._welcome = welcome
        self.list = VirtualList(self, self._dress, self._changed)
        self.memory = MemoryMarker(self, self.list)
        self.keys = message_keys.MessageKeys(self)

    def on_mount(self) -> None:
        self._changed()

    # --- What is shown ---

    @property
    def messages(self) -> Sequence[Message]:
        return self.list.messages

    def show_conversation(
        self, messages: Iterable[Message], variants: Mapping[str, Variant] = MappingProxyType({})
    ) -> AwaitComplete:
        """Show another conversation, at its end; or another path of this one, keeping the messages they share.

        `variants` tells which messages have variants, by id.
        """
        shown = self.list.show(messages)
        self.keys.show_variants(variants)
        self.memory.forget_if_gone()
        return shown

    def add(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> MessageView:
        """Show a new message at the end; a person's own one is scrolled to, unless it waits for its turn."""
        view = self.list.add(message, streaming=streaming, waiting=waiting)
        if message.role is Role.USER and not waiting:
            self.follow()
        return view

    def mark(self, words: tuple[str, ...] | None) -> None:
        """Mark these words, in upper or lower case, wherever they stand in one line; None ends the search.

        Until then the cursor is seen without the keyboard too: what is searched for is typed elsewhere.
        """
        self.cursor = replace(self.cursor, words=words)

    def _dress(self, view: MessageView) -> None:
        message_id = view.message.id
        view.set_author(self.assistant_name, self.keys.variant_of(message_id))
        view.set_class(self.memory.is_dimmed(message_id), "-dimmed")
        view.set_class(self.cursor.is_seen_on(message_id, self.has_focus), "-focused")
        view.mark(self.cursor.words or ())

    def _changed(self) -> None:
        """Messages came, went, or other ones are mounted."""
        empty = not self.messages
        # The welcome is laid out freely, messages are not.
        self.styles.layout = "vertical" if empty else "stream"
        self.styles.padding = (1 if empty else 0, 0, 0, 0)
        self._welcome.display = empty
        if empty or not self.is_anchored:
            self.anchor(not empty)
        self.cursor = after_change(self.cursor, self.list, self.has_focus)
        self.keys.offer()
        self.memory.place()
        self.check_end()
        self.post_message(self.MessagesChanged())

    def watch_assistant_name(self) -> None:
        for view in self.list.views:
            self._dress(view)

    # --- The cursor ---

    @property
    def cursor_message(self) -> Message | None:
        position = self.list.position_of(self.cursor.message_id)
        return None if position is None else self.messages[position]

    def move_cursor(self, message_id: str | None, *, scroll: bool = True) -> None:
        if message_id is None or self.list.position_of(message_id) is not None:
            self.cursor = self.cursor.on(message_id)
            if scroll and message_id is not None:
                self.list.go_to(message_id)

    def watch_cursor(self, old: Cursor, new: Cursor) -> None:
        if old.words != new.words:
            views = list(self.list.views)
        else:
            views = [v for id in (old.message_id, new.message_id) if (v := self.list.view_of(id))]
        for view in views:
            self._dress(view)
        self.keys.offer()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        if has_focus:
            self.cursor = after_focus(self.cursor, self.list)
        if view := self.list.view_of(self.cursor.message_id):
            self._dress(view)
        self.keys.offer()

    @on(MessageView.Picked)
    def _picked(self, event: MessageView.Picked) -> None:
        event.stop()
        self.move_cursor(event.message_id, scroll=False)
        if event.step:
            self.keys.act("earlier_variant" if event.step < 0 else "later_variant", event.message_id)

    # --- Scrolling and keys ---

    def follow(self) -> None:
        """Go to the newest message and stay there.

        The cursor does not stay behind, out of sight, where keys would do something to its message.
        """
        if not self.list.go_to_end() and self.messages:
            super().follow()
            if self.has_focus:
                self.cursor = self.cursor.on(self.messages[-1].id)

    action_scroll_end = follow

    def action_scroll_home(self) -> None:
        if self.messages and self.list.view_of(self.messages[0].id) is None:
            self.list.go_to(self.messages[0].id)
        else:
            super().action_scroll_home()

    def action_step(self, by: int) -> None:
        """The cursor to the message below, or above; below the newest, follow it."""
        target = step(self.cursor, self.list, by)
        if target is None:
            self.follow()
        else:
            self.move_cursor(target)

    def action_on_message(self, name: str) -> None:
        self.keys.press(name)
