"""A whole Markdown text at once.

What no model writes is bounded: of a huge text only the beginning is read as Markdown, the rest is shown as it is
written, and beyond that only how much there is. Otherwise one such message would hold up every key for seconds.
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
"""Of source that is read as Markdown. No reply within a context window of 32,768 tokens is longer."""


def render(source: str, width: int) -> list[Line]:
    """The lines of a Markdown text, `width` cells wide; empty for a text without blocks."""
    head, rest = parted(source)
    lines = layout([parsed.block for parsed in parse(head)], width)
    return [*lines, BLANK, *bounded_lines(rest, width)] if rest else lines


def code_blocks(source: str) -> list[Code]:
    """The code blocks of a text, in order, those inside lists and quotes too: to be copied or saved."""
    return [block for parsed in parse(parted(source)[0]) for block in _code_in(parsed.block)]


def parted(source: str) -> tuple[str, str]:
    """What is read as Markdown, and what is too much; parted between two lines where there are lines."""
    if len(source) <= MOST_CHARACTERS and source.count("\n") <= MOST_LINES:
        return source, ""
    end = source.rfind("\n", 0, MOST_CHARACTERS)
    if end < 0:  # one endless line: any place will do
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
