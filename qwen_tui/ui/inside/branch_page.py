"""The tab Branch: another reply that begins like this one, but goes on with another token."""

from collections.abc import Sequence

from qwen_tui.engine.trace import Candidate, TokenTrace
from qwen_tui.engine.what_if import dials, reshaped
from qwen_tui.strings import say
from qwen_tui.ui.inside.candidates import candidate_rows, head, probability, why_no_trace, words_of
from qwen_tui.ui.inside.page import TokenPage, note
from qwen_tui.ui.inside.subject import Look
from qwen_tui.ui.markdown.charts import percent
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.wrap import wrap


class BranchPage(TokenPage):
    """The candidates of one token, one of which can be chosen instead."""

    name = "branch"
    actions = frozenset(("earlier", "later", "branch"))

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._number = 0
        """Index of the candidate looked at."""
        self._first_row = 0

    @property
    def candidate(self) -> Candidate | None:
        """The candidate looked at."""
        candidates = self.look.token.candidates if self.look.token is not None else ()
        return candidates[min(self._number, len(candidates) - 1)] if candidates else None

    def given(self) -> list[TokenTrace]:
        """Return how the tokens were chosen that a variant with the chosen candidate begins with."""
        token, candidate = self.look.token, self.candidate
        before = [each for each in self.look.traces[: self.look.at] if each is not None]
        if token is None or candidate is None or len(before) < self.look.at:
            return []
        chance = reshaped(token, dials(self.look.sampling)).chances[self._number]
        return [*before, token._replace(chosen=candidate, rank=self._number + 1, chance=chance)]

    def rows(self, width: int) -> Sequence[Line]:
        token = self.look.token
        if token is None:
            return why_no_trace(self.look, width)
        self._number = min(self._number, max(0, len(token.candidates) - 1))
        after = reshaped(token, dials(self.look.sampling))
        top = [*head(self.look, token, width), *note("inside.branch.hint", width), BLANK]
        self._first_row = len(top) + 1
        return [*top, *candidate_rows(token, after, width, cursor=self._number)]

    @property
    def cursor_row(self) -> int | None:
        if self.look.token is None:
            return None
        return self._first_row + self._number if self._number else 0

    def move(self, across: int, down: int) -> bool:
        count = len(self.look.token.candidates) if self.look.token is not None else 1
        self._number = max(0, min(self._number + down, count - 1))
        self.look.step(across)
        if across:
            self._number = 0
        return True

    def click(self, row: int, column: int) -> bool:
        return self.move(0, row - self._first_row - self._number)

    def caption(self, width: int) -> Sequence[Line]:
        candidate, token = self.candidate, self.look.token
        if candidate is None or token is None:
            return ()
        words = words_of(candidate)
        code = "inside.branch.same" if candidate.id == token.chosen.id else "inside.branch.other"
        said = say(code, words=words, p=percent(probability(candidate)), number=self.look.at + 1)
        return wrap([(said, "")], width)
