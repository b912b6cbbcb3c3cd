"""Conversations as plain frozen values: a tree of messages of which one path is shown.

Nothing here is ever changed in place: `with_message`, `renamed` and the like return a new value. Regenerating
and editing make siblings (messages with the same parent); `head` names the leaf that is being shown.
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
    """The person stopped it; the text so far is kept."""
    INTERRUPTED = "interrupted"
    """The program or the machine went away while it was written."""
    LENGTH = "length"
    """It reached max_new_tokens or the end of the context window."""
    FAILED = "failed"
    """An error ended it: see `Message.error`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One generation of a reply, with what explains or repeats it. A receipt is a list of these."""

    model: str
    revision: str = ""
    """The hub commit of the weights, or empty for a folder."""
    quantization: str = "none"
    dtype: str = ""
    device: str = ""
    decode_path: str = "generate"
    """Which implementation decoded: `generate` is transformers' own loop, `graph` a CUDA graph of the forward pass,
    `kernels` one of kernels of our own, `server` whatever a server has."""
    seed: int = 0
    sampling: Mapping[str, Json] = field(default_factory=dict)
    """The effective sampling values, the checkpoint's defaults included."""
    not_taken: str = ""
    """Names of settings that a server was asked for and does not take, with commas between."""
    prompt_tokens: int = 0
    reused_tokens: int = 0
    """How many of the prompt's tokens were already in the KV cache."""
    new_tokens: int = 0
    first_token_seconds: float = 0.0
    """From the request's arrival in the worker to the first generated token."""
    decode_seconds: float = 0.0
    """From the first generated token to the last."""
    stop_reason: str = ""
    """`eos`, `length` or `stopped`."""
    token_ids: tuple[int, ...] = ()
    """The generated ids, end-of-turn token included."""
    first_sent: str = ""
    """The id of the oldest message that the model saw."""
    system_prompt: str = ""
    """The system prompt that it was given before that one."""
    thinking: bool | None = None
    """Whether the template was asked for thinking; None left it to the template."""
    content_start: int = 0
    """How many characters of the answer were there before: more than 0 when it was continued."""
    thinking_start: int = 0
    """The same of the thinking."""
    prompt_digest: str = ""
    """Of the prompt's token ids: the first 16 hexadecimal digits of SHA-256 over them as little-endian int32."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Keys of the file that this version does not know; written back as they were."""

    @property
    def tokens_per_second(self) -> float:
        """Decode speed: tokens after the first, by the time they took; 0 when there was only one."""
        is_timed = self.new_tokens > 1 and self.decode_seconds > 0
        return (self.new_tokens - 1) / self.decode_seconds if is_timed else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message: what was said, by whom, how it ended, and how it was made."""

    role: Role
    content: str
    id: str = field(default_factory=lambda: new_message_id())
    parent: str | None = None
    """The id of the message before it; None for the first."""
    status: Status = Status.COMPLETE
    thinking: str = ""
    """What the model thought before it answered, apart from the answer."""
    edited: bool = False
    """A person wrote it over another one, which stays as its sibling."""
    error: QwenTuiError | None = None
    """Why it failed. Beside the content, never inside it: the model does not see errors."""
    created: str = field(default_factory=lambda: now())
    """ISO 8601, UTC."""
    receipt: tuple[Run, ...] = ()
    model: str = ""
    """Which model wrote a reply that was imported, and so has no receipt; empty where that is not known."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """Keys of the file that this version does not know; written back as they were."""

    @property
    def can_go_on(self) -> bool:
        """Whether the model can continue it: a reply with a beginning that did not come to its own end."""
        is_begun = self.role is Role.ASSISTANT and bool(self.content or self.thinking)
        return is_begun and (self.edited or self.status is not Status.COMPLETE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A named conversation: its messages, what it overrides, and which path through it is shown."""

    name: str
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: str = field(default_factory=lambda: now())
    updated: str = field(default_factory=lambda: now())
    named_by_person: bool = False
    """Until a person names it, a conversation takes its name from its first message."""
    pinned: bool = False
    """Kept at the top of the list."""
    overrides: Mapping[str, Json] = field(default_factory=dict)
    """Settings of this conversation that differ from the person's defaults, by field name."""
    messages: tuple[Message, ...] = ()
    """Every message of every branch, in the order they were added; a parent stands before its children."""
    head: str | None = None
    """The id of the leaf that is shown; None while there are no messages."""
    extra: Mapping[str, Json] = field(default_factory=dict)

    def path(self) -> tuple[Message, ...]:
        """The messages that are shown: from the first to `head`."""
        by_id = {message.id: message for message in self.messages}
        path: list[Message] = []
        at = self.head
        while at is not None and at in by_id:
            path.append(by_id.pop(at))
            at = path[-1].parent
        return tuple(reversed(path))

    def message(self, message_id: str) -> Message | None:
        """The message with this id, or None."""
        return next((message for message in reversed(self.messages) if message.id == message_id), None)

    def with_message(self, message: Message) -> "Conversation":
        """Add a message, or replace the one with its id in place, and show it."""
        if self.message(message.id) is None:
            messages = (*self.messages, message)
        else:
            messages = tuple(message if m.id == message.id else m for m in self.messages)
        return replace(self, messages=messages, head=message.id, updated=now())


def new_message_id() -> str:
    """An id that no other message of the conversation has."""
    return uuid.uuid4().hex[:12]


def now() -> str:
    """This moment as ISO 8601 in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
