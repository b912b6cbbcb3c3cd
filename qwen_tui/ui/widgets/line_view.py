"""A widget that shows laid-out, selectable lines, such as a message or the memory marker."""

import re
from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Region
from textual.selection import Selection
from textual.strip import Strip
from textual.widget import Widget

from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.palette import Colours, Palette, palette
from qwen_tui.wording.cell_width import cells

_MARK = Style(reverse=True)
"""The style of search matches, visible in every theme."""


class LinesView(Widget):
    """Draws `rows`, line by line."""

    def __init__(
        self, rows_at: Callable[[int], Sequence[Line]], *, id: str | None = None, classes: str | None = None
    ) -> None:
        """Create the view; `rows_at` returns the rows at a width in cells, for a new width or `lay_out_again`."""
        super().__init__(id=id, classes=classes)
        self._rows_at = rows_at
        self._laid_out_width = 0
        self.rows: Sequence[Line] = ()
        """The rows, as laid out for the last width."""
        self._palette: Palette | None = None
        self._strips: dict[int, tuple[Line, Strip]] = {}
        self._marked: re.Pattern[str] | None = None

    def mark(self, words: Sequence[str]) -> None:
        """Highlight these words, ignoring case, within lines."""
        longest_first = sorted(words, key=len, reverse=True)
        pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if words else None
        if pattern != self._marked:
            self._marked = pattern
            self._strips.clear()
            self.refresh()

    def lay_out(self, width: int) -> None:
        """Lay out `rows` for this width in cells; called before every layout."""
        if width > 0 and width != self._laid_out_width:
            self._laid_out_width = width
            self.rows = self._rows_at(width)

    def lay_out_again(self) -> None:
        """Update the rows, whose number must stay the same."""
        self._laid_out_width = 0
        self.lay_out(self.content_size.width)
        self.refresh()

    @property
    def palette(self) -> Palette:
        """The colours of the theme on this widget's background."""
        if self._palette is None:
            _, _, background, foreground = self.colors
            is_ansi, variables = self.app.native_ansi_color, self.app.theme_variables
            if is_ansi:
                background = foreground = Color.parse("ansi_default")
            accent, error, success, warning = (
                Color.parse(variables[f"text-{name}"]) for name in ("accent", "error", "success", "warning")
            )
            dimmed = self.has_class("-dimmed")
            colours = Colours(foreground, background, accent, error, success, warning, is_ansi, dimmed)
            self._palette = palette(colours)
        return self._palette

    def notify_style_update(self) -> None:
        """Look up all colours again after a change of theme or class."""
        super().notify_style_update()
        self._palette = None
        self._strips.clear()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        self.lay_out(width)
        return len(self.rows)

    def render_line(self, y: int) -> Strip:
        width, line, selection = self.content_size.width, self.row_at(y), self.text_selection
        span = selection.get_span(y) if selection is not None else None
        cached = self._strips.get(y)
        if span is None and cached is not None and cached[0] is line and cached[1].cell_length == width:
            return cached[1]
        spans = [(*m.span(), _MARK) for m in self._marked.finditer(line.text)] if self._marked else []
        if span is not None:
            spans.append((*span, self.screen.get_component_rich_style("screen--selection")))
        strip = _drawn(line, width, self.palette.style, spans).apply_offsets(0, y)
        if span is None:
            self._strips[y] = (line, strip)
        return strip

    def row_at(self, y: int) -> Line:
        return self.rows[y] if y < len(self.rows) else BLANK

    def repaint_from(self, row: int, count: int | None = None) -> None:
        """Redraw this row and those below it, or only `count` rows."""
        size = self.content_size
        if row < size.height:
            top, left = self.gutter.top, self.gutter.left
            height = size.height - row if count is None else min(count, size.height - row)
            self.refresh(Region(left, top + row, size.width, height))

    def get_selection(self, selection: Selection) -> tuple[str, str] | None:
        """Return the selected text as one would type it."""
        text = _selected(self.rows, selection)
        return None if text is None else (text, "\n")


def _drawn(
    line: Line, width: int, style: Callable[[str], Style], spans: Sequence[tuple[int, int, Style]]
) -> Strip:
    """Draw a line at a width in cells, with some character spans in other styles."""
    segments = [Segment(text, style(ink)) for text, ink in line.runs]
    spare = width - sum(cells(text) for text, _ in line.runs)
    if spare > 0:
        blank = Segment(" " * spare, style(line.fill))
        if segments and segments[-1].style == blank.style:
            # Merging saves an escape sequence on every row that scrolls.
            blank = Segment(segments.pop().text + blank.text, blank.style)
        segments.append(blank)
    for start, end, other in spans:
        segments = _with_span(segments, start, end, other)
    strip = Strip(segments, width if spare >= 0 else width - spare)
    return strip if spare >= 0 else strip.crop(0, width)


def _selected(rows: Sequence[Line], selection: Selection) -> str | None:
    """Return the selected text without bars and indentation, with wrapped lines joined."""
    parts: list[str] = []
    for y, line in enumerate(rows):
        span = selection.get_span(y)
        if span is None:
            continue
        start, end = span
        text = line.text
        chosen = text[start:] if end == -1 else text[start:end]
        if start < line.prefix:
            hidden = line.prefix - start
            chosen = ("" if line.glue is not None else line.copied_prefix) + chosen[hidden:]
        if parts:
            parts.append("\n" if line.glue is None else line.glue)
        parts.append(chosen)
    return "".join(parts) if parts else None


def _with_span(segments: list[Segment], start: int, end: int, style: Style) -> list[Segment]:
    """Restyle the characters from `start` to `end` (-1: to the last)."""
    result: list[Segment] = []
    at = 0
    for text, own, _ in segments:
        stop = at + len(text)
        first = min(max(start, at), stop) - at
        last = (stop if end == -1 else min(max(end, at), stop)) - at
        for part, chosen in ((text[:first], False), (text[first:last], True), (text[last:], False)):
            if part:
                result.append(Segment(part, own + style if chosen and own else own))
        at = stop
    return result
