"""The list of models: one line each, grouped under headings, with what fits."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Region
from textual.reactive import reactive
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.models.choices import ModelChoice
from qwen_tui.engine.models.size import FORMS
from qwen_tui.strings import say
from qwen_tui.ui.models.sources import ModelRow
from qwen_tui.wording.cell_width import cells, cropped, displayed
from qwen_tui.wording.models import context_in_words, disk_in_words, in_short, verdict_in_words

_DISK_CELLS, _WINDOW_CELLS, _FORM_CELLS = 11, 7, 8

_NARROW = 68
"""Minimum width, in columns, to show the context window in the list and not only in the details."""


class ModelOption(Option):
    """A line with a model."""

    def __init__(self, row: ModelRow, line: Content) -> None:
        super().__init__(line)
        self.row = row


class ModelList(OptionList, inherit_bindings=False):
    """Rows of models; the cursor skips the headings and stays on its model."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", say("panes.key.up"), id="models.up", show=False),
        Binding("down", "cursor_down", say("panes.key.down"), id="models.down", show=False),
        Binding("pageup", "page_up", say("panes.key.page_up"), id="models.page_up", show=False),
        Binding("pagedown", "page_down", say("panes.key.page_down"), id="models.page_down", show=False),
        Binding("home", "first", say("panes.key.first"), id="models.first", show=False),
        Binding("end", "last", say("panes.key.last"), id="models.last", show=False),
        Binding("enter", "select", say("models.key.load"), id="models.load"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    ModelList {
        &, &:focus { border: none; padding: 0; background: transparent; background-tint: transparent; }
        scrollbar-size-vertical: 1;
        scrollbar-gutter: stable;
        text-wrap: nowrap;
        & > .option-list--option-highlighted { color: $foreground; background: transparent; text-style: none; }
        &:focus > .option-list--option-highlighted {
            color: $foreground; background: $foreground 12%; text-style: none;
        }
        & > .option-list--option-hover { background: $foreground 5%; }
        & > .option-list--option-disabled { color: $text-accent; text-style: bold; }
        &:ansi:focus > .option-list--option-highlighted { background: transparent; text-style: reverse; }
        &:ansi > .option-list--option-hover { background: transparent; }
    }
    """

    rows: reactive[tuple[ModelRow, ...]] = reactive[tuple[ModelRow, ...]](())
    """The listed models, group by group."""
    loaded: reactive[str] = reactive("")
    """The key of the loaded model; the cursor starts there until the person moves it."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, markup=False)
        self._put_on = ""
        """The key of the model on which the cursor was placed by the program."""

    @property
    def row(self) -> ModelRow | None:
        option = self.highlighted_option
        return option.row if isinstance(option, ModelOption) else None

    def go_to(self, key: str) -> None:
        for index, option in enumerate(self.options):
            if isinstance(option, ModelOption) and option.row.entry.key == key:
                self.highlighted = index
                return

    @on(events.Resize)
    def watch_rows(self) -> None:
        """Rebuild the list; the cursor stays on its model, or on the loaded one until the person moves it."""
        before = self.row.entry.key if self.row is not None else self._put_on
        scrolled = self.scroll_y
        self.set_options(self._lines_of(self.scrollable_content_region.width))
        self.scroll_y = scrolled
        self.action_first()
        self.go_to(before)
        if before == self._put_on:
            self.go_to(self.loaded)
        if before in ("", self._put_on) and self.row is not None:
            self._put_on = self.row.entry.key

    def watch_loaded(self) -> None:
        self.watch_rows()

    def _lines_of(self, width: int) -> Iterator[Option]:
        group = ("", "")
        for row in self.rows:
            entry = row.entry
            if (entry.group, entry.server) != group:
                if any(group):
                    yield Option("", disabled=True)
                group = (entry.group, entry.server)
                yield Option(_heading(entry, width), disabled=True)
            yield ModelOption(row, _line(row, width, is_loaded=entry.key == self.loaded))

    def scroll_to_highlight(self, top: bool = False) -> None:
        """Scroll so that the heading above the first model of a group stays visible."""
        at = self.highlighted
        if at and self.options[at - 1].disabled:
            self.scroll_to_region(Region(0, at - 1, 1, 2), force=True, animate=False, immediate=True)
        else:
            super().scroll_to_highlight(top)

    async def on_click(self, event: events.Click) -> None:
        """Choose a model only at the second click: the first one shows the details."""
        clicked = event.style.meta.get("option")
        if clicked is not None and clicked != self.highlighted and not self.options[clicked].disabled:
            event.prevent_default()
            self.highlighted = clicked


def _heading(entry: ModelChoice, width: int) -> Content:
    """Return the heading of a model's group, with the column names."""
    host = displayed(one_line(entry.server.partition("://")[2]))
    has_forms = not entry.server  # the only format of a model on a server is unknown
    names = (say(f"models.form.{form}") if has_forms else "" for form in FORMS)
    figures = _figures(say("models.column.size") if has_forms else "", say("models.column.context"), width)
    columns = figures + "".join(_right(name, _FORM_CELLS) for name in names) + " "
    title = _padded(say(f"models.group.{entry.group}", host=host), width - cells(columns) - 1)
    return Content.assemble(f" {title}", (columns, "not bold $text-muted"))


def _line(row: ModelRow, width: int, *, is_loaded: bool) -> Content:
    entry = row.entry
    figures = _figures(disk_in_words(entry), context_in_words(entry, in_short), width)
    name = _padded(
        displayed(one_line(entry.name)), max(4, width - 3 - cells(figures) - len(FORMS) * _FORM_CELLS)
    )
    return Content.assemble(
        (f"{'●' if is_loaded else ' '} {name}", "bold $text-accent" if is_loaded else ""),
        (figures, "$text-muted"),
        *_verdicts(row),
        " ",
    )


def _verdicts(row: ModelRow) -> Iterator[tuple[str, str]]:
    """Yield the verdict for each format; a model with a problem has only one text for all."""
    if row.entry.problem is not None:
        whole = len(FORMS) * _FORM_CELLS
        text = cropped(row.entry.problem.explanation.title, whole - 1)
        yield " " * (whole - cells(text)) + text, "$text-muted"
        return
    for form in FORMS:
        fit = row.fits.get(form)
        text = verdict_in_words(fit, in_short) if fit is not None else ""
        yield _right(text, _FORM_CELLS), "$text-success" if fit is not None and fit.fits else "$text-muted"


def _figures(disk: str, window: str, width: int) -> str:
    return _right(disk, _DISK_CELLS) + (_right(window, _WINDOW_CELLS) if width >= _NARROW else "")


def _right(text: str, width: int) -> str:
    return " " * (width - cells(text)) + text


def _padded(text: str, width: int) -> str:
    text = cropped(text, max(0, width))
    return text + " " * (width - cells(text))
