"""Help: every key by the place where it works, and where the person's files are."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from qwen_tui.strings import say

_ARROWS = {"up": "↑", "down": "↓", "left": "←", "right": "→", "escape": "esc", "pageup": "page up"}
_ARROWS |= {"pagedown": "page down", "delete": "del", "question_mark": "?", "slash": "/"}


class Place(NamedTuple):
    """A part of the screen, and the keys that work there."""

    title: str
    keys: tuple[tuple[str, str], ...]
    """Keys as they are pressed, and what they do."""


def place(title: str, bindings: Iterable[BindingType], keymap: dict[str, str] | None = None) -> Place:
    """The keys of a widget, screen or app from its BINDINGS, as `keymap` (binding id to keys) remaps them."""
    rows: dict[str, list[str]] = {}
    for binding in bindings:
        if not isinstance(binding, Binding) or not binding.description:
            continue
        keys = (keymap or {}).get(binding.id or "", binding.key)
        rows.setdefault(binding.description, []).extend(key.strip() for key in keys.split(","))
    return Place(title, tuple((" ".join(map(_key_name, keys)), what) for what, keys in rows.items()))


class Help(ModalScreen[None]):
    """The keys as tables, over the screen. It does nothing but show."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", say("help.close"), id="help.close"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Help {
        align: center middle;
        #help-box {
            width: 76;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            padding: 0 1;
            border: round $border;
            border-title-color: $text-accent;
            border-subtitle-color: $text-muted;
            background: $background;
        }
        #help-keys { height: auto; max-height: 100vh; scrollbar-size-vertical: 1; }
        .help-title { color: $text-accent; text-style: bold; margin: 1 1 0 1; }
        .help-table {
            layout: grid;
            grid-size: 2;
            grid-columns: 24 1fr;
            grid-rows: auto;
            grid-gutter: 0 1;
            height: auto;
            padding: 0 1;
        }
        .help-key { color: $text-accent; }
    }
    """

    def __init__(self, places: Sequence[Place], files: Sequence[tuple[str, Path]] = ()) -> None:
        super().__init__()
        self._places = [place for place in places if place.keys]
        self._files = files

    def compose(self) -> ComposeResult:
        """A table a place, then the files."""
        with Vertical(id="help-box") as box:
            box.border_title = Content(say("help.title"))
            box.border_subtitle = Content(say("help.keys"))
            with VerticalScroll(id="help-keys"):
                for title, keys in self._places:
                    yield from _table(title, keys)
                if self._files:
                    yield from _table(say("help.files"), [(name, _short(path)) for name, path in self._files])

    def on_mount(self) -> None:
        """Let the arrow keys scroll."""
        self.query_one("#help-keys").focus()


def _table(title: str, rows: Iterable[tuple[str, str]]) -> ComposeResult:
    yield Static(Content(title), classes="help-title")
    with Container(classes="help-table"):
        for key, what in rows:
            yield Static(Content(key), classes="help-key")
            yield Static(Content(what), classes="help-what")


def _short(path: Path) -> str:
    """A path with the home folder as ~."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)


def _key_name(key: str) -> str:
    *modifiers, last = key.split("+")
    return "+".join(
        [*modifiers, _ARROWS.get(last, last.upper() if last[:1] == "f" and last[1:].isdigit() else last)]
    )
