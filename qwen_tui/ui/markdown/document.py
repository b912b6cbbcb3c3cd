"""A whole Markdown text at once."""

from qwen_tui.ui.markdown.layout import layout
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.markdown.parse import parse


def render(source: str, width: int) -> list[Line]:
    """The lines of a Markdown text, `width` cells wide; empty for a text without blocks."""
    blocks, _ = parse(source)
    return layout([parsed.block for parsed in blocks], width)
