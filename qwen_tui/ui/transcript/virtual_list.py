"""The messages of a conversation of any length, of which only those near the viewport have a widget.

Widgets are created and removed while the person scrolls, without moving what is visible. The state changes at
once, and `_arrange` then updates the mounted widgets.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import takewhile

from textual.await_complete import AwaitComplete

from qwen_tui.chat.messages import Message
from qwen_tui.ui.textual_patches.scrolling import lay_out_now
from qwen_tui.ui.transcript.autoscroll import Autoscroll
from qwen_tui.ui.transcript.message_view import MessageView

OPENED = 60
"""Messages mounted when a conversation is opened, counted from its end."""
PAGE = 40
"""Messages added when the person scrolls past an end."""
MOST = 300
"""Maximum number of mounted messages, beyond which the far end is removed: every layout walks every widget."""


class VirtualList:
    """Messages in a scrolling container, mounted on demand."""

    def __init__(
        self, scroll: Autoscroll, dress: Callable[[MessageView], None], changed: Callable[[], None]
    ) -> None:
        """Create the list; `dress` prepares a new widget; `changed` reports changed or newly mounted messages."""
        self.messages: list[Message] = []
        """The messages of the conversation, oldest first."""
        self.destination = ""
        """The message to scroll to, until it is reached; a newer request replaces it."""
        self._scroll = scroll
        self._dress = dress
        self._changed = changed
        self._positions: dict[str, int] = {}
        self._range = range(0)
        """The mounted positions."""
        self._views: dict[str, MessageView] = {}
        """Widgets of messages in the range, and of streaming replies anywhere."""
        self._is_paging = False
        scroll.watch(scroll, "scroll_y", self._scrolled, init=False)

    def position_of(self, message_id: str | None) -> int | None:
        return self._positions.get(message_id) if message_id is not None else None

    def view_of(self, message_id: str | None) -> MessageView | None:
        """Return the widget of a message, if it has one now; a streaming reply always has."""
        return self._views.get(message_id) if message_id is not None else None

    @property
    def views(self) -> Iterable[MessageView]:
        return self._views.values()

    # --- Changes ---

    def show(self, messages: Iterable[Message]) -> AwaitComplete:
        """Show other messages at their end, keeping the widgets of a common prefix."""
        before, self.messages = self.messages, list(messages)
        self._index()
        pairs = zip(before, self.messages, strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0].id == pair[1].id, pairs))
        first, total = self._range.start, len(self.messages)
        if shared and shared >= first and total - first <= MOST:
            self._move(range(first, total))
            for message in self.messages[first:shared]:
                if (view := self._views.get(message.id)) and view.message != message:
                    view.finish(message)
            return AwaitComplete(self._settle())
        self._views = {}
        self._move(range(total)[-OPENED:])
        return AwaitComplete(self._settle(follow=True))

    def add(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> MessageView:
        """Add a message at the end; its widget may be mounted later."""
        at_end = not self._scroll.has_more_below
        self._positions[message.id] = len(self.messages)
        self.messages.append(message)
        view = self._make_view(message, streaming=streaming, waiting=waiting)
        extended = range(self._range.start, len(self.messages))
        self._move(extended if at_end else self._range)
        if at_end:
            self._scroll.mount(view)
            if self._scroll.is_following and len(extended) > MOST:
                self._move(extended[-MOST:])
                self._scroll.call_next(self._settle)
        self._changed()
        return view

    def finish(self, message: Message) -> None:
        """Show a reply that has ended, or a message that has changed, as stored."""
        position = self._positions.get(message.id)
        if position is None:
            return
        self.messages[position] = message
        if view := self._views.get(message.id):
            view.finish(message)
            if position not in self._range:
                del self._views[message.id]
        self._changed()

    def resume(self, message_id: str) -> None:
        """Continue a finished reply: more text will be appended, and `finish` ends it again."""
        position = self._positions.get(message_id)
        if position is not None:
            view = self._views.get(message_id) or self._make_view(self.messages[position])
            view.resume()
            self._changed()

    def remove(self, message_id: str) -> None:
        position = self._positions.get(message_id)
        if position is None:
            return
        del self.messages[position]
        self._index()
        first, last = self._range.start, self._range.stop
        self._move(range(first - (position < first), last - (position < last)))
        view = self._views.pop(message_id, None)
        if view is not None and view.is_attached:
            view.remove()
        self._changed()

    # --- Scrolling ---

    def go_to(self, message_id: str) -> None:
        self.destination = message_id
        view = self._views.get(message_id)
        if view is not None and view.is_mounted:
            self._scroll.call_after_refresh(self._reach, message_id)
        elif message_id in self._positions:
            self._scroll.call_next(self._go_far, message_id)

    def go_to_end(self) -> bool:
        """Mount the newest messages and follow them; return False if they are mounted already."""
        self.destination = ""
        if self._scroll.has_more_below:
            self._move(range(len(self.messages))[-OPENED:])
            self._scroll.call_next(self._settle, True)
            return True
        return False

    def _scrolled(self, old_y: float, new_y: float) -> None:
        """Mount more messages when scrolling near an end of what is mounted."""
        if self._is_paging or not self.messages:
            return
        page = self._scroll.size.height
        is_near_end = new_y > old_y and self._scroll.max_scroll_y - new_y < page
        older = new_y < old_y and new_y < page and self._range.start > 0
        if older or (is_near_end and self._scroll.has_more_below):
            self._is_paging = True
            self._scroll.call_next(self._page, older)

    # --- Visibility ---

    def is_seen(self, message_id: str | None) -> bool:
        """Return whether a message is visible, or may be: a new widget has no position yet."""
        view = self.view_of(message_id)
        return view is not None and (not view.virtual_region.height or _is_in_viewport(view, self._scroll))

    def last_seen(self) -> str | None:
        seen = (v.message.id for v in reversed(_mounted(self._scroll)) if _is_in_viewport(v, self._scroll))
        return next(seen, None)

    # --- Mounting ---

    def _index(self) -> None:
        self._positions = {message.id: position for position, message in enumerate(self.messages)}

    def _move(self, mounted: range) -> None:
        self._range = mounted
        self._scroll.has_more_below = mounted.stop < len(self.messages)

    def _make_view(self, message: Message, *, streaming: bool = False, waiting: bool = False) -> MessageView:
        view = self._views[message.id] = MessageView(message, streaming=streaming, waiting=waiting)
        self._dress(view)
        return view

    async def _arrange(self) -> None:
        """Mount and remove widgets until exactly the messages of the range are mounted, in order.

        All insertions are started before any is awaited, because a message may be removed meanwhile.
        """
        messages = self.messages[self._range.start : self._range.stop]
        wanted = [self._views.get(message.id) or self._make_view(message) for message in messages]
        kept = set(wanted)
        self._views = {id: v for id, v in self._views.items() if v in kept or v.body.is_streaming}
        steps: list[Awaitable[None]] = [
            self._scroll.remove_children([v for v in _mounted(self._scroll) if v not in kept])
        ]
        missing: list[MessageView] = []
        for view in wanted:
            if not view.is_attached:
                missing.append(view)
            elif missing:
                steps.append(self._scroll.mount_all(missing, before=view))
                missing = []
        if missing:
            steps.append(self._scroll.mount_all(missing))
        for each in steps:
            await each
        self._changed()

    async def _settle(self, follow: bool = False) -> None:
        async with self._scroll.batch():
            await self._arrange()
            if follow and self.messages:
                self._scroll.follow()

    async def _page(self, older: bool) -> None:
        """Mount a page at one end and remove one at the other, keeping what is visible in place."""
        scroll = self._scroll
        try:
            async with scroll.batch():
                top = scroll.scroll_y
                seen = next((view for view in _mounted(scroll) if view.virtual_region.bottom > top), None)
                y = seen.virtual_region.y if seen else 0
                first, last = self._range.start, self._range.stop
                if older:
                    # A streaming reply stays mounted, and so does everything between.
                    most = None if any(v.body.is_streaming for v in self.views) else MOST
                    self._move(range(max(0, first - PAGE), last)[:most])
                else:
                    self._move(range(first, min(len(self.messages), last + PAGE))[-MOST:])
                await self._arrange()
                # The scroll position can be corrected only once the new messages have their heights.
                lay_out_now(scroll.screen)
                if seen is not None and seen.is_attached:
                    moved = scroll.scroll_y + seen.virtual_region.y - y
                    with _by_program(scroll):
                        scroll.scroll_to(y=moved, animate=False, force=True, immediate=True)
        finally:
            self._is_paging = False

    async def _go_far(self, message_id: str) -> None:
        async with self._scroll.batch():
            position = self._positions.get(message_id)
            if position is None or message_id != self.destination:
                return
            self._is_paging = True
            try:
                if position not in self._range:
                    total = len(self.messages)
                    first = max(0, min(position - OPENED // 2, total - OPENED))
                    self._move(range(first, min(total, first + OPENED)))
                await self._arrange()
                self._scroll.release_anchor()
                lay_out_now(self._scroll.screen)
                self._reach(message_id, top=True)
            finally:
                self._is_paging = False
            self._scroll.check_end()

    def _reach(self, message_id: str, top: bool = False) -> None:
        """Scroll to a mounted message, unless it was removed or another one has been requested."""
        view = self._views.get(message_id)
        if view is None or message_id != self.destination:
            return
        self.destination = ""
        with _by_program(self._scroll):
            view.scroll_visible(animate=False, top=top, immediate=True)


@contextmanager
def _by_program(scroll: Autoscroll) -> Iterator[None]:
    """Mark scrolling as the program's, not the person's."""
    scroll.is_moved = True
    try:
        yield
    finally:
        scroll.is_moved = False


def _mounted(scroll: Autoscroll) -> list[MessageView]:
    return [child for child in scroll.children if isinstance(child, MessageView)]


def _is_in_viewport(view: MessageView, scroll: Autoscroll) -> bool:
    region, height = view.virtual_region, scroll.scrollable_content_region.height
    top = max(0, scroll.scroll_y)  # briefly negative while a short text is anchored to its end
    return region.y < top + height and region.bottom > top
