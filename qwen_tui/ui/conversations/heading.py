"""The line above the list of conversations: a title or the search field, and the number of rows."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message as Posted
from textual.widgets import Input, Static

from qwen_tui.session.search import BackgroundSearch, Found, SearchFunction
from qwen_tui.strings import say
from qwen_tui.ui.textual_patches.focus import focus_at_once

LOOK_SECONDS = 1 / 15
"""How often search results are polled."""


class _Field(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "submit", say("panes.key.found"), id="conversations.found", show=False),
    ]


class ListHeading(Horizontal):
    """A title and a count; searching replaces the title by a field that searches as the person types.

    Enter and down go to the results; esc ends the search.
    """

    DEFAULT_CSS = """
    ListHeading {
        height: 2;
        padding: 0 1 0 0;
        & #conversations-slash { width: 2; color: $text-muted; visibility: hidden; }
        & #conversations-heading { width: 1fr; text-style: bold; }
        & #conversations-count { width: auto; color: $text-muted; }
        & Input { display: none; width: 1fr; background: transparent; }
        & Input:focus { background-tint: transparent; }
        &.-searching Input { display: block; }
        &.-searching #conversations-slash { visibility: visible; }
        &.-searching #conversations-heading { display: none; }
        &:ansi #conversations-count { text-style: dim; }
        &:ansi Input { background: transparent; }
    }
    """

    class Moved(Posted):
        """The query or the results have changed."""

    @dataclass
    class Ended(Posted):
        """The person has finished typing; `found` says whether to keep the results."""

        found: bool

    def __init__(self, search: SearchFunction) -> None:
        super().__init__()
        self._search = BackgroundSearch(search)
        self._field = _Field(
            compact=True, placeholder=say("panes.conversations.search"), select_on_focus=False
        )
        self._count = Static(id="conversations-count", markup=False)

    def compose(self) -> ComposeResult:
        yield Static("/", id="conversations-slash", markup=False)
        yield Static(say("panes.conversations"), id="conversations-heading", markup=False)
        yield self._field
        yield self._count

    def on_mount(self) -> None:
        self._looking = self.set_interval(LOOK_SECONDS, self._look, pause=True)

    @property
    def is_searching(self) -> bool:
        return self.has_class("-searching")

    @property
    def words(self) -> str:
        """The query; empty if there is none."""
        return self._field.value.strip()

    @property
    def found(self) -> Found | None:
        """The results for the current query; None until there are any."""
        found = self._search.found
        return found if found is not None and found.query == self.words else None

    def show_count(self, count: int) -> None:
        self._count.update(f"{count:,}" if count else "")

    def search(self) -> None:
        self._field.value = ""
        self.add_class("-searching")
        focus_at_once(self._field)

    def end_search(self) -> None:
        self._field.value = ""
        self.remove_class("-searching")

    @on(Input.Changed)
    def _ask(self, event: Input.Changed) -> None:
        event.stop()
        self._search.ask(self.words)
        if self.words:
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
        self.post_message(self.Ended(found=bool(self.words)))
