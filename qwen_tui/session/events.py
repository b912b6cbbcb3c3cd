"""What happens in a turn, as the session tells it: to the screen, to `qwen-tui ask`, to the tests."""

from typing import NamedTuple

from qwen_tui.chat.context import Window
from qwen_tui.chat.messages import Message
from qwen_tui.engine.base import NotTaken, PrefillProgress, PromptReady, TextDelta, ThinkingDelta, TriesAgain
from qwen_tui.errors import QwenTuiError


class Accepted(NamedTuple):
    """The person's message is part of the conversation and on disk."""

    message: Message


class Refused(NamedTuple):
    """The turn was not begun; the text belongs back in the composer."""

    text: str
    error: QwenTuiError


class ReplyStarted(NamedTuple):
    """The model is asked. `reply` is empty, or has the text that is continued; `window` tells what is seen."""

    reply: Message
    window: Window
    first_sent: str
    """The id of the oldest message that the model sees."""


class Replied(NamedTuple):
    """The reply has ended, one way or another, and is recorded. The last event of a turn that was accepted."""

    reply: Message


class NotSaved(NamedTuple):
    """Saving failed; everything is kept in memory, and `save` is worth trying again."""

    error: QwenTuiError


class SavedAgain(NamedTuple):
    """What could not be written while the reply came is on the disk now, with all of it."""


Event = (
    Accepted
    | Refused
    | ReplyStarted
    | PromptReady
    | PrefillProgress
    | NotTaken
    | TriesAgain
    | ThinkingDelta
    | TextDelta
    | Replied
    | NotSaved
    | SavedAgain
)
