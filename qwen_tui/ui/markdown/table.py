"""Lay out tables: cells wrap, nothing is cut off, and columns are aligned by cell width, not by characters."""

from collections.abc import Sequence
from dataclasses import dataclass

from qwen_tui.ui.markdown.lines import Line, Run, add_run, inked
from qwen_tui.ui.markdown.parsing.blocks import Runs, Table
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import cells

_SEPARATOR = " │ "
_NARROWEST = 6
"""Minimum column width; if columns would have to be narrower, rows become records."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The widths of a table's columns, or None if the table is laid out as records."""

    widths: tuple[int, ...] | None
    head: tuple[Runs, ...]
    aligns: tuple[str, ...]


def columns(table: Table, width: int) -> Columns:
    """Choose the column widths: the natural ones, or fair shares of the available width."""
    wanted = [_natural(head) for head in table.head]
    for row in table.rows:
        wanted = [max(have, _natural(cell)) for have, cell in zip(wanted, row, strict=True)]
    room = width - len(_SEPARATOR) * (len(wanted) - 1)
    if sum(wanted) <= room:
        return Columns(tuple(wanted), table.head, table.aligns)
    if room < _NARROWEST * len(wanted):
        return Columns(None, table.head, table.aligns)
    return Columns(tuple(_shares(wanted, room)), table.head, table.aligns)


def table_lines(table: Table, width: int) -> list[Line]:
    """Lay out the whole table."""
    chosen = columns(table, width)
    lines, _ = row_lines(chosen, table.rows, width, None)
    return [*head_lines(chosen), *lines]


def head_lines(chosen: Columns) -> list[Line]:
    """Lay out the column names and the rule below them."""
    if chosen.widths is None:
        return []
    head = [tuple(inked(run, "strong") for run in cell) for cell in chosen.head]
    return [*_row(head, chosen.widths, chosen.aligns), _rule(chosen.widths, "─")]


def row_lines(
    chosen: Columns, rows: Sequence[tuple[Runs, ...]], width: int, above: bool | None
) -> tuple[list[Line], bool | None]:
    """Lay out rows in the chosen columns; return the lines, and whether the last row is a tall one.

    A tall row has more than one line, so rules separate it from its neighbours. `above` says whether the row
    above is tall; None if there is none.
    """
    result: list[Line] = []
    for row in rows:
        lines = (
            _record(chosen.head, row, width)
            if chosen.widths is None
            else _row(row, chosen.widths, chosen.aligns)
        )
        tall = len(lines) > 1
        if above is not None and (tall or above):
            result.append(Line() if chosen.widths is None else _rule(chosen.widths, "┄"))
        result.extend(lines)
        above = tall
    return result, above


def _natural(runs: Runs) -> int:
    text = "".join(text for text, _ in runs)
    return max((cells(line) for line in text.split("\n")), default=1) or 1


def _shares(wanted: list[int], room: int) -> list[int]:
    """Give columns that need less than an equal share what they need, and share out the rest by need."""
    open_columns = set(range(len(wanted)))
    shares = list(wanted)
    while open_columns:
        equal = room // len(open_columns)
        small = {column for column in open_columns if wanted[column] <= equal}
        if not small:
            break
        room -= sum(wanted[column] for column in small)
        open_columns -= small
    need = sum(wanted[column] for column in open_columns)
    spare = room - _NARROWEST * len(open_columns)
    for column in sorted(open_columns):
        shares[column] = _NARROWEST + spare * wanted[column] // need if need else _NARROWEST
    return shares


def _row(row: Sequence[Runs], widths: Sequence[int], aligns: Sequence[str]) -> list[Line]:
    wrapped = [wrap(cell, width) for cell, width in zip(row, widths, strict=True)]
    height = max((len(lines) for lines in wrapped), default=1)
    result: list[Line] = []
    for number in range(height):
        runs: list[Run] = []
        for column, (lines, width) in enumerate(zip(wrapped, widths, strict=True)):
            if column:
                runs.append((_SEPARATOR, "frame"))
            cell = lines[number].runs if number < len(lines) else ()
            runs.extend(_aligned(cell, width, aligns[column], last=column == len(widths) - 1))
        result.append(Line(tuple(runs)))
    return result


def _aligned(runs: Runs, width: int, align: str, last: bool) -> list[Run]:
    spare = max(0, width - sum(cells(text) for text, _ in runs))
    left = spare if align == "right" else spare // 2 if align == "center" else 0
    right = 0 if last else spare - left
    padded: list[Run] = []
    for text, ink in ((" " * left, ""), *runs, (" " * right, "")):
        add_run(padded, text, ink)
    return padded


def _rule(widths: Sequence[int], stroke: str) -> Line:
    joint = "─┼─" if stroke == "─" else f"{stroke}┼{stroke}"
    return Line(((joint.join(stroke * width for width in widths), "frame"),))


def _record(head: Sequence[Runs], row: Sequence[Runs], width: int) -> list[Line]:
    """Lay out a row of a table that is too wide: one line for each cell, after its column's name."""
    lines: list[Line] = []
    for name, cell in zip(head, row, strict=True):
        label = tuple(inked(run, "strong") for run in name)
        lines.extend(wrap((*label, (": ", "muted"), *cell), width))
    return lines
