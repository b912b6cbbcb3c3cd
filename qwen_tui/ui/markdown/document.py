"""Render a complete Markdown text.

Sizes beyond what a model writes are bounded: only the start of a huge text is parsed as Markdown, the rest is
shown as typed, and beyond another limit lines are only counted. Otherwise one such message would block every
key for seconds.
"""

import itertools
import re

from qwen_tui.ui.markdown.layout import layout
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.parsing.blocks import Block, Code, List, Quote
from qwen_tui.ui.markdown.parsing.parse import parse
from qwen_tui.ui.markdown.plain import bounded_lines

MOST_LINES = 8_000
MOST_CHARACTERS = 200_000
"""Limits on the source parsed as Markdown. No reply within a context window of 32,768 tokens is longer."""


def render(source: str, width: int) -> list[Line]:
    """Render a Markdown text to lines of `width` cells; empty if the text has no blocks."""
    head, rest = parted(source)
    lines = layout([parsed.block for parsed in parse(head)], width)
    return [*lines, BLANK, *bounded_lines(rest, width)] if rest else lines


def code_blocks(source: str) -> list[Code]:
    """Return the code blocks of a text in order, including those in lists and quotes, for copying and saving."""
    return [block for parsed in parse(parted(source)[0]) for block in _code_in(parsed.block)]


def parted(source: str) -> tuple[str, str]:
    """Split a text into the part parsed as Markdown and the rest, between two lines if possible."""
    if len(source) <= MOST_CHARACTERS and source.count("\n") <= MOST_LINES:
        return source, ""
    end = source.rfind("\n", 0, MOST_CHARACTERS)
    if end < 0:  # one endless line: split anywhere
        return source[:MOST_CHARACTERS], source[MOST_CHARACTERS:]
    many = next(itertools.islice(_LINE_END.finditer(source, 0, end), MOST_LINES - 1, None), None)
    end = many.start() if many is not None else end
    return source[:end], source[end + 1 :]


_LINE_END = re.compile("\n")


def _code_in(block: Block) -> list[Code]:
    match block:
        case Code():
            return [block]
        case Quote(blocks):
            inside = blocks
        case List(items):
            inside = tuple(placed for item in items for placed in item.blocks)
        case _:
            return []
    return [code for placed in inside for code in _code_in(placed.block)]
