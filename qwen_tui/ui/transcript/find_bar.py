"""Search in the shown conversation: a field, and the number of matching messages."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message as Posted
from textual.widgets import Input, Static

from qwen_tui.chat.messages import Message
from qwen_tui.chat.search import fold
from qwen_tui.strings import say
from qwen_tui.ui.textual_patches.focus import focus_at_once


class _Field(Input):
    """The search field: a single line, so up and down need not scroll in it."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave up and down to the find bar, which also describes them in the key bar."""
        return action not in ("scroll_up", "scroll_down") and super().check_action(action, parameters)


class FindBar(Horizontal):
    """Walks through the messages that contain every word, from the newest; hidden until `open`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "go(-1)", say("find.key.earlier"), id="find.earlier"),
        Binding("down,shift+enter", "go(1)", say("find.key.later"), id="find.later"),
        Binding("escape", "close", say("find.key.close"), id="find.close"),
    ]
    DEFAULT_CSS = """
    FindBar {
        display: none;
        height: 1;
        padding: 0 2;
        &.-open { display: block; }
        #find-label { width: auto; padding: 0 1 0 0; color: $text-accent; }
        Input { width: 1fr; background: transparent; }
        Input:focus { background-tint: transparent; }
        #find-count { width: auto; padding: 0 0 0 1; color: $text-muted; }
    }
    """

    @dataclass
    class Moved(Posted):
        """Another match is shown, or none."""

        message_id: str | None
        words: tuple[str, ...]
        """The words found in it."""

    @dataclass
    class Closed(Posted):
        """The search has ended."""

        had_keyboard: bool
        """Whether the focus must move elsewhere."""

    def __init__(self, messages: Callable[[], Sequence[Message]]) -> None:
        """Create the bar; `messages` returns the messages to search, oldest first."""
        super().__init__()
        self._messages = messages
        self._field = _Field(compact=True, placeholder=say("find.placeholder"), select_on_focus=True)
        self._folded: dict[str, tuple[str, str]] = {}
        """By message id: its text, and the text folded for comparison."""
        self._at: str | None = None

    def compose(self) -> ComposeResult:
        yield Static(say("find.label"), id="find-label", markup=False)
        yield self._field
        yield Static("", id="find-count", markup=False)

    def open(self) -> None:
        self.add_class("-open")
        focus_at_once(self._field)
        self._find()

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def close(self) -> bool:
        """End the search; return False if it was not open."""
        if not self.is_open:
            return False
        had_keyboard = self.has_focus_within
        self.remove_class("-open")
        self._folded.clear()
        self._at = None
        self.post_message(self.Moved(None, ()))
        self.post_message(self.Closed(had_keyboard))
        return True

    def count_again(self) -> None:
        """Update the number of hits after the messages have changed, without moving."""
        if self.is_open:
            hits = self._hits()
            self._show_count(hits, self._at if self._at in hits else None)

    action_close = close

    def action_go(self, by: int) -> None:
        """Go to the next hit, or the previous one with -1; wraps around."""
        hits = self._hits()
        at = hits.index(self._at) + by if self._at in hits else min(by, 0)
        self._show(hits, hits[at % len(hits)] if hits else None)

    @on(Input.Submitted)
    def _go_on(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_go(-1)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:  # the last character may arrive after esc
            self._find()

    @property
    def _words(self) -> tuple[str, ...]:
        return tuple(fold(self._field.value).split())

    def _find(self) -> None:
        """Stay on the current hit if it still matches; otherwise go to the newest."""
        hits = self._hits()
        self._show(hits, self._at if self._at in hits else hits[-1] if hits else None)

    def _hits(self) -> list[str]:
        words = self._words
        return [m.id for m in self._messages() if words and all(word in self._text_of(m) for word in words)]

    def _text_of(self, message: Message) -> str:
        known = self._folded.get(message.id)
        if known is None or known[0] is not message.content:
            known = self._folded[message.id] = (message.content, fold(message.content))
        return known[1]

    def _show(self, hits: list[str], message_id: str | None) -> None:
        self._at = message_id
        self._show_count(hits, message_id)
        self.post_message(self.Moved(message_id, self._words))

    def _show_count(self, hits: list[str], message_id: str | None) -> None:
        number = hits.index(message_id) + 1 if message_id is not None else 0
        count = say("find.count", number=number, of=len(hits)) if self._words else ""
        self.query_one("#find-count", Static).update(count)
