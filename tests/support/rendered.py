"""Looking at rendered lines."""

from collections.abc import Sequence

from qwen_tui.ui.markdown.document import render
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.wording.cell_width import cells


def texts(lines: Sequence[Line]) -> list[str]:
    """The lines as they are seen, without trailing spaces."""
    return [line.text.rstrip() for line in lines]


def shown(source: str, width: int = 60) -> list[str]:
    """A Markdown text as it is seen."""
    return texts(render(source, width))


def inks(lines: Sequence[Line], text: str) -> set[str]:
    """The words of ink in which a piece of text is drawn."""
    return {word for line in lines for run, ink in line.runs if text in run for word in ink.split()}


def widest(lines: Sequence[Line]) -> int:
    """Cells of the longest line."""
    return max((sum(cells(text) for text, _ in line.runs) for line in lines), default=0)
