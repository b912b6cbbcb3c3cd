"""The tab Branch: another reply that begins like this one, but goes on with another token."""

from collections.abc import Sequence

from qwen_tui.engine.trace import Candidate, TokenTrace
from qwen_tui.engine.what_if import dials, reshaped
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say
from qwen_tui.ui.inside.candidates import candidate_rows, head, probability, why_no_trace, words_of
from qwen_tui.ui.inside.choosing import OFFERED, Choosing
from qwen_tui.ui.inside.page import TokenPage, note
from qwen_tui.ui.inside.subject import Look
from qwen_tui.ui.markdown.charts import percent
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.plain import plain_lines
from qwen_tui.ui.markdown.tokens import pieces
from qwen_tui.ui.markdown.wrap import wrap


class BranchPage(TokenPage):
    """The candidates of one token, one of which can be chosen instead."""

    name = "branch"
    actions = frozenset(("earlier", "later", "branch", "choose"))

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._number = 0
        """Index of the candidate looked at."""
        self._first_row = 0
        self.choosing: Choosing | None = None
        """The reply that the person is choosing token by token, if any."""

    def enabled(self) -> frozenset[str]:
        if self.choosing is not None:
            return frozenset(("pick", "choose", "undo", "finish"))
        return super().enabled()

    def taken(self) -> int:
        """Return the index of the candidate looked at, and look at the first one from here on."""
        number, self._number = self._number, 0
        return number

    @property
    def token(self) -> TokenTrace | None:
        """The token whose candidates are shown."""
        if self.choosing is None:
            return self.look.token
        return self.choosing.next if isinstance(self.choosing.next, TokenTrace) else None

    def begin_choosing(self) -> None:
        """Let the person choose each token from the one looked at on; or stop it."""
        before = [each for each in self.look.traces[: self.look.at] if each is not None]
        is_known = self.look.token is not None and len(before) == self.look.at
        self.choosing = Choosing(before, self.look.token) if self.choosing is None and is_known else None
        self._number = 0

    @property
    def candidate(self) -> Candidate | None:
        """The candidate looked at."""
        candidates = self.token.candidates if self.token is not None else ()
        return candidates[min(self._number, len(candidates) - 1)] if candidates else None

    def given(self) -> list[TokenTrace]:
        """Return how the tokens were chosen that a variant with the chosen candidate begins with."""
        token, candidate = self.look.token, self.candidate
        before = [each for each in self.look.traces[: self.look.at] if each is not None]
        if token is None or candidate is None or len(before) < self.look.at:
            return []
        chance = reshaped(token, dials(self.look.sampling)).chances[self._number]
        return [*before, token._replace(chosen=candidate, rank=self._number + 1, chance=chance)]

    def _choosing_rows(self, choosing: Choosing, width: int) -> list[Line]:
        text = "".join(part.text for part in pieces(token.chosen.text for token in choosing.picked))
        top = [*note("inside.choosing.hint", width), BLANK, *plain_lines(text + "▌", width), BLANK]
        self._first_row = len(top) + 1
        if isinstance(choosing.next, QwenTuiError):
            return [*top, *wrap([(str(choosing.next), "error")], width)]
        if choosing.next is None:
            return [*top, *note("inside.reading", width)]
        after = reshaped(choosing.next, dials(self.look.sampling))
        return [*top, *candidate_rows(choosing.next, after, width, count=OFFERED, cursor=self._number)]

    def rows(self, width: int) -> Sequence[Line]:
        if self.choosing is not None:
            return self._choosing_rows(self.choosing, width)
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
        if self.token is None:
            return None
        return self._first_row + self._number if self._number or self.choosing is not None else 0

    def move(self, across: int, down: int) -> bool:
        count = len(self.token.candidates) if self.token is not None else 1
        if self.choosing is not None:
            self._number = max(0, min(self._number + down, OFFERED - 1, count - 1))
            return True
        self._number = max(0, min(self._number + down, count - 1))
        self.look.step(across)
        if across:
            self._number = 0
        return True

    def click(self, row: int, column: int) -> bool:
        return self.move(0, row - self._first_row - self._number)

    def caption(self, width: int) -> Sequence[Line]:
        candidate, token = self.candidate, self.look.token
        if self.choosing is not None or candidate is None or token is None:
            return ()
        words = words_of(candidate)
        code = "inside.branch.same" if candidate.id == token.chosen.id else "inside.branch.other"
        said = say(code, words=words, p=percent(probability(candidate)), number=self.look.at + 1)
        return wrap([(said, "")], width)
