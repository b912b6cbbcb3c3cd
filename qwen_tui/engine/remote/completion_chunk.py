"""Parse one piece of a streamed reply: the JSON of a server-sent event, or of a complete response."""

import json
from typing import NamedTuple

from qwen_tui.chat.messages import Json
from qwen_tui.engine.remote.logprobs import traces
from qwen_tui.engine.remote.refusals import told_of
from qwen_tui.engine.trace import TokenTrace

DONE = "[DONE]"


class CompletionChunk(NamedTuple):
    """The contents of one piece; fields that it lacks are empty."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    """How many prompt tokens the server had cached."""
    error: str = ""
    traces: tuple[TokenTrace, ...] = ()


def parse_event(data: str) -> CompletionChunk | None:
    """Parse the data of one event; None if it is not part of the protocol."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    # Gateways insert objects of their own, such as keep-alives and statistics.
    return parsed(value) or (CompletionChunk() if isinstance(value, dict) else None)


def parsed(value: Json) -> CompletionChunk | None:
    """Parse a chunk, or the complete response of a server that does not stream; None if it is neither."""
    if not isinstance(value, dict):
        return None
    if value.get("error"):
        return CompletionChunk(error=told_of(value["error"]) or "?")
    if value.get("object") == "error":  # vLLM before 0.10
        return CompletionChunk(error=told_of(value) or "?")
    choices, usage = value.get("choices"), value.get("usage")
    if not isinstance(choices, list) and not isinstance(usage, dict):
        return None
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = part(first, "delta") or part(first, "message")
    return CompletionChunk(
        _text(part(delta, "content")),
        _text(part(delta, "reasoning_content")) or _text(part(delta, "reasoning")),
        _text(part(first, "finish_reason")),
        token_count(part(usage, "prompt_tokens")),
        token_count(part(usage, "completion_tokens")),
        token_count(part(part(usage, "prompt_tokens_details"), "cached_tokens")),
        traces=traces(first),
    )


def part(value: Json, key: str) -> Json:
    """Return the value of a key; None if `value` is not an object or lacks the key."""
    return value.get(key) if isinstance(value, dict) else None


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def token_count(value: Json) -> int | None:
    """Return a server's token count, or None if it is not plausible."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**40 else None
