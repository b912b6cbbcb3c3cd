"""A laid-out line: runs of text, each with an ink, and what copying needs to know about them.

An ink is the name of how text looks, free of any theme: words such as `strong` or `block keyword`, separated by
spaces. `Palette` turns inks into colours when a line is drawn, so a change of theme lays nothing out again.
"""

from collections.abc import Iterable
from typing import NamedTuple

Run = tuple[str, str]
"""Text and its ink; the empty ink is normal text."""


class Line(NamedTuple):
    """One row of a message."""

    runs: tuple[Run, ...] = ()
    prefix: int = 0
    """How many leading characters are decoration: bars, bullets, indentation."""
    copied_prefix: str = ""
    """What stands for that decoration when the line is copied."""
    glue: str | None = None
    """None where a line begins; for the rest of a wrapped line, what the wrap took out (a space or nothing)."""
    fill: str = ""
    """The ink of the cells right of the text."""

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.runs)


BLANK = Line()


def prefixed(lines: Iterable[Line], first: Run, rest: Run, copied_first: str, copied_rest: str) -> list[Line]:
    """The lines behind a decoration: `first` before the first line, `rest` before the others."""
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
    """Put text behind runs: into the last one, where that has the same ink."""
    if runs and runs[-1][1] == ink:
        runs[-1] = (runs[-1][0] + text, ink)
    elif text:
        runs.append((text, ink))


def inked(run: Run, ink: str) -> Run:
    """The run with one more word of ink."""
    text, own = run
    return (text, f"{own} {ink}" if own else ink)
