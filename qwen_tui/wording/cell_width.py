"""Make text safe to display, and measure its width in cells.

Terminals disagree about U+FE0F (two cells here, one in tmux) and about skin tones (two or four), so both are
removed from displayed text (and by the driver from everything else that is written); the stored text keeps
them. rich counts spacing marks, such as the vowels of कि and কো, as nothing. Terminals follow `wcwidth`, where
they have a cell of their own, so rich's table is replaced: Textual measures with it too.
"""

import functools
import re
import unicodedata

from rich import cells as rich_cells
from rich.cells import CellTable, cell_len

from qwen_tui.chat.names import clusters

_UNSHOWN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufe0f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U0001f3fb-\U0001f3ff\U000e0000-\U000e007f]"
)
RESTYLING = "".join(("\ufe0f", *map(chr, range(0x1F3FB, 0x1F400))))
"""Marks that only change the look of an emoji: U+FE0F and skin tones."""

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


_table_of_rich = rich_cells.load_cell_table  # type: ignore[attr-defined]


@functools.cache
def terminal_table(version: str = "auto") -> CellTable:
    """Return rich's table of character widths as terminals have it; only zero and double width are listed."""
    table = _table_of_rich(version)
    widths: list[tuple[int, int, int]] = []
    for start, end, width in table.widths:
        if width:
            widths.append((start, end, width))
            continue
        for code in range(start, end + 1):
            if (size := _mark_width(chr(code))) == 1:
                continue
            if widths and widths[-1][1:] == (code - 1, size):
                widths[-1] = (widths[-1][0], code, size)
            else:
                widths.append((code, code, size))
    return CellTable(table.unicode_version, widths, frozenset())


def _mark_width(mark: str) -> int:
    if unicodedata.category(mark) != "Mc":
        return 0
    return 2 if unicodedata.east_asian_width(mark) == "W" else 1


rich_cells.load_cell_table = terminal_table  # type: ignore[attr-defined]
for _measured in (rich_cells.cached_cell_len, rich_cells.get_character_cell_size):
    _measured.cache_clear()
