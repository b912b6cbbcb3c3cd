"""The input field shown over a row of the list while its conversation is renamed."""

from dataclasses import dataclass

from textual import events, on
from textual.message import Message as Posted
from textual.widgets import Input

from qwen_tui.chat.cleaning import one_line


class RenameField(Input):
    """Input for a new name: enter applies it; esc or leaving the field cancels."""

    DEFAULT_CSS = """
    RenameField {
        layer: over;
        dock: top;
        background: $surface;
        &:focus { background-tint: $accent 20%; }
        &:ansi:focus { background: $background; background-tint: transparent; text-style: underline; }
    }
    """

    @dataclass
    class Ended(Posted):
        """The person has finished; `name` is the new name, or None to keep the old one."""

        id: str
        name: str | None

    def __init__(self, conversation_id: str, title: str) -> None:
        super().__init__(title, compact=True, select_on_focus=True)
        self.conversation_id = conversation_id
        self._title = title
        self._ended = False

    @on(events.Key)
    def _cancel(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self._end(None)

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        name = one_line(event.value)
        self._end(name if name and name != self._title else None)

    @on(Input.Blurred)
    def _leave(self, event: Input.Blurred) -> None:
        event.stop()
        self._end(None)

    def _end(self, name: str | None) -> None:
        if not self._ended:
            self._ended = True
            self.post_message(self.Ended(self.conversation_id, name))
