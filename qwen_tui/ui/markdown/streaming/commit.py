"""Commit the part of the last, still growing block whose layout is final.

A list can be cut before its last item, a fence after a window of lines, a table before its last row, a long
paragraph where no markup is open. Each function returns the final lines, the number of characters of source
they represent, and how to resume the rest; or None if nothing is final yet.
"""

import itertools
import re
from dataclasses import replace
from typing import NamedTuple

from qwen_tui.ui.markdown.layout import block_lines, fence_lines, label_lines, numbers
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.markdown.parsing.blocks import Code, List, Paragraph, Table
from qwen_tui.ui.markdown.parsing.fences import Nest, is_markdown
from qwen_tui.ui.markdown.parsing.parse import Parsed, parse
from qwen_tui.ui.markdown.streaming.resume import (
    CodeBegun,
    ListBegun,
    ParagraphBegun,
    Resumed,
    TableBegun,
)
from qwen_tui.ui.markdown.table import columns, head_lines, row_lines

CODE_WINDOW = 32
"""Lines of code that are highlighted together while a fence is open."""
OPEN_ROWS = 12
"""A table's column widths are fixed after this many rows."""
LONG_PARAGRAPH = 1500
"""Length from which a paragraph is laid out in parts."""
ENDLESS_PARAGRAPH = 6000
"""Length from which it is even cut inside markup; the end of the stream corrects that."""


class Commit(NamedTuple):
    """The committed part of a block."""

    lines: list[Line]
    source_length: int
    """Characters of source from the block's start (without a resumed block's prefix)."""
    resumed: Resumed


def commit_part(parsed: Parsed, source: str, resumed: Resumed | None, width: int) -> Commit | None:
    """Commit what is final of the block `parsed`, whose source (complete lines) is `source`.

    If the block is itself the rest of a block, `resumed` describes it; its prefix is not in `source`.
    """
    block = parsed.block
    if isinstance(block, List):
        return _commit_items(block, parsed, source, resumed, width)
    if isinstance(block, Code):
        return _commit_code(block, source, resumed, width)
    if isinstance(block, Table):
        return _commit_rows(block, source, resumed, width)
    return None


def _commit_items(
    block: List, parsed: Parsed, source: str, resumed: Resumed | None, width: int
) -> Commit | None:
    if len(block.items) < 2:
        return None
    done = replace(block, items=block.items[:-1])
    above, lines = None, None
    if isinstance(resumed, ListBegun) and (lines := resumed.lines(done, width)) is not None:
        above = resumed.above
    if lines is None:
        lines = block_lines(done, width)
    length = start_of_line(source, parsed.item_starts[-1] - parsed.start)
    return Commit(lines, length, ListBegun(numbers(done.items, above)[-1], block.items[-1].gap))


def _commit_code(block: Code, source: str, resumed: Resumed | None, width: int) -> Commit | None:
    opening, head, lines = source[: source.find("\n") + 1], 1, label_lines(block.label, width)
    if isinstance(resumed, CodeBegun):
        opening, head, lines = resumed.prefix, 0, []
    windows = (min(source.count("\n") - head, block.text.count("\n") + 1) - 1) // CODE_WINDOW
    if windows < 1 or opening.lstrip()[:3] not in ("```", "~~~"):
        return None
    count, text = windows * CODE_WINDOW, block.text.split("\n")
    if is_markdown(block.language) and not _may_cut(opening.strip(), text, count):
        return None
    for at in range(0, count, CODE_WINDOW):
        lines += fence_lines("\n".join(text[at : at + CODE_WINDOW]), block.language, width)
    return Commit(lines, start_of_line(source, head + count), CodeBegun(opening))


def _may_cut(opening: str, lines: list[str], count: int) -> bool:
    """Return whether Markdown in a fence can be cut after this many lines: not inside or at an inner fence."""
    nest = Nest(opening[: len(opening) - len(opening.lstrip(opening[0]))])
    for line, follower in itertools.pairwise(lines[: count + 1]):
        nest.closes(line, follower)
    return (
        not nest.depth and bool(lines[count - 1].strip()) and not lines[count].strip().startswith(opening[:3])
    )


def _commit_rows(block: Table, source: str, resumed: Resumed | None, width: int) -> Commit | None:
    done = block.rows[:-1]
    if len(done) < (1 if isinstance(resumed, TableBegun) else OPEN_ROWS):
        return None
    if isinstance(resumed, TableBegun):
        skipped, begun, lines = 0, resumed, list[Line]()
    else:
        skipped = start_of_line(source, 2)
        begun = TableBegun(source[:skipped], columns(block, width), None)
        lines = head_lines(begun.columns)
    rows, above = row_lines(begun.columns, done, width, begun.above)
    length = skipped + start_of_line(source[skipped:], len(done))
    return Commit(lines + rows, length, replace(begun, above=above))


def commit_paragraph(source: str, resumed: Resumed | None, width: int) -> Commit | None:
    """Commit the first part of a long paragraph; `source` may end in the middle of a line."""
    if len(source) < LONG_PARAGRAPH or not isinstance(resumed, ParagraphBegun | None):
        return None
    if resumed is None and _NO_PARAGRAPH.match(source):
        return None
    at = _seam(source)
    if at is None:
        return None
    blocks = parse((resumed.prefix if resumed else "") + source[:at])
    if len(blocks) != 1 or not isinstance(blocks[0].block, Paragraph):
        return None
    block = blocks[0].block
    lines = (resumed and resumed.lines(block, width)) or block_lines(block, width)
    if source[at] == "\n":
        return Commit(lines, at + 1, ParagraphBegun((), None, True))
    return Commit(lines[:-1], at, ParagraphBegun(lines[-1].runs, lines[-1].glue, False))


_NO_PARAGRAPH = re.compile(r"\s*(?:[-+*>#|`~]|\d+[.)])")
_SEAM = re.compile(r"\n(?=[^\s])|(?<=[^\s\\]) (?=\w)|(?<=[。！？；])(?=[\u4e00-\u9fff])")
_LONE_UNDERSCORE = re.compile(r"(?<![^\W_])_|_(?![^\W_])")
_KEPT_OPEN = 200
"""Characters at the end that stay open, so that the line being written is never split."""


def _seam(source: str) -> int | None:
    """Return the last position where the paragraph can be split without breaking markup."""
    last = len(source) - _KEPT_OPEN
    places = [match.start() for match in _SEAM.finditer(source, 0, last) if match.start() > _KEPT_OPEN]
    for place in reversed(places[-40:]):
        if _is_closed(source[:place]):
            return place
    if len(source) < ENDLESS_PARAGRAPH:
        return None
    if places:
        return places[-1]
    # A text this long without any seam is not prose, so split it anywhere, preferably between two letters.
    at = last
    while at > _KEPT_OPEN and not (source[at].isalnum() and source[at - 1].isalnum()):
        at -= 1
    return at if at > _KEPT_OPEN else last


def _is_closed(text: str) -> bool:
    return (
        all(text.count(mark) % 2 == 0 for mark in ("`", "*", "~", "$", "$$"))
        and text.count("[") == text.count("]")
        and text.count("\\(") == text.count("\\)")
        and len(_LONE_UNDERSCORE.findall(text)) % 2 == 0
    )


def start_of_line(source: str, line: int) -> int:
    """Return the offset of a line counted from 0, which is the length of the lines before it."""
    at = 0
    for _ in range(line):
        at = source.index("\n", at) + 1
    return at
