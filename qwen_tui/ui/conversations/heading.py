"""The line above the list of conversations: what it is, or what is looked for in it, and how many are listed."""

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Static

from qwen_tui.session.search import SearchFunction
from qwen_tui.strings import say
from qwen_tui.ui.conversations.search_field import SearchField
from qwen_tui.ui.textual_patches.focus import focus_at_once


class ListHeading(Horizontal):
    """A name and a count; the name makes room for a field while something is looked for."""

    DEFAULT_CSS = """
    ListHeading {
        height: 2;
        padding: 0 1 0 0;
        & #conversations-slash { width: 2; color: $text-muted; visibility: hidden; }
        & #conversations-heading { width: 1fr; text-style: bold; }
        & #conversations-count { width: auto; color: $text-muted; }
        & SearchField { display: none; width: 1fr; }
        &.-searching SearchField { display: block; }
        &.-searching #conversations-slash { visibility: visible; }
        &.-searching #conversations-heading { display: none; }
        &:ansi #conversations-count { text-style: dim; }
    }
    """

    def __init__(self, search: SearchFunction) -> None:
        super().__init__()
        self.field = SearchField(search)
        self._count = Static(id="conversations-count", markup=False)

    def compose(self) -> ComposeResult:
        yield Static("/", id="conversations-slash", markup=False)
        yield Static(say("panes.conversations"), id="conversations-heading", markup=False)
        yield self.field
        yield self._count

    def show_count(self, count: int) -> None:
        self._count.update(f"{count:,}" if count else "")

    @property
    def is_searching(self) -> bool:
        """Whether something is looked for, or may be written to be."""
        return self.has_class("-searching")

    def search(self) -> None:
        self.field.value = ""
        self.add_class("-searching")
        focus_at_once(self.field)

    def end_search(self) -> None:
        self.field.value = ""
        self.remove_class("-searching")
