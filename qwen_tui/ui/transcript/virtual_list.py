"""The messages of a conversation of any length, of which only those around what is read have a widget.

Widgets are made and removed as the person scrolls; what is seen stays where it is while that happens. State changes
at once, and `_arrange` brings the mounted widgets after it.
"""

from collections.abc import Iterable, Sequence

from textual.await_complete import AwaitComplete
from textual.widget import Widget

from qwen_tui.chat.messages import Message
from qwen_tui.ui.textual_patches.scrolling import lay_out_now
from qwen_tui.ui.transcript.autoscroll import FollowingScroll
from qwen_tui.ui.transcript.message_view import MessageView
from qwen_tui.ui.transcript.mounted_range import MOST, Window, around, newest


class MessageWindow(FollowingScroll):
    """A scrolling list of messages that mounts what is near."""

    def __init__(self, name: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._assistant = name
        self._messages: list[Message] = []
        self._positions: dict[str, int] = {}
        self._window = Window(0, 0)
        self._views: dict[str, MessageView] = {}
        """Those in the window, and those that stream wherever they are."""
        self._paging = False
        self._destination = ""
        """The message that was asked for last: a far one takes a while, and only the last is worth it."""

    # --- What a subclass adds ---

    def prepare_view(self, view: MessageView) -> None:
        """A widget has been made for a message."""

    def messages_changed(self) -> None:
        """Messages came, went, or other ones are mounted."""

    def went_to_end(self) -> None:
        """The newest message is gone to, wherever one was before."""

    # --- What is shown ---

    @property
    def messages(self) -> Sequence[Message]:
        """The messages of the conversation, oldest first."""
        return self._messages

    @property
    def has_more_below(self) -> bool:
        """Whether newer messages are not mounted."""
        return self._window.last < len(self._messages)

    def position_of(self, message_id: str | None) -> int | None:
        """Where a message stands in the conversation."""
        return self._positions.get(message_id) if message_id is not None else None

    def view_of(self, message_id: str | None) -> MessageView | None:
        """The widget of a message, if it has one now."""
        return self._views.get(message_id) if message_id is not None else None

    @property
    def views(self) -> Iterable[MessageView]:
        """The widgets there are now."""
        return self._views.values()

    # --- Changes ---

    def show_messages(self, messages: Iterable[Message]) -> AwaitComplete:
        """Show other messages, at their end; widgets of those that they begin with in common are kept."""
        before, self._messages = self._messages, list(messages)
        self._index()
        shared = _shared(before, self._messages)
        if shared and shared >= self._window.first and len(self._messages) - self._window.first <= MOST:
            self._window = Window(self._window.first, len(self._messages))
            for message in self._messages[self._window.first : shared]:
                if (view := self._views.get(message.id)) and view.message != message:
                    view.finish(message)
            return AwaitComplete(self._settle())
        self._views = {}
        self._window = newest(len(self._messages))
        return AwaitComplete(self._settle(follow=True))

    def add_message(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> None:
        """Put a message at the end."""
        at_end = not self.has_more_below
        self._messages.append(message)
        self._positions[message.id] = len(self._messages) - 1
        view = self._make_view(message, streaming=streaming, waiting=waiting)
        if at_end:
            self._window = self._window._replace(last=len(self._messages))
            self.mount(view)
            if self.is_following and self._window.last - self._window.first > MOST:
                self._window = self._window.without_oldest()
                self.call_next(self._settle)
        self.messages_changed()

    def finish(self, message: Message) -> None:
        """A reply has ended, or a message has changed: show it as it was stored."""
        position = self._positions.get(message.id)
        if position is None:
            return
        self._messages[position] = message
        if view := self._views.get(message.id):
            view.finish(message)
            if position not in self._window:
                del self._views[message.id]

    def resume(self, message_id: str) -> None:
        """A reply that had ended goes on: more of it will be appended, and `finish` ends it again."""
        position = self._positions.get(message_id)
        if position is None:
            return
        view = self._views.get(message_id) or self._make_view(self._messages[position])
        view.resume()
        self.messages_changed()

    def remove_message(self, message_id: str) -> None:
        """Take a message out."""
        position = self._positions.get(message_id)
        if position is None:
            return
        del self._messages[position]
        self._index()
        first, last = self._window
        self._window = Window(first - (position < first), last - (position < last))
        view = self._views.pop(message_id, None)
        if view is not None and view.is_attached:
            view.remove()
        self.messages_changed()

    # --- Going somewhere ---

    def follow(self) -> None:
        """Go to the newest message and stay there."""
        self._destination = ""
        if self.has_more_below:
            self._window = newest(len(self._messages))
            self.call_next(self._settle, True)
        elif self._messages:
            super().follow()
            self.went_to_end()

    def go_to(self, message_id: str, *, top: bool = False) -> None:
        """Scroll to a message, wherever it is."""
        self._destination = message_id
        view = self._views.get(message_id)
        if view is not None and view.is_mounted:
            view.scroll_visible(animate=False, top=top)
        elif message_id in self._positions:
            self.call_next(self._go_far, message_id)

    def action_scroll_home(self) -> None:
        """To the first message of the conversation."""
        if self._window.first > 0:
            self.go_to(self._messages[0].id)
        else:
            super().action_scroll_home()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Near an end of the window, mount what lies behind it."""
        super().watch_scroll_y(old_value, new_value)
        if self._paging or not self._messages:
            return
        if new_value < old_value and new_value < self.size.height and self._window.first > 0:
            self._paging = True
            self.call_next(self._page, True)
        elif (
            new_value > old_value and self.max_scroll_y - new_value < self.size.height and self.has_more_below
        ):
            self._paging = True
            self.call_next(self._page, False)

    # --- Mounting ---

    def _index(self) -> None:
        self._positions = {message.id: position for position, message in enumerate(self._messages)}

    def _make_view(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> MessageView:
        view = MessageView(message, self._assistant, streaming=streaming, waiting=waiting)
        self._views[message.id] = view
        self.prepare_view(view)
        return view

    async def _arrange(self) -> None:
        """Mount and remove until exactly the messages of the window are mounted, in order."""
        messages = self._messages[self._window.first : self._window.last]
        wanted = [self._views.get(message.id) or self._make_view(message) for message in messages]
        kept = set(wanted)
        self._views = {id: view for id, view in self._views.items() if view in kept or view.is_streaming}
        stale = [child for child in self.children if isinstance(child, MessageView) and child not in kept]
        if stale:
            await self.remove_children(stale)
        missing: list[MessageView] = []
        for view in wanted:
            if not view.is_attached:
                missing.append(view)
            elif missing:
                await self.mount_all(missing, before=view)
                missing = []
        if missing:
            await self.mount_all(missing)
        self.messages_changed()

    async def _settle(self, follow: bool = False) -> None:
        async with self.lock:
            with self.app.batch_update():
                await self._arrange()
                if follow and self._messages:
                    super().follow()
                    self.went_to_end()

    async def _page(self, older: bool) -> None:
        """A page more at one end and less at the other, with what is seen kept where it is."""
        try:
            async with self.lock:
                with self.app.batch_update():
                    seen = self._first_seen()
                    y = seen.virtual_region.y if seen else 0
                    if older:
                        window = self._window.with_older()
                        # A reply that is being written stays mounted, and so does what lies between.
                        busy = any(view.is_streaming for view in self.views)
                        self._window = window if busy else window.without_newest()
                    else:
                        self._window = self._window.with_newer(len(self._messages)).without_oldest()
                    await self._arrange()
                    # The position can only be put right once the new messages have their heights.
                    lay_out_now(self.screen)
                    if seen is not None and seen.is_attached:
                        moved = self.scroll_y + seen.virtual_region.y - y
                        self.scroll_to(y=moved, animate=False, force=True, immediate=True)
        finally:
            self._paging = False

    async def _go_far(self, message_id: str) -> None:
        async with self.lock:
            position = self._positions.get(message_id)
            if position is None or message_id != self._destination:
                return
            self._paging = True
            with self.app.batch_update():
                if position not in self._window:
                    self._window = around(position, len(self._messages))
                await self._arrange()
                self.release_anchor()
                lay_out_now(self.screen)
                self._views[message_id].scroll_visible(animate=False, top=True, immediate=True)
            self._paging = False
            self.say_where()

    def is_seen(self, message_id: str | None) -> bool:
        """Whether any of a message reaches into the viewport, or may: one that has just come has no place yet."""
        view = self.view_of(message_id)
        return view is not None and (not view.virtual_region.height or self._is_in_viewport(view))

    def last_seen(self) -> str | None:
        """The last message of which something is in the viewport."""
        for child in reversed(self.children):
            if isinstance(child, MessageView) and self._is_in_viewport(child):
                return child.message.id
        return None

    def _is_in_viewport(self, view: MessageView) -> bool:
        region, height = view.virtual_region, self.scrollable_content_region.height
        top = max(0, self.scroll_y)  # it is less for a moment while a short text is anchored to its end
        return region.y < top + height and region.bottom > top

    def _first_seen(self) -> Widget | None:
        """The first message that reaches into the viewport."""
        for child in self.children:
            if isinstance(child, MessageView) and child.virtual_region.bottom > self.scroll_y:
                return child
        return None


def _shared(before: Sequence[Message], after: Sequence[Message]) -> int:
    """How many messages two conversations have in common at their beginning."""
    count = 0
    for old, new in zip(before, after, strict=False):
        if old.id != new.id:
            break
        count += 1
    return count
