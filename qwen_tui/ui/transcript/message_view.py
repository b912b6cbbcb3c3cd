"""One message of the log: one widget that draws its own lines.

    view = MessageView(message, "Qwen2.5-7B-Instruct")   # streaming=True for a reply that is about to come
    view.show_progress(512, 1204)                        # the model reads the prompt
    view.append_thinking(text, tokens=3); view.append_text(text)
    view.finish(message)                                 # exact from here on
    view.resume()                                        # it goes on: append and finish as above

States are classes: `-user`, `-assistant`, `-system`, `-dimmed`, `-streaming`, `-waiting`, `-failed`, `-focused`.
"""

import time
from dataclasses import replace

from textual import events
from textual.message import Message as Posted

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.messages import Message, Role
from qwen_tui.strings import say
from qwen_tui.ui.markdown.document import render
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.plain import PlainStream, plain_lines, typed_lines
from qwen_tui.ui.markdown.streaming.stream import Stream
from qwen_tui.ui.transcript.message_lines import (
    AuthorRow,
    Thoughts,
    author_of,
    author_row,
    closing_rows,
    progress_rows,
    thought_rows,
)
from qwen_tui.ui.widgets.line_view import LinesView
from qwen_tui.wording.cell_width import cells

GROWTH = 4
"""Rows by which a growing message gets taller: each new height scrolls, and so resends, the whole log."""

WIDEST = 120
"""Cells; longer lines are hard to read, however wide the terminal is."""

_CURSOR = "▌"


