"""The dialog that shows two variants of a reply next to each other."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen

from qwen_tui.chat.messages import Message
from qwen_tui.strings import say
from qwen_tui.ui.inside.compare import comparison
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.widgets.keys import keys_of
from qwen_tui.ui.widgets.line_view import LinesView


class Comparison(ModalScreen[None]):
    """Two of the variants of a reply; the keys choose which ones."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,w,q", "dismiss", say("inside.compare.close"), id="compare.close"),
        Binding("left", "other(-1)", say("inside.compare.earlier"), id="compare.earlier"),
        Binding("right", "other(1)", say("inside.compare.later"), id="compare.later"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Comparison {
        align: center middle;
        #compare-box {
            width: 100%;
            max-width: 160;
            height: 100%;
            padding: 0 1;
            border: round $border;
            border-title-color: $text-accent;
            border-subtitle-color: $text-muted;
            background: $background;
        }
        #compare-replies { height: 1fr; padding: 1 1 0 1; scrollbar-size-vertical: 1; }
        #compare-replies LinesView { height: auto; }
    }
    """

    def __init__(self, variants: Sequence[Message], number: int) -> None:
        """Create the dialog for the variant at index `number`, next to the one before it."""
        super().__init__()
        self._variants = variants
        self._number = number
        self._other = number - 1 if number else 1
        self._lines = LinesView(self._rows)

    def compose(self) -> ComposeResult:
        with Vertical(id="compare-box") as box:
            keys = keys_of(self, close="compare.close", earlier="compare.earlier", later="compare.later")
            box.border_title = Content(say("inside.compare.title"))
            code = "inside.compare.keys" if len(self._variants) > 2 else "inside.compare.keys.two"
            box.border_subtitle = Content(say(code, **keys))
            with VerticalScroll(id="compare-replies"):
                yield self._lines

    def _rows(self, width: int) -> list[Line]:
        count = len(self._variants)
        first, second = sorted((self._number, self._other))
        titles = tuple(say("inside.compare.variant", number=n + 1, of=count) for n in (first, second))
        return comparison(self._variants[first], self._variants[second], (titles[0], titles[1]), width)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "other" or len(self._variants) > 2

    def action_other(self, by: int) -> None:
        """Compare with another variant."""
        others = [n for n in range(len(self._variants)) if n != self._number]
        self._other = others[(others.index(self._other) + by) % len(others)]
        self._lines.rows = self._rows(self._lines.content_size.width)
        self._lines.refresh(layout=True)
