"""The text of a receipt: how a reply was generated, as the receipt dialog shows and copies it.

A receipt may come from a damaged file or another program, so none of its values are trusted.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.message_text import plausible
from qwen_tui.chat.messages import Json, Message, Run, Status
from qwen_tui.engine.base import EFFORTS, ON_SERVER, STOP_REASONS
from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings import say
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.wrap import wrap
from qwen_tui.wording.cell_width import cells, displayed
from qwen_tui.wording.decoding import path_in_words, slowed_in_words
from qwen_tui.wording.settings import worded_open
from qwen_tui.wording.units import in_speed, tokens_in_words

_LABELS = 16
"""Width of the label column, in cells."""

_NARROW = 44
"""Minimum width, in cells, to show values next to their labels instead of below."""

_MOST_ROWS = 8
"""Rows shown of one value; copying includes all of it."""

_ID_CELLS = 7
"""Width of a token id, in cells; vocabularies need at most six digits."""


class Sheet(NamedTuple):
    """One run of a reply."""

    title: str
    facts: tuple[tuple[str, str], ...]
    """Labels and values."""
    token_ids: tuple[int, ...] = ()


# --- Facts ---


def sheets(
    message: Message, path: Sequence[Message] = (), changed: Mapping[str, Json] = MappingProxyType({})
) -> list[Sheet]:
    """Return a sheet for each run.

    `path` is searched for the first message of the context; `changed` are today's sampling values where they
    differ from the last run's.
    """
    count = len(message.receipt)
    return [
        Sheet(
            say("receipt.run", number=number, of=count) if count > 1 else "",
            tuple((say(f"receipt.{name}"), value) for name, value in facts if value),
            run.token_ids,
        )
        for number, run in enumerate(message.receipt, 1)
        for facts in [_facts(plausible(run), path, changed if number == count else {})]
    ]


def why_none(message: Message) -> str:
    """Return why a reply has no receipt."""
    if message.edited:
        return say("receipt.none.edited")
    if message.status in (Status.INTERRUPTED, Status.FAILED, Status.STOPPED):
        return say(f"receipt.none.{message.status.value}")
    return say("receipt.none")


def _facts(run: Run, path: Sequence[Message], changed: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    """Yield values by the names of their sentences (`receipt.NAME`); empty values are to be omitted."""
    unknown, decoding, ended = say("receipt.unknown"), run.decode_path, run.stop_reason
    yield "model", run.model or unknown
    yield "revision", run.revision
    if decoding == ON_SERVER:
        yield "server", run.device or unknown
    else:
        yield "weights", _weights(run)
        # A file may name a decoder or a stop reason that this version does not know.
        yield "decoding", path_in_words(decoding) or unknown
        yield "slowed", slowed_in_words(run.slowed)
    yield "seed", str(run.seed)[:40]
    yield "sampling", _listed(run.sampling) or unknown
    yield (
        "now",
        " · ".join(
            f"{OPTIONS[name].label} {worded_open(OPTIONS[name], value, None)}"
            for name, value in changed.items()
        ),
    )
    yield "not_taken", run.not_taken
    yield "thinking", _thinking(run)
    yield "system_prompt", run.system_prompt
    yield "first_sent", _first_sent(run.first_sent, path)
    yield "continued", _continued(run)
    yield "prompt", _prompt(run)
    yield "reply", tokens_in_words(run.new_tokens)
    yield "time", _times(run)
    yield "ended", say(f"receipt.ended.{ended}") if ended in STOP_REASONS else ended
    yield "digest", run.prompt_digest
    yield "extra", _listed(run.extra)


def _thinking(run: Run) -> str:
    asked = "" if run.thinking is None else say("receipt.on" if run.thinking else "receipt.off")
    if run.effort:
        asked = say(f"panes.effort.{run.effort}") if run.effort in EFFORTS else run.effort
    closed = tokens_in_words(run.thought_closed_at) if run.thought_closed_at else ""
    return say("clauses.between").join(
        filter(None, (asked, say("receipt.thinking.closed", tokens=closed) if closed else ""))
    )


def _weights(run: Run) -> str:
    plain = run.quantization in ("", "none")
    parts = [say("receipt.not_quantized") if plain else run.quantization, run.dtype]
    weights = say("clauses.between").join(filter(None, parts))
    return say("receipt.on_device", weights=weights, device=run.device) if run.device else weights


def _first_sent(message_id: str, path: Sequence[Message]) -> str:
    for number, message in enumerate(path, 1):
        if message.id == message_id:
            words = one_line(message.content, 60)
            return say("receipt.first_sent.message", number=number, of=len(path), words=words)
    return message_id


def _continued(run: Run) -> str:
    if run.content_start:
        return say("receipt.continued.content", count=run.content_start)
    return say("receipt.continued.thinking", count=run.thinking_start) if run.thinking_start else ""


def _prompt(run: Run) -> str:
    if not run.prompt_tokens:  # a server reports it at the end of a reply, and this one was stopped
        return say("receipt.unknown") if run.decode_path == ON_SERVER else ""
    if not run.reused_tokens:
        return tokens_in_words(run.prompt_tokens)
    return say("receipt.prompt.reused", tokens=tokens_in_words(run.prompt_tokens), reused=run.reused_tokens)


def _times(run: Run) -> str:
    parts = []
    if run.first_token_seconds:
        parts.append(say("chat.receipt.first", seconds=run.first_token_seconds))
    if run.decode_seconds:
        parts.append(say("receipt.time.rest", seconds=run.decode_seconds))
    if speed := run.tokens_per_second:
        parts.append(in_speed(speed))
    return say("clauses.between").join(parts)


def _listed(values: Mapping[str, Json]) -> str:
    texts = {
        name: value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        for name, value in values.items()
    }
    return " · ".join(f"{one_line(name, 40)} {one_line(text, 400)}" for name, text in texts.items())


# --- Layout and text ---


def rows_of(sheet: Sheet, width: int) -> list[Line]:
    """Lay out a run: its facts, then its token ids, each row starting with the number of its first token."""
    rows: list[Line] = []
    if sheet.title:
        rows += [Line(((sheet.title, "accent strong"),)), BLANK]
    for label, value in sheet.facts:
        rows += _fact_rows(label, value, width)
    if sheet.token_ids:
        count = len(sheet.token_ids)
        rows += [
            BLANK,
            Line(((say("receipt.ids", count=count), "strong"),)),
            *_id_rows(sheet.token_ids, width),
        ]
    return rows


def _fact_rows(label: str, value: str, width: int) -> list[Line]:
    if width < _NARROW:
        body = _cut(wrap([(displayed(value), "")], width - 2))
        return [Line(((label, "muted"),)), *(line._replace(runs=(("  ", ""), *line.runs)) for line in body)]
    body = _cut(wrap([(displayed(value), "")], width - _LABELS))
    heads = [label + " " * max(1, _LABELS - cells(label)), *[" " * _LABELS] * (len(body) - 1)]
    return [line._replace(runs=((head, "muted"), *line.runs)) for head, line in zip(heads, body, strict=True)]


def _cut(lines: list[Line]) -> list[Line]:
    return lines if len(lines) <= _MOST_ROWS else [*lines[: _MOST_ROWS - 1], Line((("…", "muted"),))]


def _id_rows(ids: Sequence[int], width: int) -> list[Line]:
    digits = len(f"{len(ids):,}")
    count = max(1, (width - digits - 1) // _ID_CELLS)
    count -= count % 5 if count > 5 else 0
    return [
        Line(
            (
                (f"{at + 1:>{digits},} ", "frame"),
                ("".join(_id(token) for token in ids[at : at + count]), "muted"),
            ),
            prefix=digits + 1,
        )
        for at in range(0, len(ids), count)
    ]


def _id(token: int) -> str:
    text = str(token)
    return f"{text if len(text) < _ID_CELLS else text[: _ID_CELLS - 2] + '…':>{_ID_CELLS}}"


def text_of(message: Message, runs: Sequence[Sheet] | None = None) -> str:
    """Return the whole receipt as text to copy: one fact per line, and all token ids."""
    lines: list[str] = []
    for sheet in sheets(message) if runs is None else runs:
        lines += [*([""] if lines else []), *([sheet.title] if sheet.title else [])]
        lines += [say("receipt.fact", label=label, value=value) for label, value in sheet.facts]
        lines.append(say("receipt.ids.copied", ids=" ".join(map(str, sheet.token_ids))))
    return "\n".join(lines or [why_none(message)])
