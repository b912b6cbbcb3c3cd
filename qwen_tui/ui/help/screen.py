"""The help screen: all keys by place, and the locations of the person's files."""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from qwen_tui.strings import say
from qwen_tui.ui.help.keys import KeyRow, Place
from qwen_tui.ui.markdown.lines import BLANK, Line, Run
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.ui.widgets.keys import key_of
from qwen_tui.ui.widgets.line_view import LinesView
from qwen_tui.wording.cell_width import cells, displayed

_KEYS = 18
"""Width of the column of keys, in cells."""

_IDS = 24
"""Width of the column of ids, in cells."""

_NARROW = 66
"""Minimum width, in cells, to show ids in a column instead of below the descriptions."""


class Help(ModalScreen[None]):
    """A modal screen with tables of keys; it only shows them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "dismiss", say("help.close"), id="help.close"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Help {
        align: center middle;
        #help-box {
            width: 84;
            max-width: 100%;
            height: 100%;
            padding: 0 1;
            border: round $border;
            border-title-color: $text-accent;
            border-subtitle-color: $text-muted;
            background: $background;
        }
        #help-keys { height: 1fr; scrollbar-size-vertical: 1; }
        LinesView { height: auto; padding: 0 1; }
    }
    """

    def __init__(self, places: Sequence[Place], files: Sequence[tuple[str, Path]] = ()) -> None:
        super().__init__()
        rows = tuple(KeyRow(name, _short(path), "") for name, path in files)
        self._places = [place for place in (*places, Place(say("help.files"), rows)) if place.rows]

    def compose(self) -> ComposeResult:
        with Vertical(id="help-box") as box:
            box.border_title = Content(say("help.title"))
            box.border_subtitle = Content(say("help.keys", key=key_of(self, "help.close")))
            with VerticalScroll(id="help-keys"):
                yield LinesView(partial(_tables, self._places))


def _tables(places: Sequence[Place], width: int) -> list[Line]:
    """Lay out a note, then each place as a table with a title."""
    lines = wrap([(say("help.note"), "muted")], width)
    for place in places:
        lines += [BLANK, Line(((place.title, "accent strong"),))]
        for row in place.rows:
            lines += _rows(row, width)
    return lines


def _rows(row: KeyRow, width: int) -> Iterator[Line]:
    room = width - _KEYS - (_IDS if row.id and width >= _NARROW else 0)
    keys = wrap([(displayed(row.keys), "accent")], _KEYS - 1)
    what = wrap([(displayed(row.what), "")], room - 1)
    ids = [Line(((row.id, "muted"),))] if row.id else []
    if width < _NARROW:
        what, ids = [*what, *ids], []
    for columns in zip_longest(keys, what, ids, fillvalue=BLANK):
        runs: list[Run] = []
        for column, end in zip(columns, (_KEYS, room, 0), strict=True):
            runs += [*column.runs, (" " * max(0, end - cells(column.text)), "")]
        yield Line(tuple(run for run in runs if run[0]))


def _short(path: Path) -> str:
    """Return a path with the home folder as `~`."""
    try:
        return f"~/{path.relative_to(Path.home())}"
    except (ValueError, RuntimeError):
        return str(path)
