"""The log: a conversation for reading.

    log = MessageLog(Welcome())
    await log.show_conversation(conversation.path(), variants(conversation))
    log.add(question); view = log.add(reply, streaming=True)
    view.show_progress(512, 1204); view.append_text("…"); log.list.finish(stored_reply)
    log.list.resume(reply.id)                            # continue it: append and finish as above
    log.memory.show(Memory(first_sent_id, tokens, budget, older))

Its parts: `list` (the messages, of which only some have a widget, so that a long conversation opens as fast
as a short one), `memory` (where the context begins), `keys` (actions on messages), and `cursor`, a value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import ClassVar

from textual import on
from textual.await_complete import AwaitComplete
from textual.binding import BindingType
from textual.message import Message as Posted
from textual.reactive import var
from textual.widget import Widget

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.messages import Json, Message, Role
from qwen_tui.session.traces import Traces
from qwen_tui.ui.transcript import message_keys
from qwen_tui.ui.transcript.autoscroll import Autoscroll
from qwen_tui.ui.transcript.cursor import Cursor, after_change, after_focus, step
from qwen_tui.ui.transcript.memory_marker import MemoryMarker
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.ui.transcript.virtual_list import VirtualList
from qwen_tui.ui.widgets.action_bar import Offer


class MessageLog(Autoscroll):
    """Messages, the line where the context begins, and a cursor for the keyboard."""

    BINDINGS: ClassVar[list[BindingType]] = [*message_keys.BINDINGS]

    class MessagesChanged(Posted):
        """Messages were added, removed or changed."""

    assistant_name = var("", init=False)
    """The name of the assistant for replies whose model is unknown."""
    values_now: var[Mapping[str, Json]] = var[Mapping[str, Json]](MappingProxyType({}), init=False)
    """Today's sampling values, as of `settings.since`; replies made with other ones are marked."""
    cursor = var(Cursor(), init=False)
    offers: var[tuple[Offer, ...]] = var((), init=False)
    """The actions for the message under the cursor; empty without the focus."""

    traces: var[Traces | None] = var[Traces | None](None, init=False)
    """The traces by which replies are colored; None shows their text."""

    def __init__(self, welcome: Widget, *, id: str | None = None) -> None:
        """Create the log; `welcome` is shown while there are no messages."""
        super().__init__(welcome, id=id)
        self._welcome = welcome
        self.list = VirtualList(self, self._dress, self._changed)
        self.memory = MemoryMarker(self, self.list)
        self.keys = message_keys.MessageKeys(self, self.list, lambda: self.cursor)

    def on_mount(self) -> None:
        self._changed()

    # --- Messages ---

    @property
    def messages(self) -> Sequence[Message]:
        return self.list.messages

    def show_conversation(
        self, messages: Iterable[Message], variants: Mapping[str, Variant] = MappingProxyType({})
    ) -> AwaitComplete:
        """Show another conversation at its end, or another path of this one, keeping the shared messages.

        `variants` are the variant numbers of messages, by id.
        """
        shown = self.list.show(messages)
        self.show_variants(variants)
        self.memory.forget_if_gone()
        return shown

    def add(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> MessageView:
        """Add a message at the end; scroll to a person's message, unless it waits for its turn."""
        view = self.list.add(message, streaming=streaming, waiting=waiting)
        if message.role is Role.USER and not waiting:
            self.follow()
        return view

    def show_variants(self, variants: Mapping[str, Variant]) -> None:
        """Show the variant numbers of messages, by id; all other messages have no variants."""
        self.keys.variants = dict(variants)
        self.watch_assistant_name()
        self.offers = self.keys.offers()

    def set_busy(self, busy: bool) -> None:
        """Set whether a turn of this conversation is running."""
        self.keys.is_busy = busy
        self.offers = self.keys.offers()

    def mark(self, words: tuple[str, ...] | None) -> None:
        """Highlight these words, ignoring case, wherever they occur within one line; None ends the search.

        During a search the cursor is visible without the focus too, because the words are typed elsewhere.
        """
        self.cursor = replace(self.cursor, words=words)

    def _dress(self, view: MessageView) -> None:
        message_id = view.message.id
        view.set_author(self.assistant_name, self.keys.variants.get(message_id), self.values_now)
        view.set_class(self.memory.is_dimmed(message_id), "-dimmed")
        view.set_class(self.cursor.is_seen_on(message_id, self.has_focus), "-focused")
        view.mark(self.cursor.words or ())
        if view.body.show_heat(self.traces.of(message_id) if self.traces is not None else ()):
            view.finish(view.message)

    def _changed(self) -> None:
        """Update everything after messages were added or removed, or others were mounted."""
        empty = not self.messages
        # The welcome is laid out freely, messages are not.
        self.styles.layout = "vertical" if empty else "stream"
        self.styles.padding = (1 if empty else 0, 0, 0, 0)
        self._welcome.display = empty
        if empty or not self.is_anchored:
            self.anchor(not empty)
        if self.traces is not None:
            self.watch_traces()
        self.cursor = after_change(self.cursor, self.list, self.has_focus)
        self.offers = self.keys.offers()
        self.memory.place()
        self.check_end()
        self.post_message(self.MessagesChanged())

    def watch_assistant_name(self) -> None:
        for view in self.list.views:
            self._dress(view)

    watch_traces = watch_values_now = watch_assistant_name

    # --- Cursor ---

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
        self.offers = self.keys.offers()

    def watch_has_focus(self, has_focus: bool) -> None:
        super().watch_has_focus(has_focus)
        if has_focus:
            self.cursor = after_focus(self.cursor, self.list)
        if view := self.list.view_of(self.cursor.message_id):
            self._dress(view)
        self.offers = self.keys.offers()

    @on(MessageView.Picked)
    def _picked(self, event: MessageView.Picked) -> None:
        event.stop()
        self.move_cursor(event.message_id, scroll=False)
        if event.step:
            self.keys.act("earlier_variant" if event.step < 0 else "later_variant", event.message_id)

    # --- Scrolling and keys ---

    def follow(self) -> None:
        """Scroll to the newest message and follow it.

        The cursor moves along: out of sight, keys would act on its message unnoticed.
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
        """Move the cursor by messages; below the newest, follow the end."""
        target = step(self.cursor, self.list, by)
        if target is None:
            self.follow()
        else:
            self.move_cursor(target)

    def action_on_message(self, name: str) -> None:
        self.keys.press(name)
