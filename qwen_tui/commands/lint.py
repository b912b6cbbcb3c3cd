"""`qwen-tui models --lint MODEL`: what a model's chat template and tokenizer do, one sentence each."""

import json
from collections.abc import Iterator
from typing import Any

from qwen_tui.chat.cleaning import one_line
from qwen_tui.commands.output import FAILED, print_lines
from qwen_tui.engine.template_check import TemplateCheck, check_template
from qwen_tui.strings import DEFAULT, say_in
from qwen_tui.wording.cell_width import displayed
from qwen_tui.wording.chat_template import SIGNS, Finding, template_findings


def lint(model: str, *, trust_remote_code: bool, as_json: bool) -> int:
    """Print what was found; return 0 if the model serves a chat, else 1. Raises QwenTuiError."""
    found = check_template(model, trust_remote_code=trust_remote_code)
    findings = list(findings_of(found))
    if as_json:
        told = {"model": model, **_as_json(found), "checks": [_check_json(each) for each in findings]}
        print_lines([json.dumps(told, ensure_ascii=False, indent=1)])
    else:
        print_lines(
            [
                displayed(one_line(model, 200)),
                *(f"  {SIGNS[each.state]} {each.sentence}" for each in findings),
            ]
        )
    return FAILED if any(each.state == "fails" for each in findings) else 0


def findings_of(found: TemplateCheck) -> Iterator[Finding]:
    """Return what a person should know: about the tokenizer, then about the template."""
    yield _tokenizer(found)
    if found.has_template:
        yield from template_findings(found.form)
    else:
        yield Finding("base", {}, "note")


def _tokenizer(found: TemplateCheck) -> Finding:
    if found.unlike_file:
        return Finding("unlike_file", {"name": found.unlike_file}, "note")
    return Finding("tokenizer", {})


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
