"""How one token was chosen, in words and bars; shared by the tabs that look at a token of a reply."""

import math
from collections.abc import Sequence

from qwen_tui.engine.trace import Candidate, Cut, TokenTrace
from qwen_tui.engine.what_if import Reshaped
from qwen_tui.strings import joined, listed, say
from qwen_tui.ui.inside.page import note
from qwen_tui.ui.inside.subject import Look
from qwen_tui.ui.markdown.charts import bar, padded, percent
from qwen_tui.ui.markdown.lines import Line, Run
from qwen_tui.ui.markdown.plain import plain_lines
from qwen_tui.ui.markdown.tokens import pieces, visible
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import cells, padded_left

TEXT_CELLS = 14
_PERCENT_CELLS = 6
_STAGE_CELLS = 17


def words_of(candidate: Candidate) -> str:
    """Return a candidate's text on one line; as bytes if it is a part of a character."""
    try:
        return visible(candidate.text.decode("utf-8")) or say("inside.empty")
    except UnicodeDecodeError:
        return say("inside.bytes", bytes=candidate.text.hex(" ").upper())


def probability(candidate: Candidate) -> float:
    """Return the probability that the model gave a candidate."""
    return math.exp(min(0.0, candidate.logprob))


def why_no_trace(look: Look, width: int) -> list[Line]:
    """Say why there is nothing to show about a token, and what to do."""
    if look.reply is None:
        return note("inside.no_reply", width)
    if look.said:
        return plain_lines(look.said, width, "muted")
    return note("inside.no_trace.token" if look.traces else "inside.no_trace", width)


def head(look: Look, token: TokenTrace, width: int) -> list[Line]:
    """Show the token in its place in the reply, its rank, and how uncertain the model was."""
    facts = [
        say("inside.token.place", number=look.at + 1, of=len(look.traces)),
        say("inside.chosen.rank", rank=token.rank),
    ]
    facts.append(say("inside.chosen.p", p=percent(probability(token.chosen))))
    if token.is_measured:
        facts.append(say("inside.chosen.entropy", bits=token.entropy))
    return [_context(look, width), *wrap([(say("clauses.between").join(facts), "muted")], width)]


def _context(look: Look, width: int) -> Line:
    """Return the reply around the token, on one row."""
    texts = [t.chosen.text if t is not None else b"" for t in look.traces]
    parts = pieces(texts)
    at = next((n for n, part in enumerate(parts) if part.first <= look.at <= part.last), 0)
    chosen = visible(parts[at].text) or "·"
    room = max(0, width - cells(chosen))
    before = _end_of("".join(visible(part.text) for part in parts[max(0, at - 40) : at]), room * 2 // 3)
    after = _start_of("".join(visible(part.text) for part in parts[at + 1 : at + 40]), room - cells(before))
    return Line(((before, "muted"), (chosen, "chosen"), (after, "muted")))


def _end_of(text: str, width: int) -> str:
    while cells(text) > width:
        text = text[1:]
    return text


def _start_of(text: str, width: int) -> str:
    while cells(text) > width:
        text = text[:-1]
    return text


def candidate_rows(
    token: TokenTrace, after: Reshaped, width: int, *, count: int | None = None, cursor: int | None = None
) -> list[Line]:
    """Draw the likeliest tokens: the model's own probability, and the chance that sampling makes of it."""
    room = max(3, width - TEXT_CELLS - 2 * _PERCENT_CELLS - 5)
    heading = padded(say("inside.column.token"), TEXT_CELLS + 2)
    heading += padded_left(say("inside.column.p"), _PERCENT_CELLS) + padded_left(
        say("inside.column.chance"), _PERCENT_CELLS + 1
    )
    rows = [Line(((heading, "muted"),))]
    for number, candidate in enumerate(token.candidates[:count]):
        chance, p = after.chances[number], probability(candidate)
        is_chosen, is_cut = candidate.id == token.chosen.id, chance <= 0
        ink = "muted" if is_cut else "strong accent" if is_chosen else ""
        mark = "● " if is_chosen else "  "
        runs: tuple[Run, ...] = (
            (mark, "accent"),
            (padded(words_of(candidate), TEXT_CELLS), ink),
            (padded_left(percent(p), _PERCENT_CELLS), "muted"),
            (padded_left("–" if is_cut else percent(chance), _PERCENT_CELLS + 1), ink),
            ("  ", ""),
            (bar(chance, room), "accent" if is_chosen else ""),
        )
        if number == cursor:
            runs = ((mark, "accent"), (runs[1][0], f"{ink} chosen".strip()), *runs[2:])
        rows.append(Line(tuple(run for run in runs if run[0])))
    if not any(candidate.id == token.chosen.id for candidate in token.candidates):
        rows += note("inside.chosen.beyond", width, words=words_of(token.chosen), rank=token.rank)
    return rows


def funnel_rows(funnel: Sequence[Cut], stages: Sequence[str], width: int) -> list[Line]:
    """Draw how many tokens each step of sampling leaves, and the probability they had."""
    room = max(0, width - _STAGE_CELLS - 10 - _PERCENT_CELLS - 2)
    rows = [Line(((say("inside.funnel"), "strong"),))]
    for name, cut in zip(stages, funnel, strict=False):
        rows.append(
            Line(
                (
                    (padded(say(f"inside.stage.{name}"), _STAGE_CELLS), "muted"),
                    (f"{cut.survivors:>9,} ", ""),
                    (padded_left(percent(cut.probability), _PERCENT_CELLS), "muted"),
                    ("  " + bar(cut.probability, room), "accent"),
                )
            )
        )
    return rows


def considered(token: TokenTrace) -> str:
    """Say how likely a token was and what else was likely: `p = 0.57, also considered “x” (0.21)`."""
    others = [each for each in token.candidates if each.id != token.chosen.id and probability(each) >= 0.005][
        :3
    ]
    first = say("inside.heat.p", p=probability(token.chosen))
    if not others:
        return first
    names = listed(say("inside.heat.other", words=words_of(each), p=probability(each)) for each in others)
    return joined(first, say("inside.heat.others", others=names))
