"""A line of text, edited in place."""

from collections.abc import Iterator
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.widgets import Input

from qwen_tui import strings
from qwen_tui.chat.cleaning import one_line
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import Option
from qwen_tui.ui.settings.row import SettingRow, hint_keys
from qwen_tui.wording.cell_width import cells, clusters
from qwen_tui.wording.settings import typed


class TextRow(SettingRow):
    """A text in one line. Typing opens a field over the value; enter or leaving the field applies it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "enter", strings.say("panes.key.change"), id="settings.change", show=False),
        Binding("right", "write", strings.say("panes.key.edit"), id="settings.edit", show=False),
    ]

    DEFAULT_CSS = """
    TextRow {
        layout: horizontal;
        & > Input { display: none; width: 1fr; background: transparent; }
        & > Input:focus { background-tint: transparent; }
        &.-editing > Input { display: block; }
    }
    """

    def __init__(self, option: Option) -> None:
        super().__init__(option)
        self._field = Input(compact=True, select_on_focus=False)
        self._field.styles.margin = (0, 0, 0, cells(option.label) + 4)

    def compose(self) -> Iterator[Input]:
        """The field that lies over the value while it is edited."""
        yield self._field

    @property
    def hint(self) -> str:
        """While the field is open, the keys that close it."""
        if self.has_class("-editing"):
            return strings.say("panes.hint.typing", **hint_keys(self))
        return super().hint

    def cut(self, text: str, width: int) -> str:
        """The end of the text: of a path or a hub id, the part that tells it from others."""
        if cells(text) <= width:
            return text
        kept = ""
        for cluster in reversed(clusters(text)):
            if cells(cluster + kept) > width - 1:
                break
            kept = cluster + kept
        return "…" + kept

    @on(events.Key)
    def _begin(self, event: events.Key) -> None:
        if event.key == "escape" and self.has_class("-editing"):
            event.stop()  # it ends the writing, not the visit to the pane
            self._close()
            self.screen.set_focus(self)
        elif self.has_focus and event.is_printable and event.character not in (None, " "):
            event.stop().prevent_default()
            if self.has_class("-editing"):  # sent here before the field had the keyboard
                self._field.insert_text_at_cursor(event.character or "")
            else:
                self._open(event.character or "")

    @on(events.Paste)
    def _begin_with_paste(self, event: events.Paste) -> None:
        event.stop()
        self._open(one_line(event.text))

    @on(events.Click)
    def _begin_with_click(self, event: events.Click) -> None:
        if event.x >= 2 and not self.has_class("-editing"):
            self.action_write()

    @on(Input.Changed)
    def _judge(self, event: Input.Changed) -> None:
        event.stop()
        self.problem = self._problem_with(event.value) if self.has_class("-editing") else ""

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        if not self.problem:
            self._apply()
            self.focus()

    @on(Input.Blurred)
    def _leave(self, event: Input.Blurred) -> None:
        event.stop()
        self._apply()

    def action_enter(self) -> None:
        """Load the model where that is due, else open the field."""
        if self.standing.loads:
            self.post_message(self.LoadWanted())
        else:
            self.action_write()

    def action_write(self) -> None:
        """Open the field with the text in force."""
        self._open(typed(self.option, self.standing.value))

    def _open(self, text: str) -> None:
        with self._field.prevent(Input.Changed):
            self._field.value = text
        self._field.cursor_position = len(text)
        self.add_class("-editing")
        self.screen.set_focus(self._field)
        self.tell()

    def _close(self) -> None:
        self.remove_class("-editing")
        self.problem = ""
        self.tell()

    def _apply(self) -> None:
        text = one_line(self._field.value)
        if self.has_class("-editing") and not self._problem_with(text):
            self.edit(self.option.parse(text))
        self._close()

    def _problem_with(self, text: str) -> str:
        try:
            self.option.parse(text)
        except QwenTuiError as error:
            return error.explanation.sentence
        return ""
