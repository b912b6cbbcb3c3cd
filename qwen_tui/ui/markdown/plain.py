"""Lay out text that is not Markdown: a person's messages, and a model's thinking while it streams."""

import itertools
import re

from qwen_tui.strings import say
from qwen_tui.ui.markdown.layout import fence_lines, label_lines
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import displayed

_FENCE = re.compile(
    r"^(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[ \t]*\n(?P<code>.*?)(?:^(?P=marks)[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)


MOST_LINES = 50_000
"""Lines of source that are shown; more are only counted."""


def plain_lines(text: str, width: int, ink: str = "") -> list[Line]:
    """Wrap a text as typed, keeping every space and line break."""
    lines: list[Line] = []
    for line in displayed(text).split("\n"):
        if len(line) <= width and line.isascii():
            kept = line.rstrip(" ")
            lines.append(Line(((kept, ink),)) if kept else BLANK)
        else:
            lines += wrap([(line, ink)], width)
    return lines


def bounded_lines(text: str, width: int) -> list[Line]:
    """Lay out a text of any length as typed; a huge one is cut, with a note on how much is missing."""
    ends = itertools.islice(re.finditer("\n", text), MOST_LINES - 1, MOST_LINES)
    end = next((match.start() for match in ends), None)
    if end is None:
        return plain_lines(text, width)
    return [*plain_lines(text[:end], width), *missing_lines(text.count("\n", end), width)]


def missing_lines(count: int, width: int) -> list[Line]:
    """Return the note that this many lines are not shown."""
    said = say("chat.more_lines", count=count)
    return [BLANK, *plain_lines(said, width, "muted")]


def typed_lines(text: str, width: int) -> list[Line]:
    """Lay out a person's message: plain text, but fenced code is shown as code."""
    if text.count("\n") > MOST_LINES:
        return bounded_lines(text, width)
    lines: list[Line] = []
    at = 0
    for match in _FENCE.finditer(text):
        before = text[at : match.start()].strip("\n")
        if before:
            lines += [*plain_lines(before, width), Line()]
        lines += label_lines(match["language"], width)
        lines += [*fence_lines(match["code"].removesuffix("\n"), match["language"], width), Line()]
        at = match.end()
    rest = text[at:].strip("\n") if at else text
    if rest or not lines:
        return [*lines, *plain_lines(rest, width)]
    return lines[:-1]


class PlainStream:
    """Plain text that grows: only its last line is wrapped again."""

    def __init__(self, width: int, ink: str = "") -> None:
        self.lines: list[Line] = []
        """All lines so far."""
        self._width = width
        self._ink = ink
        self._done = 0
        self._open = ""
        """The text of the last row, with its trailing spaces."""
        self._glue: str | None = None
        self._source_lines = 0

    def append(self, text: str) -> None:
        self._source_lines += text.count("\n")
        if self._source_lines > MOST_LINES:
            missing = missing_lines(self._source_lines - MOST_LINES, self._width)
            self.lines[self._done + 1 :] = missing
            return
        *closed, self._open = (self._open + displayed(text)).split("\n")
        for line in closed:
            self._wrap_last(line)
            self._done, self._glue = len(self.lines), None
        lines = self._wrap_last(self._open)
        self._done += len(lines) - 1
        self._glue = lines[-1].glue
        spaces = self._open[len(self._open.rstrip(" ")) :]
        self._open = lines[-1].text + ("" if lines[-1].text.endswith(" ") else spaces)

    def _wrap_last(self, line: str) -> list[Line]:
        """Lay out the last source line, replacing the rows that are not final."""
        lines = plain_lines(line, self._width, self._ink)
        lines[0] = lines[0]._replace(glue=self._glue)
        self.lines[self._done :] = lines
        return lines
