"""Blocks of which a part is already laid out for good, so that only their rest has to be parsed again.

Each value says what has to stand before the rest for it to parse as what it is (`prefix`), and lays the rest out
(`lines`) so that it follows what stands above it.
"""

from dataclasses import dataclass
from typing import Protocol

from qwen_tui.ui.markdown.layout import fence_lines, label_lines, list_lines
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.parsing.blocks import Block, Code, List, Paragraph, Runs, Table
from qwen_tui.ui.markdown.table import Columns, RowsAbove, row_lines
from qwen_tui.ui.markdown.wrap import wrap

UNSEEN = "\u2060"
"""Begins the rest of a paragraph: it keeps `- ` or `# ` from meaning anything there, and is never displayed."""


class Resumed(Protocol):
    """The beginning of a block that is laid out already."""

    @property
    def prefix(self) -> str:
        """Source to be parsed before the rest."""

    def lines(self, block: Block, width: int) -> list[Line] | None:
        """The lines of the rest; None when it turned out to be another kind of block."""


@dataclass(frozen=True, slots=True)
class ListBegun:
    """A list whose first items are done."""

    number: int | None
    """What the next item is numbered; None for bullets."""
    gap: bool
    """An empty line stands before the next item."""
    prefix: str = ""

    def lines(self, block: Block, width: int) -> list[Line] | None:
        """The items that follow."""
        if not isinstance(block, List) or (block.start is None) != (self.number is None):
            return None
        lines = list_lines(block, block.items, self.number, width)
        return [BLANK, *lines] if self.gap else lines


@dataclass(frozen=True, slots=True)
class CodeBegun:
    """A fence whose first lines are done."""

    opening: str
    """The line that opened it."""

    @property
    def prefix(self) -> str:
        """The fence is opened again."""
        return self.opening + "\n"

    def lines(self, block: Block, width: int) -> list[Line] | None:
        """The code that follows."""
        if not isinstance(block, Code):
            return None
        return fence_lines(block.text, block.language, width) if block.text else []


@dataclass(frozen=True, slots=True)
class TableBegun:
    """A table whose first rows are done; its columns keep the widths they have."""

    head: str
    """The two lines that opened it."""
    columns: Columns
    above: RowsAbove

    @property
    def prefix(self) -> str:
        """The table is opened again."""
        return self.head

    def lines(self, block: Block, width: int) -> list[Line] | None:
        """The rows that follow."""
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
        """A paragraph that shows nothing."""
        return UNSEEN + "\n" if self.new_line else UNSEEN

    def lines(self, block: Block, width: int) -> list[Line] | None:
        """The text that follows."""
        if not isinstance(block, Paragraph):
            return None
        runs = block.runs
        if self.new_line and runs and runs[0][0].startswith("\n"):
            runs = ((runs[0][0][1:], runs[0][1]), *runs[1:])
        lines = wrap((*self.carried, *runs), width)
        return [lines[0]._replace(glue=self.glue), *lines[1:]]


def first_lines(block: Block, resumed: Resumed | None, width: int) -> list[Line] | None:
    """The lines of a block that may be the rest of a resumed one; None when it is a block of its own."""
    return resumed.lines(block, width) if resumed is not None else None


def code_head(block: Code, resumed: Resumed | None, width: int) -> list[Line]:
    """What stands above the first line of code: nothing when the code is a rest."""
    return [] if isinstance(resumed, CodeBegun) else label_lines(block.language, width)
