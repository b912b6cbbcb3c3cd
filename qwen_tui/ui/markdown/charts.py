"""Small charts made of characters: bars, sparklines, columns next to each other."""

from collections.abc import Sequence

from qwen_tui.ui.markdown.lines import BLANK, Line, Run
from qwen_tui.wording.cell_width import cells, cropped

_STEPS = "▁▂▃▄▅▆▇█"

FULL_BITS = 6.0
"""Entropy of a full column, at least: a reply that was sure should not look uncertain."""


def bar(share: float, width: int) -> str:
    """Return a bar of `share` (0 to 1) of `width` cells; what is above 0 is at least half a cell."""
    halves = round(min(max(share, 0.0), 1.0) * width * 2)
    full, half = divmod(max(1, halves) if share > 0 else 0, 2)
    return "━" * full + "╸" * half


def sparkline(values: Sequence[float], width: int, top: float | None = None) -> str:
    """Return values as a row of columns; if there are more than `width`, each column is the largest of its share.

    `top` is the value of a full column; by default the largest.
    """
    if not values or width < 1:
        return ""
    count = min(len(values), width)
    largest = [
        max(
            values[
                len(values) * n // count : max(len(values) * (n + 1) // count, len(values) * n // count + 1)
            ]
        )
        for n in range(count)
    ]
    full = top if top is not None else max(largest)
    if full <= 0:
        return _STEPS[0] * count
    return "".join(_STEPS[min(len(_STEPS) - 1, int(value / full * len(_STEPS)))] for value in largest)


def column_of(index: int, count: int, width: int) -> int:
    """Return the column of a sparkline in which the value at `index` is counted."""
    shown = min(count, width)
    return next(n for n in range(shown) if index < max(count * (n + 1) // shown, count * n // shown + 1))


def padded(text: str, width: int) -> str:
    """Return a text of exactly `width` cells, cut with an ellipsis if it is longer."""
    text = cropped(text, width)
    return text + " " * (width - cells(text))


def percent(share: float) -> str:
    """Return a probability as a percentage of five cells or less: `57 %`, `0.4 %`, `<0.1%`."""
    if 0 < share < 0.0005:
        return "<0.1%"
    hundredths = share * 100
    return f"{hundredths:.0f} %" if hundredths >= 9.95 or share == 0 else f"{hundredths:.1f} %"


def beside(left: Sequence[Line], right: Sequence[Line], left_width: int, gap: int = 2) -> list[Line]:
    """Put rows next to other rows; the left ones take `left_width` cells."""
    rows: list[Line] = []
    for number in range(max(len(left), len(right))):
        first = left[number] if number < len(left) else BLANK
        second = right[number] if number < len(right) else BLANK
        spare: Run = (" " * (left_width + gap - sum(cells(text) for text, _ in first.runs)), "")
        rows.append(Line((*first.runs, spare, *second.runs)) if second.runs else first)
    return rows
