"""A pasted text too large for the text area, as one line above it: it can be opened, removed, and is sent whole."""

from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.events import Click, Key
from textual.message import Message
from textual.widgets import Static

from qwen_tui.strings import say
from qwen_tui.wording.units import in_bytes


class Attachment(Static, can_focus=True):
    """One pasted text."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", say("composer.chip.open"), id="attachment.open"),
        Binding("backspace,delete", "remove", say("composer.chip.remove"), id="attachment.remove"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Attachment {
        width: auto;
        height: 1;
        margin: 0 1;
        padding: 0 1;
        color: $text-accent;
        background: $surface;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        &:hover { background: $panel; }
        &:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
        &:ansi:focus { text-style: reverse; }
    }
    """

    class Opened(Message):
        """It is wanted in the text area."""

        def __init__(self, attachment: "Attachment") -> None:
            super().__init__()
            self.attachment = attachment

    class Typed(Message):
        """The person writes on while it has the keyboard."""

        def __init__(self, character: str) -> None:
            super().__init__()
            self.character = character

    class Removed(Message):
        """It is not wanted any more."""

        def __init__(self, attachment: "Attachment") -> None:
            super().__init__()
            self.attachment = attachment

    def __init__(self, text: str) -> None:
        self.text = text
        super().__init__(Content(self._describe()), markup=False)
        self.tooltip = Content(say("composer.chip.keys"))

    @on(Key)
    def _write_on(self, event: Key) -> None:
        if event.is_printable and event.character is not None:
            event.stop()
            self.post_message(self.Typed(event.character))

    @on(Click)
    def action_open(self) -> None:
        """Put the text into the text area."""
        self.post_message(self.Opened(self))

    def action_remove(self) -> None:
        """Take it off the message."""
        self.post_message(self.Removed(self))

    def _describe(self) -> str:
        count = self.text.rstrip("\n").count("\n") + 1  # as it is sent
        lines = say("composer.chip.line") if count == 1 else say("composer.chip.lines", count=count)
        return say("composer.chip", lines=lines, size=in_bytes(len(self.text.encode())))
