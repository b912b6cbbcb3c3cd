"""The row of a line of text, edited in place."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.widgets import Input

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.names import clusters
from qwen_tui.settings.options import Option
from qwen_tui.strings import say
from qwen_tui.ui.settings.row import Change, SettingRow, hint_keys
from qwen_tui.wording.cell_width import cells
from qwen_tui.wording.settings import problem_with, typed


def _end_of(text: str, width: int) -> str:
    """Return the end of a text: the distinctive part of a path or a hub id."""
    if cells(text) <= width:
        return text
    kept = ""
    for cluster in reversed(clusters(text)):
        if cells(cluster + kept) > width - 1:
            break
        kept = cluster + kept
    return "…" + kept


class TextRow(SettingRow):
    """A text on one line. Typing opens a field over the value; enter or leaving the field applies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right", "write", say("panes.key.edit"), id="settings.edit", show=False),
    ]

    DEFAULT_CSS = """
    TextRow {
        layout: horizontal;
        & > Input { display: none; width: 1fr; background: transparent; }
        & > Input:focus { background-tint: transparent; }
        &.-editing > Input { display: block; }
    }
    """

    cut = staticmethod(_end_of)

    is_open: reactive[bool] = reactive(False, toggle_class="-editing")
    """Whether the field is shown over the value and has the focus."""

    def __init__(self, option: Option, change: Change) -> None:
        super().__init__(option, change)
        self._field = Input(compact=True, select_on_focus=False)
        self._field.styles.margin = (0, 0, 0, cells(option.label) + 4)

    def compose(self) -> Iterator[Input]:
        yield self._field

    def allow_focus(self) -> bool:
        """Refuse the focus while the field is open, so that there is only one tab stop."""
        return super().allow_focus() and not self.is_open

    @property
    def hint(self) -> str:
        return say("panes.hint.typing", **hint_keys(self)) if self.is_open else super().hint

    @on(events.Key)
    def _begin_typing(self, event: events.Key) -> None:
        if event.key == "escape" and self.is_open:
            event.stop()  # only closes the field; the panel keeps the focus
            self._close()
            self.screen.set_focus(self)
        elif self.has_focus and event.is_printable and event.character not in (None, " "):
            event.stop().prevent_default()
            if self.is_open:  # the key was sent here before the field had the focus
                self._field.insert_text_at_cursor(event.character or "")
            else:
                self._open(event.character or "")

    @on(events.Paste)
    def _begin_with_paste(self, event: events.Paste) -> None:
        event.stop()
        self._open(one_line(event.text))

    @on(Input.Changed)
    def _judge(self, event: Input.Changed) -> None:
        event.stop()
        self.problem = problem_with(self.option, event.value) if self.is_open else ""

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        if not self.problem:
            self.finish()
            self.focus()

    def begin(self) -> None:
        self._open(typed(self.option, self.resolved.value))

    action_write = begin

    @on(Input.Blurred)
    def finish(self) -> None:
        """Close the field; apply its text if it is valid."""
        text = one_line(self._field.value)
        is_usable = self.is_open and not problem_with(self.option, text)
        self._close()
        if is_usable:
            self.change(self.option.parse(text))

    def _open(self, text: str) -> None:
        with self._field.prevent(Input.Changed):
            self._field.value = text
        self._field.cursor_position = len(text)
        self.is_open = True
        self.screen.set_focus(self._field)
        self.tell()

    def _close(self) -> None:
        self.is_open = False
        self.problem = ""
        self.tell()
