"""The conversation as it is read: a scrolling window of messages that follows its end.

    log = ChatLog("Qwen2.5-7B-Instruct", welcome=Welcome())
    await log.show_conversation(conversation.path())
    log.add(question); log.add(reply, streaming=True)
    log.show_progress(reply.id, 512, 1204); log.append_text(reply.id, "…"); log.finish(stored_reply)
    log.show_memory_line(Memory(first_sent_id, tokens, budget, older))

Messages up: `CopyRequested`, `CursorMoved`. Only some messages have a widget (`chat_window`); the others are
mounted when they are scrolled to, so a long conversation opens as fast as a short one.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.message import Message as Posted
from textual.widget import Widget

from qwen_tui.chat.messages import Message, Role
from qwen_tui.strings import say
from qwen_tui.ui.chat_window import MOST, Window, around, newest
from qwen_tui.ui.latest_hint import LatestHint
from qwen_tui.ui.memory_line import Memory, MemoryLine
from qwen_tui.ui.message_view import MessageView

NEAR_END = 3
"""Rows from the end within which scrolling down follows again: a growing reply cannot be caught up with."""


class ChatLog(VerticalScroll):
    """Messages, the line where the model's memory begins, and a cursor for the keyboard."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "previous_message", "Previous", id="log.previous", show=False),
        Binding("down,j", "next_message", "Next", id="log.next", show=False),
        Binding("enter", "toggle_thinking", "Thoughts", id="log.thinking", show=False),
        Binding("y", "copy_message", "Copy", id="log.copy"),
    ]

    DEFAULT_CSS = """
    ChatLog {
        layout: stream;
        layers: base above;
        padding: 1 0 0 0;
        scrollbar-size-vertical: 1;
        background: $background;
    }
    """

    class CopyRequested(Posted):
        """The person wants this text in the clipboard."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class CursorMoved(Posted):
        """Another message is under the cursor, or none."""

        def __init__(self, message_id: str | None) -> None:
            super().__init__()
            self.message_id = message_id

    def __init__(
        self,
        name: str = "",
        welcome: Widget | None = None,
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        """`name` is what the assistant is called; `welcome` is shown while there are no messages."""
        super().__init__(id=id, classes=classes)
        self._assistant = name
        self._welcome = welcome
        self._messages: list[Message] = []
        self._positions: dict[str, int] = {}
        self._window = Window(0, 0)
        self._views: dict[str, MessageView] = {}
        """Mounted messages, and those that stream whether mounted or not."""
        self._memory: Memory | None = None
        self._memory_line: MemoryLine | None = None
        self._cursor: str | None = None
        self._paging = False
        self._hint = LatestHint(say("chat.latest"))

    def compose(self) -> ComposeResult:
        """The welcome, where there is one, and the hint that the newest message is further down."""
        if self._welcome is not None:
            yield self._welcome
        yield self._hint

    def on_mount(self) -> None:
        """An empty log."""
        self._show_emptiness()

    def update_node_styles(self, animate: bool = True) -> None:
        """Do nothing: a change of focus would otherwise restyle every message (100 ms with 100 of them)."""

    # --- What is shown ---

    @property
    def assistant_name(self) -> str:
        """What the assistant is called where a reply does not tell which model wrote it."""
        return self._assistant

    @assistant_name.setter
    def assistant_name(self, name: str) -> None:
        self._assistant = name
        for view in self._views.values():
            view.set_name(name)

    @property
    def messages(self) -> Sequence[Message]:
        """The messages of the conversation, oldest first."""
        return self._messages

    @property
    def is_following(self) -> bool:
        """Whether the view stays at the newest text."""
        return not self._anchor_released and self._window.last == len(self._messages)

    def view_of(self, message_id: str) -> MessageView | None:
        """The widget of a message, if it has one now."""
        return self._views.get(message_id)

    def show_conversation(self, messages: Iterable[Message]) -> AwaitComplete:
        """Show another conversation, at its end; or another path of this one, keeping the messages they share."""
        before = self._messages
        self._messages = list(messages)
        shared = _shared(before, self._messages)
        self._index()
        if shared and shared >= self._window.first:
            return AwaitComplete(self._show_branch(shared))
        self._views = {}
        self._memory = None
        self._set_cursor(None)
        self._window = newest(len(self._messages))
        return AwaitComplete(self._reopen())

    def add(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> None:
        """Show a new message at the end; a person's own one is scrolled to, unless it waits for its turn."""
        at_end = self._window.last == len(self._messages)
        self._messages.append(message)
        self._positions[message.id] = len(self._messages) - 1
        view = self._make_view(message, streaming=streaming, waiting=waiting)
        self._views[message.id] = view
        if at_end:
            self._window = self._window._replace(last=len(self._messages))
            self.mount(view)
            if self.is_following and self._window.last - self._window.first > MOST:
                self._take_away(self._window.without_oldest())
        self._show_emptiness()
        if message.role is Role.USER and not waiting:
            self.follow()

    def append_text(self, message_id: str, text: str) -> None:
        """More of a reply's answer."""
        if view := self._views.get(message_id):
            view.append_text(text)

    def append_thinking(self, message_id: str, text: str, tokens: int = 1) -> None:
        """More of a reply's thoughts; `tokens` is how many generated tokens the text stands for."""
        if view := self._views.get(message_id):
            view.append_thinking(text, tokens)

    def show_progress(self, message_id: str, done: int, total: int) -> None:
        """How much of the prompt the model has read, in tokens."""
        if view := self._views.get(message_id):
            view.show_progress(done, total)

    def finish(self, message: Message) -> None:
        """A reply has ended: show it as it was stored. Also for any other change of a message."""
        position = self._positions.get(message.id)
        if position is None:
            return
        self._messages[position] = message
        if view := self._views.get(message.id):
            view.finish(message)
            if position not in self._window:
                del self._views[message.id]

    replace = finish

    def remove_message(self, message_id: str) -> None:
        """Take a message out of the log."""
        position = self._positions.get(message_id)
        if position is None:
            return
        if message_id == self._cursor:
            self._set_cursor(None)
        mounted = position in self._window
        del self._messages[position]
        self._index()
        first, last = self._window
        self._window = Window(first - (position < first), last - (position < last))
        view = self._views.pop(message_id, None)
        if view is not None and mounted:
            view.remove()
        self._show_emptiness()

    def show_memory_line(self, memory: Memory | None) -> None:
        """Draw the line above the first message that is sent and dim those before it; None: all are sent."""
        self._memory = memory if memory is not None and memory.first_sent_id in self._positions else None
        self._place_memory()

    def follow(self) -> None:
        """Go to the newest message and stay there."""
        if self._window.last != len(self._messages):
            self._window = newest(len(self._messages))
            self.call_next(self._reopen)
        elif self._messages:
            self.anchor()
            self._show_hint()

    # --- The cursor ---

    @property
    def cursor_message(self) -> Message | None:
        """The message under the cursor."""
        return self._messages[self._positions[self._cursor]] if self._cursor in self._positions else None

    def move_cursor(self, message_id: str | None) -> None:
        """Put the cursor on a message and scroll to it; None takes it away."""
        if message_id is not None and message_id not in self._positions:
            return
        self._set_cursor(message_id)
        if message_id is None:
            return
        if (view := self._views.get(message_id)) and view.is_mounted:
            view.scroll_visible(animate=False)
        else:
            self.call_next(self._go_to, message_id)

    def action_previous_message(self) -> None:
        """The message above."""
        self._step(-1)

    def action_next_message(self) -> None:
        """The message below; below the newest, follow it."""
        self._step(1)

    def action_toggle_thinking(self) -> None:
        """Unfold or fold the thoughts of the message under the cursor."""
        if self._cursor and (view := self._views.get(self._cursor)):
            view.toggle_thinking()

    def action_copy_message(self) -> None:
        """Ask for the source of the message under the cursor to be copied."""
        if self._cursor and (view := self._views.get(self._cursor)):
            self.post_message(self.CopyRequested(view.content))

    def on_focus(self) -> None:
        """With the keyboard comes a cursor: where it was, or on the newest message."""
        if self._cursor is None and self._messages:
            self._set_cursor(self._messages[self._window.last - 1].id)
        self._mark_cursor(True)

    def on_blur(self) -> None:
        """The keyboard is elsewhere; the cursor keeps its place."""
        self._mark_cursor(False)

    @on(MessageView.Picked)
    def _pick(self, event: MessageView.Picked) -> None:
        event.stop()
        self._set_cursor(event.view.message.id)

    def _step(self, by: int) -> None:
        if not self._messages:
            return
        at = self._positions.get(self._cursor or "", len(self._messages))
        target = at + by
        if target >= len(self._messages):
            self.follow()
        elif target >= 0:
            self.move_cursor(self._messages[target].id)

    def _set_cursor(self, message_id: str | None) -> None:
        if message_id == self._cursor:
            return
        self._mark_cursor(False)
        self._cursor = message_id
        self._mark_cursor(self.has_focus)
        self.post_message(self.CursorMoved(message_id))

    def _mark_cursor(self, shown: bool) -> None:
        if self._cursor and (view := self._views.get(self._cursor)):
            view.set_class(shown, "-focused")

    # --- Scrolling ---

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Near an end of the window, mount what lies behind it."""
        super().watch_scroll_y(old_value, new_value)
        self._show_hint()
        if self._paging or not self._messages or old_value == new_value:
            return
        if new_value < old_value and new_value < self.size.height and self._window.first > 0:
            self._paging = True
            self.call_next(self._mount_older)
        elif (
            new_value > old_value
            and self.max_scroll_y - new_value < self.size.height
            and self._window.last < len(self._messages)
        ):
            self._paging = True
            self.call_next(self._mount_newer)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Close to the end, scrolling down means following it."""
        self.call_after_refresh(self._follow_if_near)

    def action_scroll_down(self) -> None:
        """One row down."""
        super().action_scroll_down()
        self.call_after_refresh(self._follow_if_near)

    def action_page_down(self) -> None:
        """One page down."""
        super().action_page_down()
        self.call_after_refresh(self._follow_if_near)

    def action_scroll_home(self) -> None:
        """To the first message of the conversation."""
        if self._window.first > 0:
            self.call_next(self._go_to, self._messages[0].id)
        else:
            super().action_scroll_home()

    def action_scroll_end(self) -> None:
        """To the newest message."""
        self.follow()

    @on(LatestHint.Pressed)
    def _go_to_latest(self, event: LatestHint.Pressed) -> None:
        event.stop()
        self.follow()

    def _follow_if_near(self) -> None:
        if self._anchor_released and self.max_scroll_y - self.scroll_y <= NEAR_END:
            if self._window.last == len(self._messages):
                self.anchor()
            self._show_hint()

    def _show_hint(self) -> None:
        self._hint.display = bool(self._messages) and not self.is_following and self.max_scroll_y > 0

    # --- The window ---

    def _index(self) -> None:
        self._positions = {message.id: position for position, message in enumerate(self._messages)}

    def _make_view(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> MessageView:
        view = MessageView(message, self._assistant, streaming=streaming, waiting=waiting)
        view.set_class(self._is_dimmed(message.id), "-dimmed")
        view.set_class(self.has_focus and message.id == self._cursor, "-focused")
        return view

    def _views_for(self, window: Window) -> list[MessageView]:
        """Widgets for messages that have none."""
        made: list[MessageView] = []
        for message in self._messages[window.first : window.last]:
            view = self._views.get(message.id)
            if view is None:
                view = self._views[message.id] = self._make_view(message)
            made.append(view)
        return made

    async def _reopen(self) -> None:
        """Replace every mounted message by those of the window, at its end."""
        with self.app.batch_update():
            kept = {
                id: view for id, view in self._views.items() if view.is_streaming and not view.is_attached
            }
            self._views = kept
            self._memory_line = None
            await self.query_children("MessageView, MemoryLine").remove()
            await self.mount_all(self._views_for(self._window))
            self._place_memory()
            self._show_emptiness()
            if self._messages:
                self.anchor()
            if self.has_focus:
                self.on_focus()

    async def _show_branch(self, shared: int) -> None:
        """Keep the first `shared` messages and replace those after them."""
        known = {message.id for message in self._messages[:shared]}
        stale = [view for id, view in self._views.items() if id not in known]
        self._views = {id: view for id, view in self._views.items() if id in known}
        if self._cursor not in self._positions:
            self._set_cursor(None)
        with self.app.batch_update():
            for view in stale:
                if view.is_attached:
                    await view.remove()
            for message in self._messages[self._window.first : shared]:
                if self._views[message.id].message != message:
                    self._views[message.id].finish(message)
            self._window = Window(self._window.first, len(self._messages))
            await self.mount_all(self._views_for(Window(shared, len(self._messages))))
            self._place_memory()
            self._show_emptiness()

    async def _mount_older(self) -> None:
        await self._move_window(self._window.with_older())

    async def _mount_newer(self) -> None:
        await self._move_window(self._window.with_newer(len(self._messages)))

    async def _move_window(self, window: Window) -> None:
        """Mount what the window gained and remove what lies too far away, keeping what is seen where it is."""
        try:
            grew_up = window.first < self._window.first
            older = Window(window.first, self._window.first)
            newer = Window(self._window.last, window.last)
            with self.app.batch_update():
                seen = self._first_seen()
                y = seen.virtual_region.y if seen else 0
                self._window = window
                if older.first < older.last:
                    views = self._views_for(older)
                    await self.mount_all(views, before=self._first_mounted())
                if newer.first < newer.last:
                    await self.mount_all(self._views_for(newer))
                if grew_up:
                    if not any(view.is_streaming for view in self._views.values()):
                        await self._take_away(window.without_newest())
                else:
                    await self._take_away(window.without_oldest())
                self._place_memory()
                # The scroll position can only be put right once the new messages have their heights.
                self.screen._refresh_layout()
                if seen is not None and seen.is_attached:
                    moved = seen.virtual_region.y - y
                    self.scroll_to(y=self.scroll_y + moved, animate=False, force=True, immediate=True)
        finally:
            self._paging = False

    async def _go_to(self, message_id: str) -> None:
        """Show a message that may be far from what is mounted."""
        position = self._positions.get(message_id)
        if position is None:
            return
        if position not in self._window:
            self._window = around(position, len(self._messages))
            await self._reopen()
            self.release_anchor()
            self.screen._refresh_layout()
        self._mark_cursor(self.has_focus)
        self._views[message_id].scroll_visible(animate=False, top=True)

    def _take_away(self, window: Window) -> AwaitComplete:
        """Remove the widgets outside a smaller window."""
        outside = [
            self._views.pop(message.id)
            for message in (
                *self._messages[self._window.first : window.first],
                *self._messages[window.last : self._window.last],
            )
        ]
        self._window = window
        return AwaitComplete(self._remove_all(outside))

    async def _remove_all(self, views: Sequence[MessageView]) -> None:
        if views:
            await self.remove_children(views)

    def _first_mounted(self) -> Widget | None:
        return next((child for child in self.children if isinstance(child, MessageView | MemoryLine)), None)

    def _first_seen(self) -> Widget | None:
        """The first message that reaches into the viewport."""
        for child in self.children:
            if isinstance(child, MessageView) and child.virtual_region.bottom > self.scroll_y:
                return child
        return None

    def _show_emptiness(self) -> None:
        """The welcome stands in an empty log; it is laid out freely, messages are not."""
        empty = not self._messages
        self.styles.layout = "vertical" if empty else "stream"
        if self._welcome is not None:
            self._welcome.display = empty
        if empty:
            self.anchor(False)
        elif not self.is_anchored:
            self.anchor()
        self._show_hint()

    # --- The memory line ---

    def _is_dimmed(self, message_id: str) -> bool:
        if self._memory is None:
            return False
        return self._positions[message_id] < self._positions.get(self._memory.first_sent_id, 0)

    def _place_memory(self) -> None:
        """Dim what is not sent and put the line where the sent part begins, if that is mounted."""
        for message_id, view in self._views.items():
            view.set_dimmed(message_id in self._positions and self._is_dimmed(message_id))
        memory = self._memory
        first = self._views.get(memory.first_sent_id) if memory else None
        if memory is None or memory.older < 1 or first is None or not first.is_attached:
            if self._memory_line is not None:
                self._memory_line.remove()
                self._memory_line = None
            return
        if self._memory_line is None:
            self._memory_line = MemoryLine(memory)
            self.mount(self._memory_line, before=first)
            return
        self._memory_line.show(memory)
        children = list(self.children)
        if children.index(self._memory_line) != children.index(first) - 1:
            self.move_child(self._memory_line, before=first)


def _shared(before: Sequence[Message], after: Sequence[Message]) -> int:
    """How many messages two conversations have in common at their beginning."""
    count = 0
    for old, new in zip(before, after, strict=False):
        if old.id != new.id:
            break
        count += 1
    return count
