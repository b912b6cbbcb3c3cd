"""The rows of one message at a given width, finished or streaming; `MessageView` draws them."""

from collections.abc import Mapping, Sequence

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.message_text import author_of
from qwen_tui.chat.messages import Json, Message, Role
from qwen_tui.engine.trace import TokenTrace
from qwen_tui.settings.since import changed_since
from qwen_tui.strings import say
from qwen_tui.ui.markdown.document import render
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.plain import typed_lines
from qwen_tui.ui.markdown.streaming.stream import Stream
from qwen_tui.ui.transcript.message_lines import (
    AuthorRow,
    author_row,
    closing_rows,
    heat_lines,
    progress_rows,
    receipt_text,
)
from qwen_tui.ui.transcript.thoughts import Thoughts

GROWTH = 4
"""Step, in rows, by which a growing message gets taller: each new height scrolls and so resends the whole log."""


class MessageRows:
    """The layout of a message; methods that change it return the first row to redraw."""

    def __init__(
        self, message: Message, name: str, *, streaming: bool = False, waiting: bool = False
    ) -> None:
        self.message = message
        """The message as stored; while it streams, as it was when streaming began (see `content`)."""
        self.is_streaming = streaming
        """More text may come."""
        self.is_waiting = waiting
        """It waits for its turn."""
        self.is_reading = streaming
        """The model is reading the prompt and has not generated anything."""
        self.thoughts = Thoughts(message.thinking)
        self.heat: Sequence[TokenTrace | None] = ()
        """How its tokens were chosen, to color them by it instead of showing the text; empty shows the text."""
        self.lines: list[Line] = []
        """Empty until the width is known."""
        self._name = name
        self._variant: Variant | None = None
        self._now: Mapping[str, Json] = {}
        self.author = AuthorRow(BLANK)
        self._progress = (0, 0)
        self._text = [message.content]
        self._stream: Stream | None = None
        self._width = 0
        self._text_at = 0
        """The row where the text begins."""

    @property
    def content(self) -> str:
        self._text = ["".join(self._text)]
        return self._text[0]

    @property
    def height(self) -> int:
        """The number of rows it requests; while streaming, in steps of `GROWTH`."""
        count = len(self.lines)
        return -(-count // GROWTH) * GROWTH if self.is_streaming else count

    def lay_out(self, width: int) -> None:
        if width != self._width:
            self._width = width
            self._compose()

    def append_thinking(self, text: str, tokens: int) -> int:
        self.is_reading = False
        self.thoughts.append(text, tokens)
        return self._compose()

    def append_text(self, text: str) -> int:
        stream = None if self.is_reading or self.thoughts.is_running else self._stream
        self.is_reading = False
        self.thoughts.end()
        self._text.append(text)
        if stream is None:
            return self._compose()
        last, at = len(self.lines) - 1, self._text_at
        changed = at + stream.append(text)
        self.lines = [*self.lines[:at], *stream.lines]
        return min(changed, last)  # always redraw the row that had the cursor

    def show_progress(self, done: int, total: int) -> int:
        self._progress = (done, total)
        self.is_waiting = False
        return self._compose()

    def set_author(self, name: str, variant: Variant | None, now: Mapping[str, Json]) -> bool:
        if (name, variant, now) == (self._name, self._variant, self._now):
            return False
        self._name, self._variant, self._now = name, variant, now
        if self._width:
            self.lines = [self._author_line(), *self.lines[1:]]
        return True

    def show_heat(self, heat: Sequence[TokenTrace | None]) -> bool:
        """Color the tokens by how likely they were from the next `finish` on; return whether that is a change."""
        is_other = len(heat) != len(self.heat)
        self.heat = heat
        return is_other and not self.is_streaming

    def resume(self) -> int:
        if self.thoughts.text and not self.content:
            self.thoughts.resume()
        self._progress = (0, 0)
        self.is_reading = self.is_streaming = True
        return self._compose()

    def finish(self, message: Message) -> int:
        self.message = message
        self._text = [message.content]
        self.thoughts.replace(message.thinking)
        self.is_reading = self.is_streaming = self.is_waiting = False
        return self._compose()

    def toggle_thoughts(self) -> int:
        self.thoughts.is_unfolded = not self.thoughts.is_unfolded
        return self._compose()

    def _compose(self) -> int:
        self._stream = None
        if self._width:
            above = [self._author_line(), *self.thoughts.rows(self._width)]
            self._text_at = len(above)
            self.lines = [*above, *self._body(), *self._rows_below()]
        return 0

    def _author_line(self) -> Line:
        notes = [say("chat.edited")] if self.message.edited else []
        if self.is_waiting:
            notes.append(say("chat.waiting"))
        if changed_since(self.message, self._now) and not self.is_streaming:
            notes.append(say("chat.other_values"))
        name, role = author_of(self.message, self._name), self.message.role
        figures = ""
        if self.message.receipt and not self.is_streaming:
            figures = receipt_text(self.message.receipt, self._width - max(16, self._width // 3))
        self.author = author_row(name, role, self._width, variant=self._variant, notes=notes, figures=figures)
        return self.author.line

    def _body(self) -> list[Line]:
        content = self.content
        if self.is_streaming:
            self._stream = Stream(self._width)
            self._stream.append(content)
            return self._stream.lines
        if self.heat:
            return heat_lines(self.heat, self._width)
        if self.message.role is Role.USER:
            return typed_lines(content, self._width)
        return render(content, self._width)

    def _rows_below(self) -> list[Line]:
        if not self.is_streaming:
            rows = closing_rows(self.message, self._width)
        elif self.is_reading and not self.is_waiting:
            rows = progress_rows(*self._progress)
        else:
            return []
        return [BLANK, *rows] if rows and (self.content or self.thoughts.is_running) else rows
