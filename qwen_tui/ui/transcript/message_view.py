"""The widget of one message of the log, which draws its own lines.

    view = MessageView(message, "Qwen2.5-7B-Instruct")   # streaming=True for a reply that is about to come
    view.show_progress(512, 1204)                        # the model reads the prompt
    view.append_thinking(text, tokens=3); view.append_text(text)
    view.finish(message)                                 # exact from here on
    view.resume()                                        # continue it: append and finish as above

States are classes: `-user`, `-assistant`, `-system`, `-streaming`, `-waiting`, `-failed`; the log sets
`-dimmed` (the model no longer sees it) and `-focused`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from textual import events
from textual.message import Message as Posted

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.messages import Json, Message
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.transcript.message_rows import MessageRows
from qwen_tui.ui.widgets.line_view import LinesView
from qwen_tui.wording.cell_width import cells

WIDEST = 120
"""Maximum width in cells; longer lines are hard to read, however wide the terminal is."""

_CURSOR = "▌"


class MessageView(LinesView):
    """A message: author, thinking, text, and status rows."""

    DEFAULT_CSS = """
    MessageView {
        height: auto;
        margin: 1 0 0 0;
        padding: 0 2 0 1;
        border-left: outer $foreground 12%;
        &.-user { border-left: outer $accent; }
        &.-failed { border-left: outer $error; }
        &.-dimmed { border-left: outer $foreground 8%; }
        &.-focused { background: $foreground 6%; }
        &:ansi { border-left: outer ansi_bright_black; }
        &:ansi.-user { border-left: outer $accent; }
        &:ansi.-failed { border-left: outer $error; }
        &:ansi.-focused { border-left: thick $accent; }
    }
    """

    @dataclass
    class Picked(Posted):
        """The person clicked on a message, or on an arrow of `‹ 2 / 3 ›`."""

        message_id: str
        step: int = 0
        """The requested variant: -1 the previous, 1 the next, 0 none."""

    def __init__(
        self, message: Message, name: str = "", *, streaming: bool = False, waiting: bool = False
    ) -> None:
        """Create the widget; `name` replaces an unknown model; `streaming` if the text is still to come."""
        super().__init__(self._lines_at, classes=f"-{message.role.value}")
        self.body = MessageRows(message, name, streaming=streaming, waiting=waiting)
        """The layout to draw."""
        self._show(0)

    @property
    def message(self) -> Message:
        """The message as stored; while it streams, as it was when streaming began."""
        return self.body.message

    def append_thinking(self, text: str, tokens: int = 1) -> None:
        """Append thinking; `tokens` is the number of generated tokens that the text represents."""
        if text:
            self._show(self.body.append_thinking(text, tokens))

    def append_text(self, text: str) -> None:
        if text:
            self._show(self.body.append_text(text))

    def show_progress(self, done: int, total: int) -> None:
        self._show(self.body.show_progress(done, total))

    def set_author(self, name: str, variant: Variant | None, now: Mapping[str, Json]) -> None:
        """Set the assistant's name, the variant number, and today's sampling values, to mark other ones."""
        if self.body.set_author(name, variant, now):
            self.rows = self.body.lines
            self.repaint_from(0, 1)

    def resume(self) -> None:
        self._show(self.body.resume())
        self.refresh(layout=True)

    def finish(self, message: Message) -> None:
        self._show(self.body.finish(message))
        self.refresh(layout=True)

    def toggle_thinking(self) -> bool:
        if not self.body.thoughts.text:
            return False
        self._show(self.body.toggle_thoughts())
        self.refresh(layout=True)
        return True

    def on_click(self, event: events.Click) -> None:
        event.stop()
        row, column = event.y - self.gutter.top, event.x - self.gutter.left
        self.post_message(self.Picked(self.message.id, self.body.author.step_at(column) if row == 0 else 0))
        if row == 1:  # the row of the thinking, if there is any
            self.toggle_thinking()

    def get_content_height(self, container: object, viewport: object, width: int) -> int:
        self.lay_out(width)
        return self.body.height

    def _lines_at(self, width: int) -> list[Line]:
        self.body.lay_out(max(8, min(width, WIDEST)))
        return self.body.lines

    def row_at(self, y: int) -> Line:
        """Return a row as drawn: the last row of a growing text ends with a cursor."""
        line, body = super().row_at(y), self.body
        if y != len(self.rows) - 1 or not body.is_streaming or body.is_reading or not body.content:
            return line
        room = self.content_size.width - sum(cells(text) for text, _ in line.runs)
        cursor = (_CURSOR, f"{line.fill} cursor")
        return line._replace(runs=(*line.runs, cursor)) if room > 0 else line

    def _show(self, row: int) -> None:
        """Redraw from this row on."""
        self.rows = self.body.lines
        if row == 0:
            self.set_class(self.body.is_streaming, "-streaming")
            self.set_class(self.body.is_waiting, "-waiting")
            self.set_class(self.message.error is not None and not self.body.is_streaming, "-failed")
        if not self.rows:
            return  # not laid out yet
        if self.body.height != self.content_size.height:
            self.refresh(layout=True)
        else:
            self.repaint_from(row)
