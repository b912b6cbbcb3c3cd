"""What can be asked of the model in a conversation: one value for each way in which a turn begins."""

from dataclasses import dataclass, field
from typing import NamedTuple

from qwen_tui.chat.messages import new_message_id


@dataclass(frozen=True, slots=True)
class Send:
    """Answer a new message."""

    text: str
    own_id: str = field(default_factory=new_message_id)
    """Of the message that the text becomes: tells whether it has become one, a crash later too."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Answer another text in the place of a message of the person, in a branch of its own."""

    message_id: str
    text: str
    own_id: str = field(default_factory=new_message_id)
    """Of the message that the text becomes."""


class Regenerate(NamedTuple):
    """Answer a question again: the question's id or that of one of its answers; None for the last one."""

    message_id: str | None = None


class Continue(NamedTuple):
    """Go on with a reply that did not come to its end."""

    reply_id: str


class Replay(NamedTuple):
    """Run a reply again as its receipt tells, and compare."""

    reply_id: str


TurnRequest = Send | Edit | Regenerate | Continue | Replay
