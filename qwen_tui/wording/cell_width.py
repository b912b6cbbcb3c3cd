"""Make text safe to display, and measure its width in cells.

Terminals disagree about U+FE0F (two cells here, one in tmux) and about skin tones (two or four), so both are
removed from displayed text; the stored text keeps them.
"""

import re

from rich.cells import cell_len

from qwen_tui.chat.names import clusters

_UNSHOWN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufe0f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U0001f3fb-\U0001f3ff\U000e0000-\U000e007f]"
)
TAB_SIZE = 4


def displayed(text: str) -> str:
    """Remove everything that terminals obey or measure differently; newlines stay."""
    if text.isascii() and text.isprintable():
        return text
    if "\t" in text:
        text = text.expandtabs(TAB_SIZE)
    return _UNSHOWN.sub("", text)


def cells(text: str) -> int:
    """Return the width in cells of a displayed text without newlines."""
    return len(text) if text.isascii() else cell_len(text)


def padded_left(text: str, width: int) -> str:
    """The text at the right of `width` cells."""
    return " " * (width - cells(text)) + text


def cropped(text: str, width: int) -> str:
    """Cut the text to `width` cells, with an ellipsis if something was lost."""
    if cells(text) <= width:
        return text
    kept, used = "", 0
    for cluster in clusters(text):
        used += cells(cluster)
        if used > width - 1:
            break
        kept += cluster
    return kept + "…" if width > 0 else ""
