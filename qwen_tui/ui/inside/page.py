"""What a tab of the view inside is: rows of text with a place that the keys move, without Textual."""

from collections.abc import Sequence

from qwen_tui.strings import say
from qwen_tui.ui.inside.subject import Look
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.markdown.plain import plain_lines


class Page:
    """One tab. `rows` lays it out; the methods below say what the keys do on it."""

    name = ""
    """The name of its sentences, `inside.tab.NAME`, and of its key, `inside.NAME`."""
    actions: frozenset[str] = frozenset()
    """Names of the actions of `InsidePane` that do something here, besides moving."""

    goes_to_end = False
    """Whether its last row has to be in sight once it is laid out again."""

    def __init__(self, look: Look) -> None:
        self.look = look
        """What the panel looks at, shared by all tabs."""

    def enabled(self) -> frozenset[str]:
        """Return the names of the actions that do something now."""
        return self.actions

    def rows(self, width: int) -> Sequence[Line]:
        """Lay out the tab at a width in cells."""
        raise NotImplementedError

    def highlighted(self, row: int) -> Line | None:
        """Return the row with what is chosen in it; None if it is drawn as laid out."""
        return None

    @property
    def cursor_row(self) -> int | None:
        """The row that has to be in sight; None if there is none."""
        return None

    def caption(self, width: int) -> Sequence[Line]:
        """Describe what is chosen, in a few rows below the tab."""
        return ()

    def move(self, across: int, down: int) -> bool:
        """Move by tokens or rows; return whether the tab has to be laid out again."""
        return False

    def click(self, row: int, column: int) -> bool:
        """Choose what is in a cell; return whether the tab has to be laid out again."""
        return False


class TokenPage(Page):
    """A tab about a token of a reply; without a trace it only offers to make one."""

    def enabled(self) -> frozenset[str]:
        return self.actions if self.look.token is not None else frozenset(("earlier", "later", "trace"))


def note(code: str, width: int, **parameters: object) -> list[Line]:
    """Lay out a sentence as secondary text."""
    return plain_lines(say(code, **parameters), width, "muted")
