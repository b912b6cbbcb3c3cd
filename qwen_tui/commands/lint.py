"""`qwen-tui models --lint MODEL`: what a model's chat template and tokenizer do, one sentence each."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from qwen_tui.chat.cleaning import one_line
from qwen_tui.commands.output import FAILED, print_lines
from qwen_tui.engine.chat_format import ChatFormat
from qwen_tui.engine.template_check import TemplateCheck, check_template
from qwen_tui.strings import DEFAULT, listed, say, say_in
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


def lint(model: str, *, trust_remote_code: bool, as_json: bool) -> int:
    """Print what was found; return 0 if the model serves a chat, else 1. Raises QwenTuiError."""
    found = check_template(model, trust_remote_code=trust_remote_code)
    findings = list(findings_of(found))
    if as_json:
        said = {"model": model, **_as_json(found), "checks": [_check_json(each) for each in findings]}
        print_lines([json.dumps(said, ensure_ascii=False, indent=1)])
    else:
        print_lines([displayed(one_line(model, 200)), *(_line(each) for each in findings)])
    return FAILED if any(each.state == "fails" for each in findings) else 0


def findings_of(found: TemplateCheck) -> Iterator[Finding]:
    """Return what a person should know, in the order in which a prompt and its reply come about."""
    form = found.form
    yield _tokenizer(found)
    if not found.has_template:
        yield Finding("base", {}, "note")
        return
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


def _tokenizer(found: TemplateCheck) -> Finding:
    if found.unlike_file:
        return Finding("unlike_file", {"name": found.unlike_file}, "note")
    return Finding("tokenizer", {})


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


def _line(finding: Finding) -> str:
    filled = {
        name: each if isinstance(each, str) else listed(each) for name, each in finding.parameters.items()
    }
    return f"  {SIGNS[finding.state]} {say(f'lint.{finding.code}', **filled)}"


def _check_json(finding: Finding) -> dict[str, str]:
    """Return a finding for programs, which read English in every language."""
    filled = {
        name: each if isinstance(each, str) else ", ".join(each) for name, each in finding.parameters.items()
    }
    says = say_in(DEFAULT, f"lint.{finding.code}", **filled)
    return {"name": finding.code, "state": finding.state, "says": says}


def _as_json(found: TemplateCheck) -> dict[str, Any]:
    form = found.form._asdict()
    form["marks"] = found.form.marks._asdict() if found.form.marks else None
    form["headers"] = dict(found.form.headers)
    return {"has_template": found.has_template, "unlike_file": found.unlike_file or None, "format": form}
