"""The tab Heat: a reply colored by how likely each of its tokens was."""

from collections.abc import Sequence

from qwen_tui.strings import say
from qwen_tui.ui.inside.candidates import considered, probability, why_no_trace, words_of
from qwen_tui.ui.inside.page import TokenPage
from qwen_tui.ui.inside.subject import Look
from qwen_tui.ui.markdown.charts import FULL_BITS, column_of, percent, sparkline
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.tokens import TokenText, heat_ink, pieces
from qwen_tui.ui.markdown.wrap import wrap


class HeatPage(TokenPage):
    """The reply looked at, and where it was least certain."""

    name = "heat"
    actions = frozenset(("earlier", "later", "least", "colour"))

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._text: TokenText | None = None
        self._top = 0

    def rows(self, width: int) -> Sequence[Line]:
        traces = self.look.traces
        self._text = None
        if not any(traces):
            return why_no_trace(self.look, width)
        entropies = [token.entropy if token is not None else 0.0 for token in traces]
        line = sparkline(entropies, width, max(FULL_BITS, *entropies))
        column = column_of(self.look.at, len(traces), width)
        marked = ((line[:column], "accent"), (line[column], "accent chosen"), (line[column + 1 :], "accent"))
        known = [token for token in traces if token is not None]
        mean = sum(token.entropy for token in known) / len(known)
        unsure = sum(probability(token.chosen) < 0.5 for token in known)
        said = say("inside.heat.summary", bits=mean, unsure=unsure, count=len(known))
        head = [
            Line(tuple(run for run in marked if run[0])),
            *wrap([(said, "muted")], width),
            self._scale(),
            BLANK,
        ]
        self._top = len(head)
        inks = [heat_ink(None if token is None else probability(token.chosen)) for token in traces]
        parts = pieces(b"" if token is None else token.chosen.text for token in traces)
        self._text = TokenText(parts, inks, width, boundaries=False)
        return [*head, *self._text.lines]

    def _scale(self) -> Line:
        return Line(tuple((f" {percent(p)} ", heat_ink(p)) for p in (1.0, 0.8, 0.6, 0.4, 0.2, 0.05)))

    def highlighted(self, row: int) -> Line | None:
        text, inside = self._text, row - self._top
        if text is None or not 0 <= inside < len(text.lines) or not text.holds(inside, self.look.at):
            return None
        return text.chosen(inside, self.look.at)

    @property
    def cursor_row(self) -> int | None:
        if self._text is None:
            return None
        return self._top + self._text.row_of(self.look.at) if self.look.at else 0

    def move(self, across: int, down: int) -> bool:
        if self._text is not None and down:
            self.look.at = self._text.below(self.look.at, down)
        self.look.step(across)
        return True  # the mark in the sparkline moves along

    def click(self, row: int, column: int) -> bool:
        if self._text is not None and (found := self._text.token_at(row - self._top, column)) is not None:
            self.look.at = found
        return True

    def caption(self, width: int) -> Sequence[Line]:
        token = self.look.token
        if token is None:
            return ()
        place = say("inside.token.place", number=self.look.at + 1, of=len(self.look.traces))
        return [
            Line(
                ((say("inside.token.text", text=words_of(token.chosen)), "strong"), (f"  {place}", "muted"))
            ),
            *wrap([(considered(token), "")], width),
        ]

    def go_to_least(self) -> None:
        """Look at the least certain token; from there, at the next least certain one, and so on."""
        order = least_certain(self.look)
        if order:
            at = order.index(self.look.at) if self.look.at in order else -1
            self.look.at = order[(at + 1) % len(order)]


def least_certain(look: Look, count: int = 20) -> list[int]:
    """Return the tokens that were least likely, least likely first."""
    known = [(probability(token.chosen), n) for n, token in enumerate(look.traces) if token is not None]
    return [n for p, n in sorted(known)[:count] if p < 0.9]
