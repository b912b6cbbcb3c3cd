"""Turn cells of a terminal into a picture. Needs Pillow, and the fonts Fira Code, DejaVu Sans Mono and Noto CJK."""

import re
from collections.abc import Sequence
from functools import cache

from PIL import Image, ImageDraw, ImageFont
from pyte.screens import Char

Cells = Sequence[Sequence[Char]]
"""A screen, row by row. The right half of a wide character has no text."""

CELL = (10, 21)
"""Width and height of a cell in pixels."""
MARGIN = 12
"""Pixels around the screen."""
BACKGROUND, FOREGROUND = "#121317", "#d8dadf"
FONT = "/usr/share/fonts/truetype/firacode/FiraCode-{weight}.ttf"
SIGNS_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf"
SIGNS = "▰▱▴⏎"
"""What Fira Code lacks."""
CJK_FONT = "/usr/share/fonts/opentype/noto/NotoSansCJK-{weight}.ttc"
MONO_CJK_INDEX = 7
"""Noto Sans Mono CJK SC within the collection."""
BLOCKS = {"█": 8, "▉": 7, "▊": 6, "▋": 5, "▌": 4, "▍": 3, "▎": 2, "▏": 1}
"""Left blocks, and how many eighths of the cell they fill."""
NAMED = {
    "black": "#1c1d21", "red": "#d0605e", "green": "#79a978", "brown": "#c9a35c", "blue": "#6a94c9",
    "magenta": "#a982b8", "cyan": "#6aa9ac", "white": "#d8dadf",
}  # fmt: skip


def paint(cells: Cells) -> Image.Image:
    """The screen as a picture; a wide character covers two cells."""
    width, height = CELL
    size = (len(cells[0]) * width + 2 * MARGIN, len(cells) * height + 2 * MARGIN)
    image = Image.new("RGB", size, BACKGROUND)
    draw = ImageDraw.Draw(image)
    for y, row in enumerate(cells):
        for x, cell in enumerate(row):
            if cell.data:
                wide = x + 1 < len(row) and row[x + 1].data == ""
                _paint_cell(draw, cell, MARGIN + x * width, MARGIN + y * height, wide=wide)
    return image


def _paint_cell(draw: ImageDraw.ImageDraw, cell: Char, x: int, y: int, *, wide: bool) -> None:
    width, height = CELL[0] * (2 if wide else 1), CELL[1]
    foreground, background = _colour(cell.fg, FOREGROUND), _colour(cell.bg, BACKGROUND)
    if cell.reverse:
        foreground, background = background, foreground
    draw.rectangle((x, y, x + width - 1, y + height - 1), fill=background)
    if cell.data in BLOCKS:  # drawn, so that they meet without gaps
        draw.rectangle((x, y, x + width * BLOCKS[cell.data] // 8 - 1, y + height - 1), fill=foreground)
    elif cell.data.strip():
        kind = "cjk" if wide or ord(cell.data[0]) > 0x2E7F else "signs" if cell.data in SIGNS else "latin"
        left, anchor = (x + width // 2, "ms") if wide else (x, "ls")
        draw.text((left, y + 16), cell.data, font=_font(kind, cell.bold), fill=foreground, anchor=anchor)
    if cell.underscore:
        draw.line((x, y + height - 3, x + width - 1, y + height - 3), fill=foreground)


@cache
def _font(kind: str, bold: bool) -> ImageFont.FreeTypeFont:
    weight = "Bold" if bold else "Regular"
    if kind == "cjk":
        return ImageFont.truetype(CJK_FONT.format(weight=weight), 17, index=MONO_CJK_INDEX)
    if kind == "signs":
        return ImageFont.truetype(SIGNS_FONT, 15)
    return ImageFont.truetype(FONT.format(weight=weight), 16)


def _colour(name: str, otherwise: str) -> str:
    if name == "default":
        return otherwise
    return NAMED.get(name) or (f"#{name}" if re.fullmatch("[0-9a-fA-F]{6}", name) else otherwise)
