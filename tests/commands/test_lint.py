"""`qwen-tui models --lint`: what a template and a tokenizer do, for people and for programs."""

import json
from pathlib import Path

import pytest
import tiny_models
from chat_templates import KINDS, tokenizer_of

from qwen_tui import cli, strings
from qwen_tui.commands.lint import findings_of
from qwen_tui.engine.chat_format import ChatFormat
from qwen_tui.engine.local.prompts.probe import probe
from qwen_tui.engine.local.prompts.template import chat_template
from qwen_tui.engine.template_check import TemplateCheck


def found(kind: str) -> dict[str, str]:
    """The state of each finding, by its code."""
    tokenizer = tokenizer_of(kind)
    form = probe(chat_template(tokenizer), tokenizer)
    return {each.code: each.state for each in findings_of(TemplateCheck(True, "", form))}


@pytest.mark.parametrize("kind", KINDS)
def test_every_template_that_serves_a_chat_passes(kind: str) -> None:
    states = found(kind)
    assert "fails" not in states.values()
    assert {"tokenizer", "template", "headers", "end"} <= states.keys()


def test_what_a_person_should_know_is_noted() -> None:
    notes = {kind: {code for code, state in found(kind).items() if state == "note"} for kind in KINDS}
    assert notes["qwen2.5"] == {"adds"}
    assert notes["qwen3"] == {"rewrites"}
    assert notes["qwen3.8"] == set()
    assert notes["first phi-3"] == {"no_system"}
    assert notes["gpt-oss"] == {"adds_date", "rewrites"}
    assert "always_thinks" in found("deepseek-r1")
    assert "efforts" in found("qwen3.8")


def test_a_template_that_serves_no_chat_fails() -> None:
    refused = findings_of(TemplateCheck(True, "GPT2Tokenizer", ChatFormat(refusal="no")))
    assert [(each.code, each.state) for each in refused] == [("unlike_file", "note"), ("refuses", "fails")]
    lost = findings_of(TemplateCheck(True, "", ChatFormat(loses_text="user")))
    assert ("loses_user", "fails") in [(each.code, each.state) for each in lost]
    base = findings_of(TemplateCheck(False, "", ChatFormat()))
    assert [each.code for each in base] == ["tokenizer", "base"]


def test_it_is_printed_from_the_tokenizer_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tiny_models.qwen2(tmp_path / "model", tokenizer=tokenizer_of("qwen3.8"))
    (folder / "model.safetensors").unlink()
    options = ["models", "--data-dir", str(tmp_path), "--lint", str(folder)]
    assert cli.main([*options, "--language", "zh"]) == 0
    name, *lines = capsys.readouterr().out.splitlines()
    assert name == str(folder)
    assert "  ✓ 会改变提示词的思考强度（reasoning_effort）：low、medium、xhigh。" in lines
    assert cli.main([*options, "--language", "zh", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    strings.choose("en")
    assert said["format"]["marks"] == {"open": "<think>\n", "close": "\n</think>\n\n", "answer": ""}
    checks = {each["name"]: each for each in said["checks"]}
    assert checks["switch"] == {
        "name": "switch",
        "state": "ok",
        "says": "Thinking can be turned on and off (enable_thinking).",
    }


def test_a_model_that_is_nowhere_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["models", "--lint", "/nowhere/at/all"]) == 1
    assert "/nowhere/at/all" in capsys.readouterr().err
