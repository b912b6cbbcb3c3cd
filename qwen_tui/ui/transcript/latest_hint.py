"""The small mark that the newest message is further down."""

from textual import events
from textual.content import Content
from textual.message import Message as Posted
from textual.widgets import Static

from qwen_tui.strings import say


class LatestHint(Static):
    """`↓ latest` in the corner under the log; a click on it goes there."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LatestHint {
        width: auto;
        height: 1;
        padding: 0 1;
        background: $accent 20%;
        color: $text-accent;
        display: none;
        &:hover { background: $accent 40%; }
        &:ansi { background: ansi_default; text-style: reverse; }
    }
    """

    class Pressed(Posted):
        """The person wants to see the newest message."""

    def __init__(self) -> None:
        super().__init__(Content(say("chat.latest")))

    def on_click(self, event: events.Click) -> None:
        """Ask for it."""
        event.stop()
        self.post_message(self.Pressed())
