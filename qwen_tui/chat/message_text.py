"""A message in words: who wrote it, when, and what is to be said of it beside its text."""

from datetime import UTC, datetime

from qwen_tui.chat.files import LONG_AGO
from qwen_tui.chat.messages import Message, Role, Status
from qwen_tui.strings import say

CUT_SHORT = (Status.STOPPED, Status.INTERRUPTED, Status.LENGTH)


def model_of(message: Message) -> str:
    """The short name of the model that wrote a reply; empty where that is not known, and for other messages."""
    if message.role is not Role.ASSISTANT:
        return ""
    model = message.receipt[-1].model if message.receipt else message.model
    return model.rstrip("/").rpartition("/")[2]


def author(message: Message) -> str:
    """Who wrote a message; a reply is by its model."""
    return model_of(message) or say(f"chat.author.{message.role.value}")


def when(moment: str) -> str:
    """A moment of a conversation to the minute, in UTC; empty for one that is not known."""
    if moment == LONG_AGO:
        return ""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def when_here(moment: str) -> str:
    """The same in the time of this machine, for a list that is read now."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):  # the last day of the year 9999 has no tomorrow
        return when(moment)


def remarks(message: Message) -> tuple[str, ...]:
    """That it was edited, how it ended, and why it failed."""
    said = [say("chat.edited")] if message.edited else []
    if message.status in CUT_SHORT:
        said.append(say(f"chat.status.{message.status.value}"))
    if message.error is not None:
        said.append(message.error.explanation.sentence)
    return tuple(said)
