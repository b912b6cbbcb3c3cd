"""Why the hub does not give a model, by the status and the code of its answer."""

from qwen_tui.engine.models.hub_probe import endpoint
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

CODE_HEADER = "X-Error-Code"
"""In which the hub names what is wrong: `RepoNotFound`, `GatedRepo`, `EntryNotFound`."""


def refusal(model: str, status: int, code: str, *, has_token: bool) -> QwenTuiError | None:
    """The error as the person is told it; None when the answer says nothing about this model.

    Who is not logged in gets 401 for what does not exist, for what is private and for what is gated.
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
