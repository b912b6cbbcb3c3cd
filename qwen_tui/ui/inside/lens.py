"""The logit lens of one token of a reply: ask the engine for it, and draw it layer by layer."""

from dataclasses import replace

from qwen_tui.chat.messages import Message
from qwen_tui.engine.base import Engine
from qwen_tui.engine.inspection import Lens, LensLayer
from qwen_tui.engine.trace import Candidate
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.replay import request_again
from qwen_tui.strings import say
from qwen_tui.ui.inside.candidates import TEXT_CELLS, words_of
from qwen_tui.ui.inside.page import note
from qwen_tui.ui.inside.subject import Subject
from qwen_tui.ui.markdown.charts import bar, padded, percent
from qwen_tui.ui.markdown.lines import Line
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import padded_left

_NAME_CELLS = 12
_PERCENT_CELLS = 6
_RANK_CELLS = 9


def lens_of(subject: Subject, engine: Engine, reply: Message, at: int) -> Lens:
    """Ask what each layer would have said in place of the token at this index; raises `QwenTuiError`."""
    if not reply.receipt:
        raise QwenTuiError("replay.no_receipt")
    request = request_again(subject.conversation, reply, 0, engine.info)
    ids = tuple(token for run in reply.receipt for token in run.token_ids)
    return engine.lens(replace(request, given_ids=ids[:at]))


def lens_rows(lens: Lens, cursor: int, width: int) -> list[Line]:
    """Draw the likeliest token after each layer: its probability, and the rank of the last layer's token."""
    last = lens.layers[-1]
    room = max(3, width - _NAME_CELLS - TEXT_CELLS - _PERCENT_CELLS - _RANK_CELLS - 2)
    heading = padded(say("inside.lens.column"), _NAME_CELLS) + padded(say("inside.column.token"), TEXT_CELLS)
    heading += padded_left(say("inside.column.p"), _PERCENT_CELLS)
    heading += padded_left(say("inside.lens.rank"), _RANK_CELLS)
    rows = [Line(((heading, "muted"),))]
    for number, layer in enumerate(lens.layers):
        ink = "strong accent" if layer.id == last.id else ""
        words = padded(_words(layer), TEXT_CELLS)
        runs = (
            (padded(_name(layer), _NAME_CELLS), "muted"),
            (words, f"{ink} chosen".strip() if number == cursor else ink),
            (padded_left(percent(layer.probability), _PERCENT_CELLS), ink),
            (padded_left(f"{layer.final_rank:,}", _RANK_CELLS), "muted"),
            ("  ", ""),
            (bar(layer.probability, room), "accent" if layer.id == last.id else ""),
        )
        rows.append(Line(tuple(run for run in runs if run[0])))
    return rows


def lens_heading(lens: Lens, width: int) -> list[Line]:
    """Say what a lens shows."""
    title = Line(((say("inside.lens"), "strong"),))
    return [title, *note("inside.lens.hint", width, words=_words(lens.layers[-1]))]


def layer_in_words(lens: Lens, number: int, width: int) -> list[Line]:
    """Describe one layer."""
    layer, last = lens.layers[number], lens.layers[-1]
    code = "inside.lens.says" if layer.layer else "inside.lens.before"
    said = say(
        code,
        number=layer.layer,
        words=_words(layer),
        p=percent(layer.probability),
        last=_words(last),
        rank=layer.final_rank,
    )
    return wrap([(said, "muted")], width)


def _name(layer: LensLayer) -> str:
    return say("inside.lens.layer", number=layer.layer) if layer.layer else say("inside.lens.embedding")


def _words(layer: LensLayer) -> str:
    return words_of(Candidate(layer.id, layer.text, 0.0))
