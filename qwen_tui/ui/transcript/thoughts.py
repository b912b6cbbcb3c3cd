"""The thinking of a reply: visible while it streams, folded afterwards."""

import time

from qwen_tui.strings import say
from qwen_tui.ui.markdown.lines import BLANK, Line, prefixed
from qwen_tui.ui.markdown.plain import PlainStream, plain_lines
from qwen_tui.wording.units import tokens_in_words

ROWS_SHOWN = 6
"""Rows of thinking shown while it streams."""


class Thoughts:
    """The thinking of one message, as text and as rows."""

    def __init__(self, text: str = "") -> None:
        self.text = text
        self.is_running = False
        """The model is thinking; the answer has not begun."""
        self.is_unfolded = False
        self._tokens = 0
        self._seconds = 0.0
        """Tokens and seconds; both 0 if they were not measured."""
        self._since = 0.0
        self._stream: PlainStream | None = None
        self._lines: list[Line] | None = None
        self._width = 0

    def append(self, text: str, tokens: int) -> None:
        if not self.is_running:
            self.is_running = True
            self._since = time.monotonic()
        self.text += text
        self._tokens += tokens
        if self._stream is not None:
            self._stream.append(text)

    def end(self) -> None:
        if self.is_running:
            self.is_running = False
            self._seconds = time.monotonic() - self._since
            self._stream = None

    def resume(self) -> None:
        self.is_running = True
        self._since = time.monotonic() - self._seconds

    def replace(self, text: str) -> None:
        """Show the stored text; without any, the figures are reset."""
        self.end()
        self.text, self._lines = text, None
        if not text:
            self._tokens, self._seconds, self.is_unfolded = 0, 0.0, False

    def rows(self, width: int) -> list[Line]:
        """Return the rows: the last ones while it streams, one row afterwards, all of them if unfolded."""
        if not self.text:
            return []
        if width != self._width:
            self._width, self._stream, self._lines = width, None, None
        if self.is_running:
            lines = self._running(width - 2)
            return [self._fold_row("▾"), *_quoted(lines if self.is_unfolded else lines[-ROWS_SHOWN:])]
        if not self.is_unfolded:
            return [self._fold_row("▸"), BLANK]
        if self._lines is None:
            self._lines = plain_lines(self.text.strip("\n"), width - 2, "muted")
        return [self._fold_row("▾"), *_quoted(self._lines), BLANK]

    def _running(self, width: int) -> list[Line]:
        if self._stream is None:
            self._stream = PlainStream(width, "muted")
            self._stream.append(self.text)
        return self._stream.lines

    def _fold_row(self, mark: str) -> Line:
        seconds = self._seconds
        tokens = tokens_in_words(self._tokens) if self._tokens else ""
        if self.is_running:
            title = say("chat.thinking.progress", tokens=tokens) if tokens else say("chat.thinking")
        elif tokens:
            said = f"{seconds:.0f}" if seconds >= 10 else f"{seconds:.1f}"
            title = say("chat.thought.measured", seconds=said, tokens=tokens)
        else:
            title = say("chat.thought")
        return Line(((f"{mark} {title}", "muted"),))


def _quoted(lines: list[Line]) -> list[Line]:
    return prefixed(lines, ("│ ", "bar"), ("│ ", "bar"), "", "")
