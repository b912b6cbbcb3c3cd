"""The lines at the foot of the settings pane: what the focused row does, or what is wrong."""

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

    def __init__(self) -> None:
        self._words = Static(id="setting-help", markup=False)
        self._keys = Static(id="setting-keys", markup=False)
        super().__init__(self._words, self._keys)

    def tell(self, words: str, keys: str = "", is_problem: bool = False) -> None:
        """Show these words; `is_problem` says that they tell what is wrong."""
        self.set_class(is_problem, "-problem")
        self._words.update(words, layout=False)
        self._keys.update(keys, layout=False)
