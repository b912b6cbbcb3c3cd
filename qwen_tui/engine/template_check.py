"""Find out what a model's chat template and tokenizer do, without loading its weights."""

from typing import Any, NamedTuple

from qwen_tui.engine.chat_format import ChatFormat, Marks
from qwen_tui.engine.short_process import NoAnswer, answer_of
from qwen_tui.errors import QwenTuiError

PATIENCE_SECONDS = 300.0
"""Time limit; a tokenizer of a few megabytes may have to be downloaded."""


class TemplateCheck(NamedTuple):
    """What was found."""

    has_template: bool
    """False for a base model."""
    unlike_file: str
    """The library's class for the tokenizer, if it does not encode as `tokenizer.json` says; else empty."""
    form: ChatFormat


def check_template(model: str, *, trust_remote_code: bool = False) -> TemplateCheck:
    """Examine the guide, the model in a folder, or one of the hub; blocks for seconds. Raises QwenTuiError."""
    try:
        said = answer_of(
            "from qwen_tui.engine.local.try_template import main; main()",
            model,
            "trust" if trust_remote_code else "",
            patience_seconds=PATIENCE_SECONDS,
        )
    except NoAnswer as failure:
        raise QwenTuiError("engine.import_failed", detail=str(failure)) from failure
    if "error" in said:
        raise QwenTuiError.from_json(said["error"])
    return TemplateCheck(said["has_template"], said["unlike_file"], _format(said["format"]))


def _format(said: dict[str, Any]) -> ChatFormat:
    """Return the format that crossed as JSON, where every tuple became a list."""
    marks = Marks(*said["marks"]) if said["marks"] is not None else None
    headers = tuple((role, text) for role, text in said["headers"])
    return ChatFormat(**{**said, "marks": marks, "headers": headers, "efforts": tuple(said["efforts"])})
