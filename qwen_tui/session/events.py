"""Events of a turn, as the session reports them to the screen, to `qwen-tui ask` and to the tests."""

from typing import NamedTuple

from qwen_tui.chat.context import Window
from qwen_tui.chat.messages import Message
from qwen_tui.engine.base import NotTaken, PrefillProgress, PromptReady, TextDelta, ThinkingDelta, TriesAgain
from qwen_tui.engine.trace import Traced
from qwen_tui.errors import QwenTuiError


class Accepted(NamedTuple):
    """The person's message was added to the conversation and saved."""

    message: Message


class Refused(NamedTuple):
    """The turn was refused before it started; its text must return to the message box."""

    text: str
    error: QwenTuiError


class ReplyStarted(NamedTuple):
    """The model was asked. `reply` is empty, or has the text to continue; `window` is what the model sees."""

    reply: Message
    window: Window
    first_sent: str
    """The id of the oldest message that the model sees."""


class Replied(NamedTuple):
    """The reply has ended, in whatever way, and is recorded. The last event of an accepted turn."""

    reply: Message


class NotSaved(NamedTuple):
    """Saving failed; everything is in memory, and `save` can be retried."""

    error: QwenTuiError


class SavedAgain(NamedTuple):
    """Everything that could not be written during the reply is now on disk."""


Event = (
    Accepted
    | Refused
    | ReplyStarted
    | PromptReady
    | PrefillProgress
    | NotTaken
    | TriesAgain
    | Traced
    | ThinkingDelta
    | TextDelta
    | Replied
    | NotSaved
    | SavedAgain
)
