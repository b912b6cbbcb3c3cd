"""Text that is no Markdown: a person's own message, and a model's thoughts while they come."""

import re

from qwen_tui.ui.markdown.layout import fence_lines, label_lines
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.markdown.width import displayed
from qwen_tui.ui.markdown.wrap import wrap

_FENCE = re.compile(
    r"^(?P<marks>`{3,}|~{3,})[ \t]*(?P<language>[\w+#.-]*)[ \t]*\n(?P<code>.*?)(?:^(?P=marks)[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)


def plain_lines(text: str, width: int, ink: str = "") -> list[Line]:
    """The text as it was typed, wrapped; every space and line break stays."""
    return wrap([(displayed(text), ink)], width)


def typed_lines(text: str, width: int) -> list[Line]:
    """A person's message: plain text, but what stands between fences is shown as code."""
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
    """Plain text that grows: only the line being written is wrapped again."""

    def __init__(self, width: int, ink: str = "") -> None:
        self.lines: list[Line] = []
        """What is seen so far."""
        self._width = width
        self._ink = ink
        self._done = 0
        self._open = ""
        """The text of the last row, with the spaces that it ends with."""
        self._glue: str | None = None

    def append(self, text: str) -> None:
        """Add text to the end."""
        self._open += displayed(text)
        lines = wrap([(self._open, self._ink)], self._width)
        lines[0] = lines[0]._replace(glue=self._glue)
        self.lines[self._done :] = lines
        self._done = len(self.lines) - 1
        self._glue = lines[-1].glue
        spaces = self._open[len(self._open.rstrip(" ")) :]
        self._open = lines[-1].text + ("" if lines[-1].text.endswith(" ") else spaces)
