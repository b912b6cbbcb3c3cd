"""The rows around the text of a message: its author above, and status, figures and errors below."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.message_text import plausible
from qwen_tui.chat.messages import Message, Role, Run, Status
from qwen_tui.engine.trace import TokenTrace
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say
from qwen_tui.ui.markdown.charts import FULL_BITS, sparkline
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.plain import plain_lines
from qwen_tui.ui.markdown.tokens import TokenText, heat_ink, pieces
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import cells, cropped
from qwen_tui.wording.units import in_speed, tokens_in_words

_NOTES = {
    Status.STOPPED: "chat.status.stopped",
    Status.INTERRUPTED: "chat.status.interrupted",
    Status.LENGTH: "chat.status.length",
}


class AuthorRow(NamedTuple):
    """The row with the author of a message."""

    line: Line
    steps: tuple[tuple[range, int], ...] = ()
    """Columns where a click shows the previous (-1) or next (1) variant."""

    def step_at(self, column: int) -> int:
        return next((step for columns, step in self.steps if column in columns), 0)


def author_row(
    name: str,
    role: Role,
    width: int,
    *,
    variant: Variant | None = None,
    notes: Sequence[str] = (),
    figures: str = "",
) -> AuthorRow:
    """Lay out author, variant and state in one row, with figures at its end; the name is cut if necessary."""
    walk = _walk(variant) if variant is not None else ()
    said = tuple((f"  {note}", "muted") for note in notes)
    end = 3 + cells(figures) if figures else 0
    room = width - sum(cells(text) for text, _ in (*walk, *said)) - end
    shown = cropped(name, max(1, room))
    spare = room - cells(shown) + 3
    ending = ((" " * spare + figures, "muted"),) if figures and room > 0 else ()
    line = Line(((shown, "author accent" if role is Role.USER else "author"), *walk, *said, *ending))
    if variant is None:
        return AuthorRow(line)
    at, steps = cells(shown) + 1, []
    before, number, after = (cells(text) for text, _ in walk)
    if variant.number > 1:
        steps.append((range(at, at + before), -1))
    if variant.number < variant.of:
        steps.append((range(at + before + number - 1, at + before + number + after), 1))
    return AuthorRow(line, tuple(steps))


def _walk(variant: Variant) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    """Return `‹ 2 / 3 ›`; an arrow without a target is faint."""
    return (
        ("  ‹ ", "accent" if variant.number > 1 else "frame"),
        (say("chat.variant", number=variant.number, of=variant.of), "muted"),
        (" ›", "accent" if variant.number < variant.of else "frame"),
    )


def progress_rows(done: int, total: int) -> list[Line]:
    """Return the rows shown before the first token."""
    text = say("chat.reading.progress", done=done, total=total) if total else say("chat.reading")
    return [Line(((text, "muted"),))]


def heat_lines(tokens: Sequence[TokenTrace | None], width: int) -> list[Line]:
    """Lay out the tokens of a reply, colored by how likely they were, and their entropy as columns."""
    inks = [heat_ink(None if token is None else math.exp(token.chosen.logprob)) for token in tokens]
    parts = pieces(b"" if token is None else token.chosen.text for token in tokens)
    entropies = [0.0 if token is None else token.entropy for token in tokens]
    columns = sparkline(entropies, width, max(FULL_BITS, *entropies))
    return [*TokenText(parts, inks, width, boundaries=False).lines, BLANK, Line(((columns, "accent"),))]


def closing_rows(message: Message, width: int) -> list[Line]:
    """Return the rows below a finished message: how it ended, and its error."""
    rows: list[Line] = []
    if message.status is Status.COMPLETE and message.role is Role.ASSISTANT and not message.content.strip():
        rows += wrap([(say("chat.empty"), "muted")], width)
    if message.status in _NOTES:
        rows += wrap([(say(_NOTES[message.status]), "muted")], width)
    if message.error is not None:
        rows += [*([BLANK] if rows else []), *error_rows(message.error, width)]
    return rows


def receipt_text(receipt: Sequence[Run], room: int = 1000) -> str:
    """Return the figures of a reply: speed and time to the first token of its last run, tokens of all runs.

    In less room, the number of tokens goes first, then the time.
    """
    last = plausible(receipt[-1])
    tokens = sum(plausible(run).new_tokens for run in receipt)
    parts: list[str] = []
    if speed := last.tokens_per_second:
        parts.append(in_speed(speed))
    if last.first_token_seconds:
        parts.append(say("chat.receipt.first", seconds=last.first_token_seconds))
    parts.append(tokens_in_words(tokens))
    while len(parts) > 1 and cells(" · ".join(parts)) > room:
        parts.pop()
    return " · ".join(parts)


def error_rows(error: QwenTuiError, width: int) -> list[Line]:
    """Return the rows of an error: what happened and what can be done."""
    title, sentence, hint = error.explanation
    rows = [*plain_lines(title, width, "error strong"), *plain_lines(sentence, width)]
    return [*rows, *plain_lines(hint, width, "muted")] if hint else rows
