"""Laid-out lines: runs of text, each with an ink, and what copying needs to know about them.

An ink names the look of a text independently of the theme: words such as `strong` or `block keyword`,
separated by spaces. `Palette` turns inks into colours when a line is drawn, so a theme change needs no new
layout.
"""

from collections.abc import Iterable
from typing import NamedTuple

Run = tuple[str, str]
"""Text and its ink; the empty ink is normal text."""


class Line(NamedTuple):
    """One row of a message."""

    runs: tuple[Run, ...] = ()
    prefix: int = 0
    """Number of leading characters that are decoration: bars, bullets, indentation."""
    copied_prefix: str = ""
    """Replaces that decoration when the line is copied."""
    glue: str | None = None
    """None at the start of a line; in a continuation, what the wrap removed (a space or nothing)."""
    fill: str = ""
    """The ink of the cells to the right of the text."""

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.runs)


BLANK = Line()


def prefixed(lines: Iterable[Line], first: Run, rest: Run, copied_first: str, copied_rest: str) -> list[Line]:
    """Put a decoration before lines: `first` before the first line, `rest` before the others."""
    result: list[Line] = []
    mark, copied = first, copied_first
    for line in lines:
        runs = line.runs
        if runs and mark[0] and runs[0][1] == mark[1]:
            runs = ((mark[0] + runs[0][0], mark[1]), *runs[1:])  # many levels of bars are one run
        elif mark[0]:
            runs = (mark, *runs)
        result.append(
            Line(runs, line.prefix + len(mark[0]), copied + line.copied_prefix, line.glue, line.fill)
        )
        mark, copied = rest, copied_rest
    return result


def add_run(runs: list[Run], text: str, ink: str) -> None:
    """Append text to runs, merging it into the last run if that has the same ink."""
    if runs and runs[-1][1] == ink:
        runs[-1] = (runs[-1][0] + text, ink)
    elif text:
        runs.append((text, ink))


def inked(run: Run, ink: str) -> Run:
    """Add a word to the ink of a run."""
    text, own = run
    return (text, f"{own} {ink}" if own else ink)
