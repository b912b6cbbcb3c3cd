"""The list of models to choose from: a line each under the heading of its group, with what fits beside it."""

from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events, on
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.models.choices import ModelChoice
from qwen_tui.engine.models.fit import Fit
from qwen_tui.engine.models.size import FORMS, Form
from qwen_tui.strings import say
from qwen_tui.wording.cell_width import cells, cropped, displayed
from qwen_tui.wording.models import disk_in_words, verdict_in_short, window_in_short

_DISK_CELLS, _WINDOW_CELLS, _FORM_CELLS = 11, 7, 8

_NARROW = 68
"""With fewer columns the context window is left to the details."""


class ModelRow(NamedTuple):
    """A model with what was found out about it."""

    entry: ModelChoice
    fits: dict[Form, Fit]


class ModelList(ScrollView, can_focus=True):
    """Rows of models with a cursor, which passes over the headings and stays with its model."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "move(-1)", say("panes.key.up"), id="models.up", show=False),
        Binding("down", "move(1)", say("panes.key.down"), id="models.down", show=False),
        Binding("pageup", "page(-1)", say("panes.key.page_up"), id="models.page_up", show=False),
        Binding("pagedown", "page(1)", say("panes.key.page_down"), id="models.page_down", show=False),
        Binding("home", "move(-10000)", say("panes.key.first"), id="models.first", show=False),
        Binding("end", "move(10000)", say("panes.key.last"), id="models.last", show=False),
        Binding("enter", "choose", say("models.key.load"), id="models.load"),
    ]
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "model-list--name",
        "model-list--loaded",
        "model-list--heading",
        "model-list--cursor",
        "model-list--dim",
        "model-list--fits",
    }
    DEFAULT_CSS: ClassVar[str] = """
    ModelList {
        overflow-x: hidden;
        scrollbar-size-vertical: 1;
        & > .model-list--name { color: $foreground; }
        & > .model-list--loaded { color: $text-accent; text-style: bold; }
        & > .model-list--heading { color: $text-accent; text-style: bold; }
        & > .model-list--cursor { background: $foreground 12%; }
        & > .model-list--dim { color: $foreground 60%; }
        & > .model-list--fits { color: $text-success; }
        &:ansi {
            & > .model-list--cursor { background: transparent; text-style: reverse; }
            & > .model-list--dim { text-style: dim; }
        }
    }
    """

    class Moved(Message):
        """The cursor is on another model."""

    class Chosen(Message):
        """The person wants the model under the cursor."""

    rows: reactive[tuple[ModelRow, ...]] = reactive[tuple[ModelRow, ...]](())
    """What is listed, group by group."""
    loaded: reactive[str] = reactive("")
    """The key of the model that is loaded."""
    cursor: reactive[int] = reactive(0)
    """Which model the keys are about."""

    @property
    def row(self) -> ModelRow | None:
        """The model under the cursor; None in an empty list."""
        return self.rows[self.cursor] if self.rows else None

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on a model."""
        return max(0, min(cursor, len(self.rows) - 1))

    def watch_rows(self, before: tuple[ModelRow, ...], rows: tuple[ModelRow, ...]) -> None:
        """Keep the cursor on its model, and begin with the one that is loaded."""
        kept = before[self.cursor].entry.key if before else self.loaded
        self.cursor = next((i for i, row in enumerate(rows) if row.entry.key == kept), self.cursor)
        self.virtual_size = Size(self.size.width, len(_lines_of(rows)))
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def watch_cursor(self) -> None:
        """Show where it is, and say so."""
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def watch_loaded(self) -> None:
        """Mark another one."""
        self.refresh()

    def go_to(self, key: str) -> None:
        """Put the cursor on the model with this key, where it is listed."""
        self.cursor = next((i for i, row in enumerate(self.rows) if row.entry.key == key), self.cursor)

    def render_line(self, y: int) -> Strip:
        """A heading with the names of the columns, or a model."""
        width = self.size.width
        lines = _lines_of(self.rows)
        index = self.scroll_offset.y + y
        if index >= len(lines):
            return Strip.blank(width, self.rich_style)
        line = lines[index]
        if isinstance(line, str):
            segments = self._heading(line, width)
        else:
            segments = self._model(self.rows[line], width, lit=line == self.cursor and self.has_focus)
        return Strip(segments).adjust_cell_length(width, self.rich_style)

    def _heading(self, text: str, width: int) -> list[Segment]:
        if not text:
            return []
        forms = "".join(f"{say(f'models.form.{form}'):>{_FORM_CELLS}}" for form in FORMS)
        columns = _figures(say("models.column.size"), say("models.column.context"), width) + f"{forms} "
        room = max(0, width - cells(columns) - 1)
        title = cropped(text, room)
        gap = " " * (room - cells(title))
        return [Segment(f" {title}{gap}", self._look("heading")), Segment(columns, self._look("dim"))]

    def _model(self, row: ModelRow, width: int, *, lit: bool) -> list[Segment]:
        entry = row.entry
        is_loaded = entry.key == self.loaded
        figures = _figures(disk_in_words(entry), window_in_short(entry), width)
        room = max(4, width - 3 - cells(figures) - len(FORMS) * _FORM_CELLS)
        name = cropped(displayed(one_line(entry.name)), room)
        gap = " " * (room - cells(name))
        return [
            Segment("● " if is_loaded else "  ", self._look("loaded", lit)),
            Segment(name + gap, self._look("loaded" if is_loaded else "name", lit)),
            Segment(figures, self._look("dim", lit)),
            *self._verdicts(row, lit),
            Segment(" ", self._look("dim", lit)),
        ]

    def _verdicts(self, row: ModelRow, lit: bool) -> list[Segment]:
        """What fits in each form; one that is not whole, or saved quantized, has only one thing to say."""
        whole = len(FORMS) * _FORM_CELLS
        if row.entry.problem is not None:
            text = cropped(row.entry.problem.explanation.title, whole - 1)
            return [Segment(" " * (whole - cells(text)) + text, self._look("dim", lit))]
        segments = []
        for form in FORMS:
            fit = row.fits.get(form)
            text = verdict_in_short(fit) if fit is not None else ""
            look = "fits" if fit is not None and fit.fits else "dim"
            segments.append(Segment(f"{text:>{_FORM_CELLS}}", self._look(look, lit)))
        return segments

    @on(events.Resize)
    def _fit(self) -> None:
        self.virtual_size = Size(self.size.width, len(_lines_of(self.rows)))
        self._show_cursor()

    @on(events.Focus)
    @on(events.Blur)
    def _show_focus(self) -> None:
        self.refresh()

    @on(events.Click)
    def _choose_row(self, event: events.Click) -> None:
        lines = _lines_of(self.rows)
        index = self.scroll_offset.y + event.y
        line = lines[index] if index < len(lines) else ""
        if isinstance(line, int):
            is_second = line == self.cursor
            self.cursor = line
            if is_second:
                self.action_choose()

    def action_move(self, by: int) -> None:
        """Move the cursor by models."""
        self.cursor += by

    def action_page(self, by: int) -> None:
        """Move the cursor by screens."""
        self.cursor += by * max(1, self.size.height - 2)

    def action_choose(self) -> None:
        """Ask for the model under the cursor."""
        if self.rows:
            self.post_message(self.Chosen())

    def _show_cursor(self) -> None:
        lines = _lines_of(self.rows)
        y = lines.index(self.cursor) if self.cursor in lines else 0
        # With the heading above it, so that the first model of a group does not lose its own.
        above = 1 if y and isinstance(lines[y - 1], str) else 0
        self.scroll_to_region(Region(0, y - above, 1, 1 + above), animate=False, force=True)

    def _look(self, name: str, lit: bool = False) -> Style:
        """The style of a part of a row; in a reversed row all parts look alike, for their colours would clash."""
        style = self.visual_style
        own_styles = [f"model-list--{name}"]
        if lit:
            cursor = "model-list--cursor"
            if self.get_component_styles(cursor).text_style.reverse:
                return style.rich_style + Style(reverse=True)
            own_styles.insert(0, cursor)
        for own_style in own_styles:
            style += self.get_visual_style(own_style, partial=True)
        return style.rich_style


def _figures(disk: str, window: str, width: int) -> str:
    return f"{disk:>{_DISK_CELLS}}" + (f"{window:>{_WINDOW_CELLS}}" if width >= _NARROW else "")


def _lines_of(rows: tuple[ModelRow, ...]) -> list[str | int]:
    """The lines of the list: a heading, an empty line, or the index of a model."""
    lines: list[str | int] = []
    group = ("", "")
    for index, row in enumerate(rows):
        entry = row.entry
        if (entry.group, entry.server) != group:
            group = (entry.group, entry.server)
            host = displayed(one_line(entry.server.partition("://")[2]))
            lines += [*([""] if lines else []), say(f"models.group.{entry.group}", host=host)]
        lines.append(index)
    return lines
