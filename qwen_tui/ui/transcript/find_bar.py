"""Finding in the conversation that is read: a field, and how many messages have what stands in it."""

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
    """Where the words are typed: one line, which up and down have nothing to scroll in."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the two keys to what walks through the messages, and the last line of the screen to name them."""
        return action not in ("scroll_up", "scroll_down") and super().check_action(action, parameters)


class FindBar(Horizontal):
    """Walks through the messages in which every word stands, from the newest; hidden until `open`."""

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
        """Another message is looked at, or none."""

        message_id: str | None
        words: tuple[str, ...]
        """What was found in it."""

    @dataclass
    class Closed(Posted):
        """The search has ended."""

        had_keyboard: bool
        """The keyboard has to go somewhere else now."""

    def __init__(self, messages: Callable[[], Sequence[Message]]) -> None:
        """`messages` are those to look in, oldest first."""
        super().__init__()
        self._messages = messages
        self._field = _Field(compact=True, placeholder=say("find.placeholder"), select_on_focus=True)
        self._folded: dict[str, tuple[str, str]] = {}
        """By message id: its text, and the same folded for comparison."""
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
        """End it; False when it was not open."""
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
        """The messages have changed: say how many hits there are now, and stay where the person is."""
        if self.is_open:
            hits = self._hits()
            self._show_count(hits, self._at if self._at in hits else None)

    action_close = close

    def action_go(self, by: int) -> None:
        """To the next hit, or with -1 to the one before; from the last one on from the other end."""
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
        if self.is_open:  # the last character may come after esc
            self._find()

    @property
    def _words(self) -> tuple[str, ...]:
        return tuple(fold(self._field.value).split())

    def _find(self) -> None:
        """Stay where it is as long as that is a hit; otherwise begin with the newest."""
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
