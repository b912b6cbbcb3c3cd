"""Sentences about what a model or its server cannot do, for the screen and the command line."""

from qwen_tui.engine.base import ModelInfo, NotTaken, TriesAgain
from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings import joined, listed, say

_WORTH_SAYING = ("engine.decoding.", "engine.template.")
"""Reasons that a person should know of a model on this machine."""


def reasons_in_words(info: ModelInfo) -> str:
    """Return what the person should know before the first reply: limits of a server, slowness, a bad template."""
    told = (each for each in info.reasons if info.server or each.code.startswith(_WORTH_SAYING))
    return joined(*(say(reason.code, **dict(reason.parameters)) for reason in told))


def not_taken_in_words(event: NotTaken) -> str:
    """Say that the server does not, or may not, support some of the settings."""
    names = listed(OPTIONS[name].label for name in event.names)
    return say("server.not_taken" if event.is_certain else "server.uncertain", kind=event.kind, names=names)


def tries_again_in_words(event: TriesAgain) -> str:
    """Say that the server is unreachable or busy, and when the request is retried."""
    code = "server.tries_busy_again" if event.status else "server.tries_again"
    return say(code, **event._asdict())
