"""Describe a message in words: its author, its time, and remarks on how it ended."""

from dataclasses import replace
from datetime import UTC, datetime

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.files import LONG_AGO
from qwen_tui.chat.messages import Message, Role, Run, Status
from qwen_tui.strings import say

UNKNOWN_MODEL = "Assistant"
"""The model of an imported reply whose file names none. Stored, so the same in every language."""

CUT_SHORT = (Status.STOPPED, Status.INTERRUPTED, Status.LENGTH)


def model_of(message: Message) -> str:
    """Return the short name of the model that wrote a reply; empty if unknown or for other messages."""
    if message.role is not Role.ASSISTANT:
        return ""
    model = message.receipt[-1].model if message.receipt else message.model
    return model.rstrip("/").rpartition("/")[2]


def author(message: Message) -> str:
    """Return who wrote a message; for a reply, its model."""
    return _model_in_words(message) or say(f"chat.author.{message.role.value}")


def when(moment: str) -> str:
    """Format a time to the minute in UTC; empty if unknown."""
    if moment == LONG_AGO:
        return ""
    return datetime.fromisoformat(moment).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def when_here(moment: str) -> str:
    """Format a time to the minute in the local time zone, for a list that is read now."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%Y-%m-%d %H:%M")
    except (OverflowError, OSError, ValueError):  # the last day of the year 9999 has no tomorrow
        return when(moment)


def remarks(message: Message) -> tuple[str, ...]:
    """Return remarks on a message: that it was edited, how it ended, and why it failed."""
    said = [say("chat.edited")] if message.edited else []
    if message.status in CUT_SHORT:
        said.append(say(f"chat.status.{message.status.value}"))
    if message.error is not None:
        said.append(message.error.explanation.sentence)
    return tuple(said)


def author_of(message: Message, assistant: str) -> str:
    """Return who wrote a message; a reply names its own model if known, else `assistant`."""
    if message.role is not Role.ASSISTANT:
        return say(f"chat.author.{message.role.value}")
    return one_line(_model_in_words(message) or assistant, 80) or say("chat.author.assistant")


def _model_in_words(message: Message) -> str:
    model = model_of(message)
    return say("chat.author.assistant") if model == UNKNOWN_MODEL else model


_MOST = 10**12
"""Larger figures come from no model."""


def plausible(run: Run) -> Run:
    """Return the run with implausible figures set to 0: a file may contain any number."""
    return replace(
        run,
        prompt_tokens=int(_within(run.prompt_tokens)),
        reused_tokens=int(_within(run.reused_tokens)),
        new_tokens=int(_within(run.new_tokens)),
        first_token_seconds=_within(run.first_token_seconds),
        decode_seconds=_within(run.decode_seconds),
        content_start=int(_within(run.content_start)),
        thinking_start=int(_within(run.thinking_start)),
    )


def _within(value: float) -> float:
    return value if 0 <= value <= _MOST else 0  # NaN compares false
