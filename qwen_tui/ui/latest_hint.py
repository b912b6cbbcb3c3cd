"""The small mark that the newest message is further down."""

from textual import events
from textual.content import Content
from textual.message import Message as Posted
from textual.widgets import Static


class LatestHint(Static):
    """`↓ latest` over the corner of the log; a click on it goes there."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LatestHint {
        layer: above;
        dock: bottom;
        width: auto;
        height: 1;
        offset-x: 46%;
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

    def __init__(self, text: str) -> None:
        super().__init__(Content(text))

    def on_click(self, event: events.Click) -> None:
        """Ask for it."""
        event.stop()
        self.post_message(self.Pressed())
