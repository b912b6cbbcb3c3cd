"""A whole Markdown text at once."""

from qwen_tui.ui.markdown.blocks import Block, Code, List, Quote
from qwen_tui.ui.markdown.layout import layout
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.markdown.parse import parse


def render(source: str, width: int) -> list[Line]:
    """The lines of a Markdown text, `width` cells wide; empty for a text without blocks."""
    return layout([parsed.block for parsed in parse(source)], width)


def code_blocks(source: str) -> list[Code]:
    """The code blocks of a text, in order, those inside lists and quotes too: to be copied or saved."""
    return [block for parsed in parse(source) for block in _code_in(parsed.block)]


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
