"""Why a model is not decoded in the fastest way, among the reasons for how it was loaded."""

from qwen_tui.engine.base import ModelInfo, Reason

SLOWED = "engine.decoding."
"""How the codes of such reasons begin."""


def slowed(info: ModelInfo) -> Reason | None:
    """Return why the model is not decoded in the fastest way; None if it is, or if that is not known."""
    return next((reason for reason in info.reasons if reason.code.startswith(SLOWED)), None)
