"""Conversations as frozen values: a tree of messages of which one path is shown.

Nothing is changed in place: methods such as `with_message` return a new value. Regenerating and editing
create siblings (messages with the same parent); `head` names the leaf that is shown.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from qwen_tui.errors import QwenTuiError

Json = Any
"""A value that `json` can write: None, bool, int, float, str, list or dict with str keys."""


class Role(StrEnum):
    """Who wrote a message."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


class Status(StrEnum):
    """How a message ended."""

    COMPLETE = "complete"
    STOPPED = "stopped"
    """Stopped by the person; the text so far is kept."""
    INTERRUPTED = "interrupted"
    """The program or the machine ended while it was written."""
    LENGTH = "length"
    """It reached max_new_tokens or the end of the context window."""
    FAILED = "failed"
    """Ended by an error: see `Message.error`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One generation run of a reply, with what is needed to explain and repeat it; a receipt is a list of runs."""

    model: str
    revision: str = ""
    """The hub commit of the weights, or empty for a local folder."""
    quantization: str = "none"
    dtype: str = ""
    device: str = ""
    decode_path: str = "generate"
    """Which implementation decoded.

    `generate` is transformers' own loop, `graph` a CUDA graph of the forward pass, `kernels` our own kernels,
    `server` whatever a server uses.
    """
    slowed: Mapping[str, Json] = field(default_factory=dict)
    """Why it was not the fastest decode path: the `code` of a sentence, and its placeholder values; else empty."""
    seed: int = 0
    sampling: Mapping[str, Json] = field(default_factory=dict)
    """The effective sampling values, including the checkpoint's defaults."""
    not_taken: str = ""
    """Comma-separated names of settings that were requested but that the server does not support."""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    """How many of the prompt's tokens were already in the KV cache."""
    new_tokens: int = 0
    first_token_seconds: float = 0.0
    """From the request's arrival in the worker to the first generated token."""
    decode_seconds: float = 0.0
    """From the first generated token to the last."""
    stop_reason: str = ""
    """`eos`, `stop_string`, `length` or `stopped`."""
    token_ids: tuple[int, ...] = ()
    """The generated ids, including the end-of-turn token."""
    first_sent: str = ""
    """The id of the oldest message that the model saw."""
    system_prompt: str = ""
    """The system prompt sent before that message."""
    thinking: bool | None = None
    """The thinking mode requested of the template; None left it to the template."""
    effort: str = ""
    """The effort of thinking requested of the template; empty left it to the template."""
    given_tokens: int = 0
    """How many of `token_ids`, at their beginning, were given to the model instead of chosen by it."""
    thought_closed_at: int = 0
    """After how many tokens of thinking the program wrote the closing mark; 0 if it did not."""
    content_start: int = 0
    """Length of the answer, in characters, before this run: above 0 if the reply was continued."""
    thinking_start: int = 0
    """Length of the thinking, in characters, before this run."""
    prompt_digest: str = ""
    """First 16 hexadecimal digits of the SHA-256 of the prompt's token ids as little-endian int32."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Keys of the file that this version does not know; written back unchanged."""

    @property
    def tokens_per_second(self) -> float:
        """Decode speed: the tokens after the first divided by the time they took; 0 if there was only one."""
        chosen = self.new_tokens - self.given_tokens
        return (chosen - 1) / self.decode_seconds if chosen > 1 and self.decode_seconds > 0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: its text, its author, how it ended, and how it was generated."""

    role: Role
    content: str
    id: str = field(default_factory=lambda: new_message_id())
    parent: str | None = None
    """The id of the message before it; None for the first."""
    status: Status = Status.COMPLETE
    thinking: str = ""
    """The model's thinking, separate from the answer."""
    edited: bool = False
    """A person edited it; the original remains as a sibling."""
    error: QwenTuiError | None = None
    """Why it failed; separate from the content, because the model does not see errors."""
    created: str = field(default_factory=lambda: now())
    """ISO 8601, UTC."""
    receipt: tuple[Run, ...] = ()
    model: str = ""
    """The model of an imported reply, which has no receipt; empty if unknown."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Keys of the file that this version does not know; written back unchanged."""

    @property
    def can_go_on(self) -> bool:
        """Whether the model can continue it: a reply that has text but was edited or did not end by itself."""
        is_begun = self.role is Role.ASSISTANT and bool(self.content or self.thinking)
        return is_begun and (self.edited or self.status is not Status.COMPLETE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A named conversation: its messages, its overrides, and which path is shown."""

    name: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: str = field(default_factory=lambda: now())
    updated: str = field(default_factory=lambda: now())
    named_by_person: bool = False
    """False while the conversation is named after its first message."""
    pinned: bool = False
    """Kept at the top of the list."""
    overrides: Mapping[str, Json] = field(default_factory=dict)
    """Settings that differ from the person's defaults, by field name."""
    messages: tuple[Message, ...] = ()
    """The messages of all branches in the order they were added; parents precede their children."""
    head: str | None = None
    """The id of the leaf that is shown; None while there are no messages."""
    extra: Mapping[str, Json] = field(default_factory=dict)

    def path(self) -> tuple[Message, ...]:
        """Return the shown messages, from the first to `head`."""
        by_id = {message.id: message for message in self.messages}
        path: list[Message] = []
        at = self.head
        while at is not None and at in by_id:
            path.append(by_id.pop(at))
            at = path[-1].parent
        return tuple(reversed(path))

    def message(self, message_id: str) -> Message | None:
        """Return the message with this id, or None."""
        return next((message for message in reversed(self.messages) if message.id == message_id), None)

    def with_message(self, message: Message) -> "Conversation":
        """Add a message, or replace the one with the same id in place, and show it."""
        if self.message(message.id) is None:
            messages = (*self.messages, message)
        else:
            messages = tuple(message if m.id == message.id else m for m in self.messages)
        return replace(self, messages=messages, head=message.id, updated=now())


def new_message_id() -> str:
    """Return an id that no other message of the conversation has."""
    return uuid.uuid4().hex[:12]


def now() -> str:
    """Return the current time as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
