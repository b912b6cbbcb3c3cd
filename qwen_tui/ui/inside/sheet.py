"""The parts of the view inside that draw: the names of the tabs, and the tab in front."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll

from qwen_tui.strings import say
from qwen_tui.ui.inside.page import Page
from qwen_tui.ui.markdown.lines import Line, Run
from qwen_tui.ui.widgets.line_view import LinesView
from qwen_tui.wording.cell_width import cells

_GAP = "  "


class FixedRows(LinesView):
    """Rows whose number never changes."""

    def on_resize(self) -> None:
        self.lay_out_again()


class TabNames(FixedRows):
    """The names of the tabs on one row, with the number that opens each; the one in front is underlined."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TabNames { height: 1; padding: 0 1; }
    """

    def __init__(self, names: Sequence[str], choose: Callable[[str], None]) -> None:
        super().__init__(self._row_at, id="inside-tabs")
        self._names = names
        self._choose = choose
        self._places: list[tuple[range, str]] = []
        self._in_front = names[0]

    def show(self, name: str) -> None:
        self._in_front = name
        self.lay_out_again()

    def _row_at(self, width: int) -> list[Line]:
        labels = [
            (name, f"{number} {say(f'inside.tab.{name}')}") for number, name in enumerate(self._names, 1)
        ]
        gap = _GAP if sum(cells(text) for _, text in labels) + len(_GAP) * len(labels) <= width else " "
        runs: list[Run] = []
        self._places, at = [], 0
        for name, label in labels:
            runs += [(label, "accent strong underline" if name == self._in_front else "muted"), (gap, "")]
            self._places.append((range(at, at + cells(label)), name))
            at += cells(label) + len(gap)
        return [Line(tuple(runs[:-1]))]

    def on_click(self, event: events.Click) -> None:
        event.stop()
        column = event.x - self.gutter.left
        for columns, name in self._places:
            if column in columns:
                self._choose(name)


class Rows(LinesView):
    """The rows of a tab."""

    DEFAULT_CSS = """
    Rows { height: auto; padding: 0 1; }
    """

    def __init__(self, clicked: Callable[[int, int], None]) -> None:
        """Create the rows; `clicked` is called with the row and column of a click."""
        super().__init__(self._rows_of_page, id="inside-rows")
        self._clicked = clicked
        self._page: Page | None = None

    def show(self, page: Page) -> None:
        """Lay out a tab, however many rows it has now."""
        self._page = page
        self._laid_out_width = 0
        self.refresh(layout=True)

    def _rows_of_page(self, width: int) -> Sequence[Line]:
        return self._page.rows(width) if self._page is not None else ()

    def row_at(self, y: int) -> Line:
        chosen = self._page.highlighted(y) if self._page is not None and y < len(self.rows) else None
        return chosen if chosen is not None else super().row_at(y)

    def on_click(self, event: events.Click) -> None:
        self._clicked(event.y - self.gutter.top, event.x - self.gutter.left)


class Sheet(VerticalScroll, inherit_bindings=False):
    """The tab in front; it has the focus, and keeps what is chosen in sight."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "move(-1, 0)", say("inside.key.left"), id="inside.left", show=False),
        Binding("right", "move(1, 0)", say("inside.key.right"), id="inside.right", show=False),
        Binding("up,k", "move(0, -1)", say("inside.key.up"), id="inside.up", show=False),
        Binding("down,j", "move(0, 1)", say("inside.key.down"), id="inside.down", show=False),
        Binding("pageup", "page(-1)", say("inside.key.page_up"), id="inside.page_up", show=False),
        Binding("pagedown,space", "page(1)", say("inside.key.page_down"), id="inside.page_down", show=False),
        Binding("home", "far(-1)", say("inside.key.first"), id="inside.first", show=False),
        Binding("end", "far(1)", say("inside.key.last"), id="inside.last", show=False),
    ]

    DEFAULT_CSS = """
    Sheet { height: 1fr; scrollbar-size-vertical: 1; scrollbar-gutter: stable; }
    """

    FAR = 1_000_000
    """More tokens than any text has."""

    def __init__(self, changed: Callable[[], None]) -> None:
        """Create the sheet; `changed` is called when something else may be chosen."""
        super().__init__(id="inside-sheet")
        self._rows = Rows(self._click)
        self._changed = changed
        self.page: Page | None = None

    def compose(self) -> ComposeResult:
        yield self._rows

    def show(self, page: Page) -> None:
        """Show a tab, or lay it out again."""
        is_other, self.page = page is not self.page, page
        self._rows.show(page)
        if is_other:
            self.scroll_to(y=0, animate=False, immediate=True)
        self.call_after_refresh(self._laid_out)

    def _click(self, row: int, column: int) -> None:
        if self.page is not None:
            self._after(self.page.click(row, column))

    def action_move(self, across: int, down: int) -> None:
        if self.page is None:
            return
        if self.page.cursor_row is None:  # nothing to point at: scroll
            self.scroll_relative(y=down, animate=False)
        self._after(self.page.move(across, down))

    def action_page(self, by: int) -> None:
        if self.page is not None:
            height = max(1, self.size.height - 2)
            if self.page.cursor_row is None:
                self.scroll_relative(y=by * height, animate=False)
            self._after(self.page.move(0, by * height))

    def action_far(self, by: int) -> None:
        if self.page is not None:
            if self.page.cursor_row is None:
                self.scroll_to(y=0 if by < 0 else self.max_scroll_y, animate=False)
            self._after(self.page.move(by * self.FAR, 0))

    def _after(self, lays_out: bool) -> None:
        if self.page is not None and lays_out:
            self.show(self.page)
        else:
            self._rows.refresh()
            self._keep_in_sight()
        self._changed()

    def _laid_out(self) -> None:
        self._keep_in_sight()
        self._changed()

    def _keep_in_sight(self) -> None:
        row = self.page.cursor_row if self.page is not None else None
        if self.page is not None and self.page.goes_to_end:
            self.page.goes_to_end = False
            self.scroll_end(animate=False, immediate=True)
        if row is not None:
            top, height = round(self.scroll_y), self.size.height
            if row < top or row >= top + height:
                self.scroll_to(y=max(0, row - height // 2), animate=False, immediate=True)