class MessageView(LinesView):
    """A message: author, thoughts, text, and the small print."""

    DEFAULT_CSS = """
    MessageView {
        height: auto;
        margin: 1 0 0 0;
        padding: 0 2 0 1;
        border-left: outer $foreground 12%;
        &.-user { border-left: outer $accent; }
        &.-system { border-left: outer $foreground 12%; }
        &.-failed { border-left: outer $error; }
        &.-dimmed { border-left: outer $foreground 8%; }
        &.-focused { background: $foreground 6%; }
        &:ansi { border-left: outer ansi_bright_black; }
        &:ansi.-user { border-left: outer $accent; }
        &:ansi.-failed { border-left: outer $error; }
        &:ansi.-focused { border-left: thick $accent; }
    }
    """

    class Picked(Posted):
        """The person clicked on a message."""

        def __init__(self, view: "MessageView") -> None:
            super().__init__()
            self.view = view

    class VariantPicked(Posted):
        """The person clicked on an arrow of `‹ 2 / 3 ›`; `step` is -1 or 1."""

        def __init__(self, view: "MessageView", step: int) -> None:
            super().__init__()
            self.view = view
            self.step = step

    def __init__(
        self, message: Message, name: str = "", *, streaming: bool = False, waiting: bool = False
    ) -> None:
        """`name` is shown for a reply that does not tell its model; `streaming` when its text is still to come."""
        super().__init__(classes=f"-{message.role.value}")
        self.message = message
        """As stored; while it streams, as it was when streaming began (see `content`)."""
        self._assistant = name
        self._variant: Variant | None = None
        self._author = AuthorRow(BLANK)
        self._width = 0
        self._progress = (0, 0)
        self._is_reading = streaming
        """The model reads the prompt; nothing of what it writes has come yet."""
        self._stream: Stream | None = None
        self._thinking: PlainStream | None = None
        self._thoughts = Thoughts(text=message.thinking)
        self._thinking_since = 0.0
        self._body_at = 0
        """The row where the text begins."""
        self._thought_row: int | None = None
        """The row that folds and unfolds the thoughts."""
        self._text: list[str] = [message.content]
        self.set_class(streaming, "-streaming")
        self.set_class(waiting, "-waiting")
        self.set_class(message.error is not None, "-failed")

    @property
    def is_streaming(self) -> bool:
        """Whether more text may come."""
        return self.has_class("-streaming")

    @property
    def is_waiting(self) -> bool:
        """Whether it waits for its turn."""
        return self.has_class("-waiting")

    @property
    def content(self) -> str:
        """The message's text so far, as Markdown source."""
        self._text = ["".join(self._text)]
        return self._text[0]

    @property
    def has_thoughts(self) -> bool:
        """Whether there is thinking to unfold."""
        return bool(self._thoughts.text)

    def append_thinking(self, text: str, tokens: int = 1) -> None:
        """The model thinks on; `tokens` is how many generated tokens the text stands for."""
        if not text:
            return
        self._is_reading = False
        if not self._thoughts.running:
            self._thinking_since = time.monotonic()
        self._thoughts = replace(
            self._thoughts,
            text=self._thoughts.text + text,
            running=True,
            tokens=self._thoughts.tokens + tokens,
        )
        if self._width:
            if self._thinking is None:
                self._thinking = PlainStream(self._width - 2, "muted")
            self._thinking.append(text)
            self._thoughts = replace(self._thoughts, lines=self._thinking.lines)
        self._show_from(0)

    def append_text(self, text: str) -> None:
        """The answer goes on."""
        if not text:
            return
        self._is_reading = False
        self._text.append(text)
        before = 0
        if self._thoughts.running:
            self._end_thinking()
        elif len(self._text) > 2 or self._text[0]:
            before = self._body_at
        if self._width:
            self._grow(text, before)

    def show_progress(self, done: int, total: int) -> None:
        """How much of the prompt the model has read, in tokens."""
        self._progress = (done, total)
        self.set_waiting(False)
        if self._is_reading:
            self._show_from(0)

    def set_name(self, name: str) -> None:
        """Call the assistant something else."""
        if name != self._assistant:
            self._assistant = name
            self._show_author()

    def set_variant(self, variant: Variant | None) -> None:
        """Which variant of the message it is; None when it is the only one."""
        if variant != self._variant:
            self._variant = variant
            self._show_author()

    def set_waiting(self, waiting: bool) -> None:
        """Whether it waits for its turn (a queued message, or a reply that has not begun)."""
        if waiting is not self.has_class("-waiting"):
            self.set_class(waiting, "-waiting")
            self._show_from(0)

    def set_dimmed(self, dimmed: bool) -> None:
        """Whether the model no longer sees it."""
        self.set_class(dimmed, "-dimmed")

    def resume(self) -> None:
        """The reply goes on where it ended: what is appended now follows what is there."""
        thoughts = self._thoughts
        if thoughts.text and not self.content:
            self._thinking_since = time.monotonic() - thoughts.seconds
            self._thoughts = replace(thoughts, running=True, lines=())
        self._stream = self._thinking = None
        self._progress = (0, 0)
        self._is_reading = True
        self.set_class(True, "-streaming")
        self.set_class(False, "-failed")
        self._lay_out_again()

    def finish(self, message: Message) -> None:
        """Show the message as it was stored; it is exact from now on."""
        if self._thoughts.running:
            self._end_thinking()
        measured = self._thoughts if message.thinking else Thoughts()
        self.message = message
        self._text = [message.content]
        self._stream = self._thinking = None
        self._thoughts = replace(measured, text=message.thinking, lines=())
        self._is_reading = False
        self.set_class(False, "-streaming")
        self.set_class(False, "-waiting")
        self.set_class(message.error is not None, "-failed")
        self._lay_out_again()

    def toggle_thinking(self) -> None:
        """Unfold the thoughts, or fold them again."""
        if self.has_thoughts:
            self._thoughts = replace(self._thoughts, unfolded=not self._thoughts.unfolded)
            self._lay_out_again()

    def on_click(self, event: events.Click) -> None:
        """A click picks the message; on the line of the thoughts it folds or unfolds them."""
        event.stop()
        self.post_message(self.Picked(self))
        row, column = event.y - self.gutter.top, event.x - self.gutter.left
        if row == 0 and (step := self._author.step_at(column)):
            self.post_message(self.VariantPicked(self, step))
        elif row == self._thought_row:
            self.toggle_thinking()

    # --- Layout ---

    @property
    def rows_height(self) -> int:
        """The rows; while streaming, in steps."""
        count = len(self.rows)
        return -(-count // GROWTH) * GROWTH if self.is_streaming else count

    def lay_out(self, width: int) -> None:
        """Lay the message out for a width, unless it is."""
        width = max(8, min(width, WIDEST))
        if width == self._width:
            return
        self._width = width
        self._stream = self._thinking = None
        self._thoughts = replace(self._thoughts, lines=())
        self._compose_rows()

    def row_at(self, y: int) -> Line:
        """A row as it is drawn: the last one of a growing text ends with a cursor."""
        line = super().row_at(y)
        if y != len(self.rows) - 1 or not self.is_streaming or self._is_reading or not self.content:
            return line
        room = self.content_size.width - sum(cells(text) for text, _ in line.runs)
        cursor = (_CURSOR, f"{line.fill} cursor")
        return line._replace(runs=(*line.runs, cursor)) if room > 0 else line

    def _lay_out_again(self) -> None:
        if self._width:
            self._compose_rows()
        self.refresh(layout=True)

    def _compose_rows(self) -> None:
        """All rows anew."""
        above = self._rows_above()
        self._body_at = len(above)
        self.rows = [*above, *self._body(), *self._rows_below()]

    def _rows_above(self) -> list[Line]:
        self._thought_row = 1 if self.has_thoughts else None
        return [self._author_line(), *thought_rows(self._laid_thoughts(), self._width)]

    def _author_line(self) -> Line:
        notes = [say("chat.edited")] if self.message.edited else []
        if self.is_waiting:
            notes.append(say("chat.waiting"))
        name, role = author_of(self.message, self._assistant), self.message.role
        self._author = author_row(name, role, self._width, variant=self._variant, notes=notes)
        return self._author.line

    def _show_author(self) -> None:
        """Draw only the first row again."""
        if self._width:
            self.rows = [self._author_line(), *self.rows[1:]]
            self.repaint_from(0, 1)

    def _laid_thoughts(self) -> Thoughts:
        thoughts = self._thoughts
        if thoughts.text and not thoughts.lines and (thoughts.unfolded or thoughts.running):
            if thoughts.running:
                self._thinking = PlainStream(self._width - 2, "muted")
                self._thinking.append(thoughts.text)
                lines = self._thinking.lines
            else:
                lines = plain_lines(thoughts.text.strip("\n"), self._width - 2, "muted")
            thoughts = self._thoughts = replace(thoughts, lines=lines)
        return thoughts

    def _body(self) -> list[Line]:
        content = self.content
        if self.is_streaming:
            self._stream = Stream(self._width)
            self._stream.append(content)
            return self._stream.lines
        if self.message.role is Role.USER:
            return typed_lines(content, self._width)
        return render(content, self._width)

    def _rows_below(self) -> list[Line]:
        if not self.is_streaming:
            rows = closing_rows(self.message, self._width)
        elif self._is_reading and not self.is_waiting:
            rows = progress_rows(*self._progress)
        else:
            return []
        return [BLANK, *rows] if rows and (self.content or self._thoughts.running) else rows

    def _end_thinking(self) -> None:
        seconds = time.monotonic() - self._thinking_since
        self._thoughts = replace(self._thoughts, running=False, seconds=seconds, lines=())
        self._thinking = None

    def _grow(self, text: str, at: int) -> None:
        """Add text to the rows; `at` is where the text begins, 0 when what stands above has changed too."""
        if self._stream is None or not at:
            self._show_from(0)
            return
        last = len(self.rows) - 1
        changed = at + self._stream.append(text)
        self.rows = [*self.rows[:at], *self._stream.lines]
        # The row that held the cursor is drawn again in any case.
        self._show_rows(min(changed, last))

    def _show_from(self, row: int) -> None:
        if self._width:
            self._compose_rows()
            self._show_rows(row)

    def _show_rows(self, row: int) -> None:
        if self.rows_height != self.content_size.height:
            self.refresh(layout=True)
        else:
            self.repaint_from(row)
