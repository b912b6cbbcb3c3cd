"""Blocks of which a part is already laid out for good, so that only their rest has to be parsed again.

Each value says what has to stand before the rest for it to parse as what it is (`prefix`), and lays the rest out so
that it follows what stands above it (`lines`; None when it turned out to be another kind of block).
"""

from dataclasses import dataclass

from qwen_tui.ui.markdown.layout import fence_lines, list_lines
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.parsing.blocks import Block, Code, List, Paragraph, Runs, Table
from qwen_tui.ui.markdown.table import Columns, row_lines
from qwen_tui.ui.markdown.wrap import wrap

UNSEEN = "\u2060"
"""Begins the rest of a paragraph: it keeps `- ` or `# ` from meaning anything there, and is never displayed."""


@dataclass(frozen=True, slots=True)
class ListBegun:
    """A list whose first items are done."""

    number: int | None
    """What the next item is numbered; None for bullets."""
    gap: bool
    """An empty line stands before the next item."""
    prefix: str = ""

    def lines(self, block: Block, width: int) -> list[Line] | None:
        if not isinstance(block, List) or (block.start is None) != (self.number is None):
            return None
        lines = list_lines(block, block.items, self.number, width)
        return [BLANK, *lines] if self.gap else lines


@dataclass(frozen=True, slots=True)
class CodeBegun:
    """A fence whose first lines are done."""

    prefix: str
    """The line that opened it."""

    def lines(self, block: Block, width: int) -> list[Line] | None:
        if not isinstance(block, Code):
            return None
        return fence_lines(block.text, block.language, width) if block.text else []


@dataclass(frozen=True, slots=True)
class TableBegun:
    """A table whose first rows are done; its columns keep the widths they have."""

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
    """A paragraph whose first lines are done."""

    carried: Runs
    """The text of its last line, which may not be full yet."""
    glue: str | None
    """How that line joins the one above it."""
    new_line: bool
    """The rest begins a line of its own."""

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
