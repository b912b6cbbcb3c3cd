"""The system prompt: a line like the other settings, and under it the room to write."""

from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import TextArea

from qwen_tui import strings
from qwen_tui.ui.settings.row import SettingRow
from qwen_tui.ui.textual_patches.text_area import NEWLINE, WritingArea


class PromptRow(SettingRow):
    """The line over the text: whether it was changed, and the key that resets it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "write", strings.say("panes.key.change"), id="settings.change", show=False),
    ]

    DEFAULT_CSS = """
    PromptRow > .setting-row--label { color: $foreground 60%; text-style: bold; }
    """

    class WriteWanted(Message):
        """The person wants to write the text."""

    @property
    def shown(self) -> tuple[str, str]:
        """Nothing: the text stands below."""
        return "", "setting-row--value"

    def action_write(self) -> None:
        """Go into the text."""
        self.post_message(self.WriteWanted())

    @on(events.Click)
    def _write_on_click(self, event: events.Click) -> None:
        if event.x >= 2:
            self.action_write()


class PromptText(WritingArea):
    """The text of the system prompt. It is applied as it is written, so that nothing is lost by leaving."""

    BINDINGS: ClassVar[list[BindingType]] = [NEWLINE]
    DEFAULT_CSS = """
    PromptText {
        height: auto;
        min-height: 3;
        max-height: 6;
        margin: 0 1 0 2;
        padding: 0 1;
        background: $foreground 4%;
        &:focus { background: $foreground 8%; }
        & .text-area--placeholder { color: $text-muted; }
        &:ansi .text-area--placeholder { text-style: dim; }
    }
    """

    class Written(Message):
        """The person changed the text."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, placeholder: str) -> None:
        super().__init__(
            id="setting-system-prompt-text",
            compact=True,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder=placeholder,
        )
        self._given = ""
        """The text that came down last."""
        self._in_flight: list[str] = []
        """The texts that were sent and have not come back, oldest first."""

    def show(self, text: str) -> None:
        """Take over the text in force, unless it is older than what was written here a moment ago."""
        if text in self._in_flight:
            del self._in_flight[: self._in_flight.index(text) + 1]
        elif text != self._given:
            self._in_flight.clear()
        self._given = text
        if text != self.text and not self._in_flight:
            with self.prevent(TextArea.Changed):
                self.load_text(text)
            self.move_cursor(self.document.end)

    @on(TextArea.Changed)
    def _written(self, event: TextArea.Changed) -> None:
        event.stop()
        self._in_flight.append(self.text)
        self.post_message(self.Written(self.text))
