"""What there is to say of a model that a server holds, for the screen and the command line."""

from qwen_tui.engine.base import ModelInfo, NotTaken, TriesAgain
from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings import joined, listed, say


def reasons_in_words(info: ModelInfo) -> str:
    """What the person should know before the first reply."""
    return joined(*(say(reason.code, **dict(reason.parameters)) for reason in info.reasons))


def not_taken_in_words(event: NotTaken) -> str:
    """That the server does not take some of the settings, or may not."""
    names = listed(OPTIONS[name].label for name in event.names)
    return say("server.not_taken" if event.is_certain else "server.uncertain", kind=event.kind, names=names)


def tries_again_in_words(event: TriesAgain) -> str:
    """That the server is away or busy, and when it is asked again."""
    code = "server.tries_busy_again" if event.status else "server.tries_again"
    return say(code, **event._asdict())
