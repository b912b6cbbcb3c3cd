"""What a model's chat template does with a conversation, one sentence each."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.chat_format import ChatFormat
from qwen_tui.strings import listed, say
from qwen_tui.wording.cell_width import displayed

SIGNS = {"ok": "✓", "note": "!", "fails": "✗"}

LONGEST = 120
"""How many characters of a template's text are shown."""


class Finding(NamedTuple):
    """One line: a fact, and whether it is a problem."""

    code: str
    """Its sentence is `lint.CODE`."""
    parameters: Mapping[str, str | Sequence[str]]
    state: Literal["ok", "note", "fails"] = "ok"

    @property
    def sentence(self) -> str:
        """The fact in the chosen language."""
        filled = {
            name: each if isinstance(each, str) else listed(each) for name, each in self.parameters.items()
        }
        return say(f"lint.{self.code}", **filled)


def template_findings(form: ChatFormat) -> Iterator[Finding]:
    """Return what a person should know, in the order in which a prompt and its reply come about."""
    if form.refusal:
        yield Finding("refuses", {"detail": form.refusal}, "fails")
        return
    yield Finding("named", {"name": form.named}, "note") if form.named else Finding("template", {})
    if form.loses_text:
        yield Finding(f"loses_{form.loses_text}", {}, "fails")
    elif form.reads_parts:
        yield Finding("parts", {})
    yield Finding("system", {}) if form.keeps_system else Finding("no_system", {}, "note")
    yield from _structure(form)
    yield from _thinking(form)
    yield Finding("extends", {}) if form.extends_prefix else Finding("rewrites", {}, "note")


def _structure(form: ChatFormat) -> Iterator[Finding]:
    headers = dict(form.headers)
    if headers.get("user") and headers.get("assistant"):
        yield Finding("headers", {"user": _shown(headers["user"]), "assistant": _shown(headers["assistant"])})
    else:
        yield Finding("no_headers", {}, "note")
    if form.end_of_turn:
        yield Finding("end", {"token": _shown(form.end_of_turn)})
    else:
        yield Finding("no_end", {}, "note")
    if form.adds:
        yield Finding("adds_date" if form.adds_date else "adds", {"text": _shown(form.adds)}, "note")
    else:
        yield Finding("adds_nothing", {})


def _thinking(form: ChatFormat) -> Iterator[Finding]:
    if form.marks is None:
        yield Finding("no_marks", {})
        return
    marks = {"open": _shown(form.marks.open), "close": _shown(form.marks.close)}
    yield Finding("channels" if form.marks.names_channels else "marks", marks)
    if form.switch:
        yield Finding("switch", {"name": form.switch})
    elif form.opens_thought:
        yield Finding("always_thinks", {})
    if form.efforts:
        yield Finding("efforts", {"name": form.effort_name, "efforts": form.efforts})
    yield Finding("keeps_thoughts" if form.keeps_thoughts else "drops_thoughts", {})


def _shown(text: str) -> str:
    """Return a template's text in one line, with its newlines as they are written in a template."""
    text = one_line(text.replace("\n", "\\n"), 10 * LONGEST)
    return displayed(text if len(text) <= LONGEST else text[: LONGEST - 1] + "…")
