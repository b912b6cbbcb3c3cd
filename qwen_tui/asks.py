"""What can be asked of the model in a conversation: one value for each way in which a turn begins."""

from typing import NamedTuple


class Send(NamedTuple):
    """Answer a new message."""

    text: str


class Edit(NamedTuple):
    """Answer another text in the place of a message of the person, in a branch of its own."""

    message_id: str
    text: str


class Regenerate(NamedTuple):
    """Answer a question again: the question's id or that of one of its answers; None for the last one."""

    message_id: str | None = None


class Continue(NamedTuple):
    """Go on with a reply that did not come to its end."""

    reply_id: str


class Replay(NamedTuple):
    """Run a reply again as its receipt tells, and compare."""

    reply_id: str


Ask = Send | Edit | Regenerate | Continue | Replay
