"""The field in which the person types what the list of conversations is to be narrowed to."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message as Posted
from textual.widgets import Input

from qwen_tui import strings


class SearchField(Input):
    """Narrows as it is typed. Enter and down go to what was found; esc gives up the search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "submit", strings.say("panes.key.found"), id="conversations.found", show=False),
    ]

    DEFAULT_CSS = """
    SearchField {
        background: transparent;
        &:focus { background-tint: transparent; }
        &:ansi { background: transparent; }
    }
    """

    @dataclass
    class Ended(Posted):
        """The person is done with typing; `found` says whether what was found is to stay."""

        found: bool

    def __init__(self) -> None:
        super().__init__(
            compact=True, placeholder=strings.say("panes.conversations.search"), select_on_focus=False
        )

    @on(events.Key)
    def _give_up(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.post_message(self.Ended(found=False))

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Ended(found=bool(self.value.strip())))
