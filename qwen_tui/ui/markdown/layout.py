"""Lay out blocks as lines of a given width."""

from collections.abc import Sequence
from typing import NamedTuple

from qwen_tui.ui.markdown.code import code_lines
from qwen_tui.ui.markdown.lines import BLANK, Line, Run, inked, prefixed
from qwen_tui.ui.markdown.parsing.blocks import (
    AsWritten,
    Block,
    Code,
    Heading,
    Item,
    List,
    Paragraph,
    Placed,
    Quote,
    Rule,
    Table,
)
from qwen_tui.ui.markdown.table import table_lines
from qwen_tui.ui.markdown.wrap import wrap, wrap_code
from qwen_tui.wording.cell_width import cells, cropped, displayed

NARROWEST = 10
"""Nested blocks are indented only while at least this width remains."""


class Numbered(NamedTuple):
    """The number of a list item."""

    written: int
    shown: int


_BULLETS = ("•", "◦", "▪")
_BAR: Run = ("│ ", "bar")
_CODE_MARGIN: Run = (" ", "block")


def layout(blocks: Sequence[Block], width: int) -> list[Line]:
    """Lay out blocks with an empty line between them."""
    lines: list[Line] = []
    for block in blocks:
        if lines:
            lines.append(BLANK)
        lines.extend(block_lines(block, width))
    return lines


def block_lines(block: Block, width: int) -> list[Line]:
    """Lay out one block."""
    match block:
        case Paragraph(runs):
            return wrap(runs, width)
        case Heading(level, runs):
            ink = "heading" if level <= 2 else "strong"
            return wrap([inked(run, ink) for run in runs], width)
        case Code(language, text, label):
            return [*label_lines(label, width), *fence_lines(text, language, width)]
        case AsWritten(text):
            return wrap([(text, "")], width)
        case Rule():
            return [Line((("─" * width, "rule"),))]
        case Quote(blocks):
            return _quote_lines(blocks, width)
        case List():
            return list_lines(block, block.items, None, width)
        case Table():
            return table_lines(block, width)


def label_lines(label: str, width: int) -> list[Line]:
    """Return the line with the language of a code block, if it has one."""
    if not label:
        return []
    name = cropped(displayed(label).replace("\n", " "), width - 2)
    return prefixed([Line(((name, "block label"),), fill="block")], _CODE_MARGIN, _CODE_MARGIN, "", "")


def fence_lines(text: str, language: str, width: int) -> list[Line]:
    """Lay out code on its own background; long lines are wrapped."""
    result: list[Line] = []
    for runs in code_lines(text, language):
        result += [line._replace(fill="block") for line in wrap_code(runs, width - 2)]
    return prefixed(result, _CODE_MARGIN, _CODE_MARGIN, "", "")


def list_lines(block: List, items: Sequence[Item], above: Numbered | None, width: int) -> list[Line]:
    """Lay out list items; `items` may be only some of the list's items, `above` is the last before them."""
    lines: list[Line] = []
    for item, number in zip(items, numbers(items, above), strict=True):
        if item.gap:
            lines.append(BLANK)
        lines.extend(_item_lines(item, _marker(block, item, number), width))
    return lines


def numbers(items: Sequence[Item], above: Numbered | None) -> list[Numbered | None]:
    """Number items as written, but count on where a number is repeated, as in `1. 1. 1.`."""
    result: list[Numbered | None] = []
    for item in items:
        written = item.number
        if written is not None:
            shown = written
            if above is not None and above.written <= written <= max(above.shown, above.written):
                shown = above.shown + 1
            above = Numbered(written, shown)
        result.append(above)
    return result


def _marker(block: List, item: Item, number: Numbered | None) -> Run:
    if item.ticked is not None:
        return ("☑ ", "marker") if item.ticked else ("☐ ", "marker")
    if number is not None:
        return (f"{number.shown}{block.ends} ", "marker")
    return (f"{_BULLETS[min(block.level, len(_BULLETS) - 1)]} ", "marker")


def _item_lines(item: Item, marker: Run, width: int) -> list[Line]:
    indent = cells(marker[0])
    lines = _placed_lines(item.blocks, width - indent) or [BLANK]
    # Too deep to indent further: only the marker is placed, and the text after it starts at the margin.
    blank = "" if width - indent < NARROWEST else " " * indent
    return prefixed(lines, marker, (blank, ""), marker[0], blank)


def _quote_lines(blocks: Sequence[Placed], width: int) -> list[Line]:
    indent = cells(_BAR[0])
    if width - indent < NARROWEST:
        return _placed_lines(blocks, width)
    lines = _placed_lines(blocks, width - indent) or [BLANK]
    return prefixed([_quoted(line) for line in lines], _BAR, _BAR, "", "")


def _quoted(line: Line) -> Line:
    """Add the quote ink to a line below its own inks, so that a link in a quote still looks like a link."""
    return line._replace(
        runs=tuple((text, ink if ink in _NOT_QUOTED else f"quoted {ink}") for text, ink in line.runs)
    )


_NOT_QUOTED = frozenset(("bar", "quoted "))
"""Inks that do not change in a quote: bars, and text that is already quoted."""


def _placed_lines(blocks: Sequence[Placed], width: int) -> list[Line]:
    lines: list[Line] = []
    for placed in blocks:
        if placed.gap:
            lines.append(BLANK)
        lines.extend(block_lines(placed.block, max(width, 2)))
    return lines
