"""Blocks whose first part is already laid out for good, so that only the rest is parsed again.

Each value has the `prefix` that makes the rest parse as the same kind of block, and lays the rest out as a
continuation (`lines`; None if it turned out to be another kind of block).
"""

from dataclasses import dataclass

from qwen_tui.ui.markdown.layout import Numbered, fence_lines, list_lines
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.parsing.blocks import Block, Code, List, Paragraph, Runs, Table
from qwen_tui.ui.markdown.table import Columns, row_lines
from qwen_tui.ui.markdown.wrap import wrap

UNSEEN = "\u2060"
"""Word joiner before the rest of a paragraph: it keeps `- ` or `# ` from becoming markup, and is not displayed."""


@dataclass(frozen=True, slots=True)
class ListBegun:
    """A list whose first items are final."""

    above: Numbered | None
    """The number of the last of them; None for bullets."""
    gap: bool
    """Whether an empty line precedes the next item."""
    prefix: str = ""

    def lines(self, block: Block, width: int) -> list[Line] | None:
        if not isinstance(block, List) or (block.start is None) != (self.above is None):
            return None
        lines = list_lines(block, block.items, self.above, width)
        return [BLANK, *lines] if self.gap else lines


@dataclass(frozen=True, slots=True)
class CodeBegun:
    """A fenced code block whose first lines are final."""

    prefix: str
    """The line that opened it."""

    def lines(self, block: Block, width: int) -> list[Line] | None:
        if not isinstance(block, Code):
            return None
        return fence_lines(block.text, block.language, width) if block.text else []


@dataclass(frozen=True, slots=True)
class TableBegun:
    """A table whose first rows are final; its column widths are fixed."""

    prefix: str
    """The two lines that opened it."""
    columns: Columns
    above: bool | None
    """Whether the last row above is a tall one; see `row_lines`."""

    def lines(self, block: Block, width: int) -> list[Line] | None:
        if not isinstance(block, Table):
            return None
        lines, _ = row_lines(self.columns, block.rows, width, self.above)
        return lines


@dataclass(frozen=True, slots=True)
class ParagraphBegun:
    """A paragraph whose first lines are final."""

    carried: Runs
    """The text of its last line, which may not be full yet."""
    glue: str | None
    """The glue that joins this line to the one above it."""
    new_line: bool
    """Whether the rest starts on a new line."""

    @property
    def prefix(self) -> str:
        return UNSEEN + "\n" if self.new_line else UNSEEN

    def lines(self, block: Block, width: int) -> list[Line] | None:
        if not isinstance(block, Paragraph):
            return None
        runs = block.runs
        if self.new_line and runs and runs[0][0].startswith("\n"):
            runs = ((runs[0][0][1:], runs[0][1]), *runs[1:])
        lines = wrap((*self.carried, *runs), width)
        return [lines[0]._replace(glue=self.glue), *lines[1:]]


Resumed = ListBegun | CodeBegun | TableBegun | ParagraphBegun
