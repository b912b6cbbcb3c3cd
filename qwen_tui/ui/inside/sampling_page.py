"""The tab Sampling: the likeliest tokens, what sampling left of them, and what other values would have done."""

from collections.abc import Sequence
from typing import Any

from qwen_tui.chat.messages import Json
from qwen_tui.engine.trace import STAGES, TokenTrace
from qwen_tui.engine.what_if import Dials, Reshaped, dials, reshaped
from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings import say
from qwen_tui.ui.inside.candidates import candidate_rows, considered, funnel_rows, head, why_no_trace
from qwen_tui.ui.inside.compare import changed_since
from qwen_tui.ui.inside.page import TokenPage, note
from qwen_tui.ui.inside.subject import Look
from qwen_tui.ui.markdown.charts import beside, padded
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import padded_left
from qwen_tui.wording.settings import stepped, worded

DIALS = tuple(name for name in Dials._fields if name in OPTIONS)
"""The sampling values that can be tried."""

_BESIDE = 72
"""Minimum width, in cells, for dials and funnel to the right of the candidates instead of above them."""

_LABEL_CELLS = 22
_RIGHT_CELLS = 36


class SamplingPage(TokenPage):
    """One token, the way it was chosen, and dials to try."""

    name = "sampling"
    actions = frozenset(("earlier", "later", "more", "less", "reset", "use", "compare"))

    def __init__(self, look: Look) -> None:
        super().__init__(look)
        self._dial = 0
        self._is_turning = False
        """Whether the dials were used, so that they have to be in sight."""
        self._dial_row = 0

    @property
    def values(self) -> dict[str, Json]:
        """The values in effect here: those of the reply, and the tried ones instead."""
        values = dict(self.look.sampling)
        if self.look.trial:
            values |= {"do_sample": True, **self.look.trial}
        return values

    def rows(self, width: int) -> Sequence[Line]:
        token = self.look.token
        if token is None:
            return why_no_trace(self.look, width)
        after = reshaped(token, dials(self.values))
        top = [*head(self.look, token, width), BLANK]
        if width < _BESIDE:
            funnel = self._funnel(token, after, width)
            self._dial_row = len(top) + len(funnel) + 2
            below = [BLANK, *self._dials(width), BLANK, *candidate_rows(token, after, width)]
            return [*top, *funnel, *below]
        left = width - _RIGHT_CELLS - 3
        funnel = self._funnel(token, after, _RIGHT_CELLS)
        self._dial_row = len(top) + len(funnel) + 2
        aside = [*funnel, BLANK, *self._dials(_RIGHT_CELLS)]
        return [*top, *beside(candidate_rows(token, after, left), aside, left, gap=3)]

    def _dials(self, width: int) -> list[Line]:
        title = say("inside.dials.tried" if self.look.trial else "inside.dials")
        rows = [Line(((title, "strong"),))]
        values = dials(self.values)
        reply, subject = self.look.reply, self.look.subject
        now = changed_since(reply, subject.settings, subject.info) if reply and subject else {}
        for number, name in enumerate(DIALS):
            option, value = OPTIONS[name], getattr(values, name)
            shown = padded_left(worded(option, value), 8)
            ink = "accent strong" if name in self.look.trial else ""
            label = (padded(option.label, min(_LABEL_CELLS, width - 16)), "muted")
            arrows = ("‹ ", " ›") if number == self._dial else ("  ", "  ")
            other = say("inside.dials.now", value=worded(option, now[name])) if name in now else ""
            runs = (
                label,
                (arrows[0], "accent"),
                (shown, ink),
                (arrows[1], "accent"),
                (f" {other}", "warning"),
            )
            rows.append(Line(runs))
        return rows

    def _funnel(self, token: TokenTrace, after: Reshaped, width: int) -> list[Line]:
        funnel = after.funnel if self.look.trial else token.funnel
        rows = funnel_rows(funnel, STAGES, width) if funnel else note("inside.funnel.server", width)
        if dials(self.values).is_greedy:
            rows += note("inside.greedy", width)
        if self.look.trial and not after.is_enough:
            rows += wrap([(say("inside.too_few", count=len(token.candidates)), "warning")], width)
        return rows

    @property
    def cursor_row(self) -> int | None:
        if self.look.token is None:
            return None
        return self._dial_row + self._dial if self._is_turning else 0

    def caption(self, width: int) -> Sequence[Line]:
        token = self.look.token
        if token is None:
            return ()
        name = DIALS[self._dial]
        return [
            *wrap([(considered(token), "")], width)[:2],
            *wrap([(OPTIONS[name].help, "muted")], width)[:2],
        ]

    def move(self, across: int, down: int) -> bool:
        self.look.step(across)
        self._is_turning = bool(down)
        if down:
            self._dial = max(0, min(self._dial + (1 if down > 0 else -1), len(DIALS) - 1))
        return True

    def turn(self, steps: int) -> None:
        """Try another value of the chosen dial."""
        self._is_turning = True
        name = DIALS[self._dial]
        values: Any = dials(self.values)
        value = getattr(values, name)
        if name == "temperature" and values.is_greedy:
            value = 0.0
        self.look.trial[name] = stepped(OPTIONS[name], value, steps)
