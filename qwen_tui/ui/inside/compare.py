"""Compare two replies: which words differ, where their tokens part, and which values they were made with."""

import re
from collections.abc import Mapping, Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

from qwen_tui.chat.messages import Json, Message, Run
from qwen_tui.engine.base import PENALTIES, SAMPLING_FIELDS, ModelInfo
from qwen_tui.settings.options import Settings
from qwen_tui.settings.resolution import is_greedy, own_value
from qwen_tui.strings import joined, say
from qwen_tui.ui.markdown.charts import beside
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.lines import Run as Inked
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import displayed

_UNSPACED = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3"
_WORDS = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+|\s+|.")
"""Words; in writing without spaces, single characters."""

_MOST_WORDS = 20_000
"""Longer replies are compared only up to their first difference: comparing takes quadratic time."""

_NARROW = 64
"""Minimum width, in cells, for two replies next to each other instead of one below the other."""


class Parting(NamedTuple):
    """Where the tokens of two replies part, counted from 1; `number` is None if one begins with the other."""

    number: int | None
    compared: int


def word_diff(one: str, other: str) -> tuple[list[Inked], list[Inked]]:
    """Return both texts as runs; words that only one of them has are inked `only`."""
    left, right = _WORDS.findall(one), _WORDS.findall(other)
    if len(left) + len(right) > _MOST_WORDS:
        same = next((n for n, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), len(left))
        blocks: Sequence[tuple[str, int, int, int, int]] = [
            ("equal", 0, same, 0, same),
            ("replace", same, len(left), same, len(right)),
        ]
    else:
        blocks = SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    first: list[Inked] = []
    second: list[Inked] = []
    for kind, a, b, c, d in blocks:
        ink = "" if kind == "equal" else "only"
        first.append(("".join(left[a:b]), ink))
        second.append(("".join(right[c:d]), ink))
    return [run for run in first if run[0]], [run for run in second if run[0]]


def parting(one: Message, other: Message) -> Parting | None:
    """Return where the generated tokens of two replies part; None if one of them has none recorded."""
    left, right = (tuple(i for run in m.receipt for i in run.token_ids) for m in (one, other))
    if not left or not right:
        return None
    pairs = enumerate(zip_longest(left, right), 1)
    number = next((n for n, (a, b) in pairs if a != b), None)
    return Parting(number, min(len(left), len(right)))


def values_of(run: Run) -> dict[str, Json]:
    """Return what a reply was made with, by the names of settings, as far as replies can differ in it."""
    values: dict[str, Json] = {name: run.sampling[name] for name in SAMPLING_FIELDS if name in run.sampling}
    if run.sampling.get("do_sample") is False:
        values = {name: values[name] for name in ("repetition_penalty",) if name in values}
        values["greedy"] = True
    model = " ".join(filter(None, (run.model, "" if run.quantization == "none" else run.quantization)))
    return {"model": model, **values, "seed": run.seed}


def differing(one: Message, other: Message) -> list[tuple[str, Json, Json]]:
    """Return the values in which two replies differ: name, this one's, the other one's."""
    if not one.receipt or not other.receipt:
        return []
    left, right = values_of(one.receipt[-1]), values_of(other.receipt[-1])
    both = ((name, left.get(name), right.get(name)) for name in {**left, **right})
    return [(name, a, b) for name, a, b in both if a != b]


def values_now(settings: Settings, info: ModelInfo | None) -> dict[str, Json]:
    """Return the sampling values that a reply would be made with now, as `values_of` names them."""
    if is_greedy(settings, info):
        names: Sequence[str] = PENALTIES
    else:
        names = SAMPLING_FIELDS
    values = {name: getattr(settings, name) for name in names}
    return {
        name: own_value(name, settings, info) if value is None else value for name, value in values.items()
    }


def changed_since(message: Message, settings: Settings, info: ModelInfo | None) -> dict[str, Json]:
    """Return today's value of each sampling value that a reply was made with another of."""
    if not message.receipt or info is None:
        return {}
    run, now = message.receipt[-1], values_now(settings, info)
    if bool(run.sampling.get("do_sample", True)) is is_greedy(settings, info):
        return {"temperature": 0.0 if is_greedy(settings, info) else now.get("temperature")}
    then = {name: run.sampling.get(name) for name in now}
    return {
        name: value for name, value in now.items() if None not in (value, then[name]) and value != then[name]
    }


def comparison(one: Message, other: Message, titles: tuple[str, str], width: int) -> list[Line]:
    """Lay out two replies next to each other; where it is too narrow, below each other."""
    left, right = word_diff(displayed(one.content), displayed(other.content))
    apart = differing(one, other)
    rows = _heading(one, other, apart, width)
    is_narrow = width < _NARROW
    column = width if is_narrow else (width - 3) // 2
    columns = [
        [
            Line(((title, "accent strong"),)),
            *_made_with(values, column),
            BLANK,
            *wrap(text or [(" ", "")], column),
        ]
        for title, text, values in (
            (titles[0], left, {name: a for name, a, _ in apart}),
            (titles[1], right, {name: b for name, _, b in apart}),
        )
    ]
    if is_narrow:
        return [*rows, *columns[0], BLANK, *columns[1]]
    return [*rows, *beside(columns[0], columns[1], column, gap=3)]


def _heading(one: Message, other: Message, apart: Sequence[object], width: int) -> list[Line]:
    said: list[str] = []
    where = parting(one, other)
    if where is None:
        said.append(say("inside.compare.no_tokens"))
    elif where.number is None:
        said.append(say("inside.compare.same", count=where.compared))
    else:
        said.append(say("inside.compare.parts", number=where.number))
    if not apart and one.receipt and other.receipt:
        said.append(say("inside.compare.same_values"))
    return [*wrap([(joined(*said), "muted")], width), BLANK]


def _made_with(values: Mapping[str, Json], width: int) -> list[Line]:
    if not values:
        return []
    words = " · ".join(f"{_label(name)} {_shown(value)}" for name, value in values.items())
    return wrap([(words, "muted")], width)


def _label(name: str) -> str:
    return say(f"settings.{name}.label")


def _shown(value: Json) -> str:
    if value is None:
        return say("panes.unset")
    if isinstance(value, bool):
        return say("panes.on" if value else "panes.off")
    return f"{value:.4g}" if isinstance(value, float) else displayed(str(value))
