"""The field in which the person types what the list of conversations is to be narrowed to."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.message import Message as Posted
from textual.widgets import Input

from qwen_tui import strings
from qwen_tui.session.search import BackgroundSearch, Found, SearchFunction

LOOK_SECONDS = 1 / 15
"""How often it looks at what has been found."""


class SearchField(Input):
    """Searches as it is typed. Enter and down go to what was found; esc gives up the search."""

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

    class Moved(Posted):
        """Something else is looked for, or more has been found."""

    @dataclass
    class Ended(Posted):
        """The person is done with typing; `found` says whether what was found is to stay."""

        found: bool

    def __init__(self, search: SearchFunction) -> None:
        super().__init__(
            compact=True, placeholder=strings.say("panes.conversations.search"), select_on_focus=False
        )
        self._search = BackgroundSearch(search)

    @property
    def query_text(self) -> str:
        """What is looked for; empty when nothing is."""
        return self.value.strip()

    @property
    def found(self) -> Found | None:
        """In which conversations it was said; None while nothing is known."""
        found = self._search.found
        return found if found is not None and found.query == self.query_text else None

    def on_mount(self) -> None:
        self._looking = self.set_interval(LOOK_SECONDS, self._look, pause=True)

    @on(Input.Changed)
    def _ask(self, event: Input.Changed) -> None:
        event.stop()
        self._search.ask(self.query_text)
        if self.query_text:
            self._looking.resume()
        else:
            self._looking.pause()
        self.post_message(self.Moved())

    def _look(self) -> None:
        if self.found is not None:
            self.post_message(self.Moved())
            if self.found.is_done:
                self._looking.pause()

    @on(events.Key)
    def _give_up(self, event: events.Key) -> None:
        if event.key == "escape":
            event.stop()
            self.post_message(self.Ended(found=False))

    @on(Input.Submitted)
    def _keep(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Ended(found=bool(self.query_text)))
