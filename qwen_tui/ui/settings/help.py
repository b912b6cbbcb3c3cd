"""The lines at the foot of the settings pane: what the focused row does, or what is wrong."""

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static


class HelpLines(Vertical):
    """A few lines of help and one of keys. Their height is fixed, so that nothing jumps."""

    DEFAULT_CSS = """
    HelpLines {
        dock: bottom;
        height: 7;
        padding: 0 1 0 2;
        border-top: solid $foreground 15%;
        & > #setting-help { height: 5; color: $text-muted; }
        & > #setting-keys { height: 1; color: $text-disabled; }
        &.-problem > #setting-help { color: $text-error; }
        &:ansi {
            border-top: solid $border-blurred;
            & > Static { color: $foreground; text-style: dim; }
            &.-problem > #setting-help { color: $text-error; text-style: none; }
        }
    }
    """

    def compose(self) -> ComposeResult:
        """The help above, the keys below."""
        yield Static(id="setting-help", markup=False)
        yield Static(id="setting-keys", markup=False)

    def tell(self, text: str, keys: str, *, problem: bool = False) -> None:
        """Show these words; `problem` says that they tell what is wrong."""
        self.set_class(problem, "-problem")
        self.query_one("#setting-help", Static).update(text, layout=False)
        self.query_one("#setting-keys", Static).update(keys, layout=False)
