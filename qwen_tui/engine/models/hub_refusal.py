"""Explain why the hub refuses a model, from the status and the error code of its response."""

from qwen_tui.engine.models.hub_probe import endpoint
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

CODE_HEADER = "X-Error-Code"
"""Header with the hub's error code: `RepoNotFound`, `GatedRepo`, `EntryNotFound`."""


def refusal(model: str, status: int, code: str, *, has_token: bool) -> QwenTuiError | None:
    """Return the error for the user, or None if the response says nothing about this model.

    Without a login, the hub answers 401 for models that do not exist, are private or are gated.
    """
    model = one_line(model)
    if code == "GatedRepo":
        return QwenTuiError("engine.gated", model=model, page=one_line(f"{endpoint()}/{model}"))
    if code == "EntryNotFound":
        return QwenTuiError("engine.no_model_in_folder", path=model, missing="config.json")
    if status == 401 and has_token:
        return QwenTuiError("engine.bad_token", model=model)
    if status in (401, 404):
        return QwenTuiError("engine.not_on_hub", model=model)
    return None
