"""Requests to the model: one value for each way to begin a turn."""

from dataclasses import dataclass, field
from typing import NamedTuple

from qwen_tui.chat.messages import Json, new_message_id


@dataclass(frozen=True, slots=True)
class Send:
    """Answer a new message."""

    text: str
    own_id: str = field(default_factory=new_message_id)
    """The id of the message it becomes; shows whether it was accepted, even after a crash."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Answer an edited version of a person's message, on a new branch."""

    message_id: str
    text: str
    own_id: str = field(default_factory=new_message_id)
    """The id of the message it becomes."""


class Regenerate(NamedTuple):
    """Regenerate a reply, given the id of its question or of one of its variants; None for the last question."""

    message_id: str | None = None
    given_ids: tuple[int, ...] = ()
    """Tokens that the new reply begins with."""
    sampling: tuple[tuple[str, Json], ...] = ()
    """Values of `Sampling` for this reply only, by name."""


LAST = Regenerate()
"""Regenerate the reply to the last question."""


class Continue(NamedTuple):
    """Continue an unfinished or edited reply."""

    reply_id: str


class Replay(NamedTuple):
    """Run a reply again from its receipt, and compare."""

    reply_id: str


TurnRequest = Send | Edit | Regenerate | Continue | Replay
