"""Read the conversations of a ChatGPT export: trees of nodes with a shown leaf, `current_node`.

```
[{"title": "…", "create_time": 1700000000.5, "current_node": "b", "mapping": {
    "a": {"parent": null, "message": {"author": {"role": "user"}, "content": {"parts": ["…"]}, …}},
    "b": {"parent": "a", "message": {"author": {"role": "assistant"}, …}}}}, …]
```

The format is undocumented; this follows what real exports contain. Every branch is kept, replies to one
message as variants. Nodes that ChatGPT does not show (system, tools, hidden ones) are skipped; their children
are attached to the nearest visible ancestor.
"""

import functools
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

from qwen_tui.chat.branches import showing
from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.exchange.notes import Notes
from qwen_tui.chat.exchange.openai import text_of
from qwen_tui.chat.fields import DamagedError, get
from qwen_tui.chat.files import LONG_AGO
from qwen_tui.chat.message_text import UNKNOWN_MODEL
from qwen_tui.chat.messages import Conversation, Json, Message, Role
from qwen_tui.chat.names import name_from, tidy
from qwen_tui.chat.tree import parents_first

ROLES = {"user": Role.USER, "assistant": Role.ASSISTANT}

TEXTS = {"text", "multimodal_text"}
"""The content types that contain what was said; all others are internals of tools."""

POINTERS = {
    "image_asset_pointer": "images",
    "audio_asset_pointer": "sounds",
    "real_time_user_audio_video_asset_pointer": "sounds",
}


def read(value: dict[str, Json], notes: Notes) -> Conversation:
    """Read one conversation of an export; raises `DamagedError`."""
    mapping: dict[str, Json] = get(value, "mapping", dict)
    created = _moment(value.get("create_time"), LONG_AGO)
    model = value.get("default_model_slug")
    read_one = functools.partial(_message, notes=notes, created=created, model=model)
    said = {key: message for key, node in mapping.items() if (message := read_one(node))}
    if not said:
        raise DamagedError("no_messages")
    ids = {key: f"m{number}" for number, key in enumerate(sorted(said, key=lambda key: said[key].created), 1)}
    known: dict[str, str | None] = dict(ids)
    parents = {key: _id_at(_parent(mapping[key]), mapping, known) for key in ids}
    messages = parents_first([replace(said[key], id=ids[key], parent=parents[key]) for key in ids])
    title, current = value.get("title"), value.get("current_node")
    name = tidy(title) if isinstance(title, str) else ""
    conversation = Conversation(
        name=name or name_from(messages[0].content),
        named_by_person=bool(name),
        created=created,
        updated=_moment(value.get("update_time"), max(message.created for message in messages)),
        messages=messages,
    )
    head = _id_at(current, mapping, known) if isinstance(current, str) else None
    return replace(conversation, head=head) if head else showing(conversation, messages[-1].id)


def _id_at(key: str | None, mapping: Mapping[str, Json], known: dict[str, str | None]) -> str | None:
    """Return the id of this node's message or of its nearest ancestor's; None if there is none.

    `known` starts with the ids of the messages and is extended with those of skipped nodes. Raises
    `DamagedError` if the nodes form a cycle.
    """
    walked: dict[str, None] = {}
    while key is not None and key not in known:
        if key in walked:
            raise DamagedError("cycle")
        walked[key] = None
        key = _parent(mapping.get(key))
    found = None if key is None else known[key]
    known.update(dict.fromkeys(walked, found))
    return found


def _parent(node: Json) -> str | None:
    return get(node, "parent", str, None) if isinstance(node, dict) else None


def _message(node: Json, notes: Notes, created: str, model: Json) -> Message | None:
    """Return the message of a node; None for a node that is skipped. `model` is that of the conversation."""
    message = node.get("message") if isinstance(node, dict) else None
    if message is None:
        return None  # the root of the tree, or a deleted message
    if not isinstance(message, dict):
        raise DamagedError("wrong_type", key="message")
    content, metadata = get(message, "content", dict, {}), get(message, "metadata", dict, {})
    role = get(get(message, "author", dict), "role", str)
    passed_over = _passed_over(role, message, content, metadata)
    if passed_over:
        if not _is_blank(content):
            notes.add(passed_over)
        return None
    text = _text(content, notes)
    if not text.strip():
        return None
    return Message(
        role=ROLES[role],
        content=text,
        model=_model(metadata, model) if role == "assistant" else "",
        created=_moment(message.get("create_time"), created),
    )


def _passed_over(
    role: str, message: dict[str, Json], content: dict[str, Json], metadata: dict[str, Json]
) -> str:
    """Return the note category of a skipped node; empty for a node that is a message."""
    kind = get(content, "content_type", str, "text")
    if metadata.get("is_visually_hidden_from_conversation"):
        return "hidden"
    if kind in ("thoughts", "reasoning_recap"):
        return "thoughts"
    if role == "tool":
        return "tool_results"
    if role == "assistant" and message.get("recipient") not in (None, "", "all"):
        return "tool_calls"
    return "" if role in ROLES and kind in TEXTS else "hidden"


def _is_blank(content: dict[str, Json]) -> bool:
    """Return whether the content is empty: every tree starts with an empty system message, which needs no note."""
    parts = content.get("parts")
    return isinstance(parts, list) and all(isinstance(part, str) and not part.strip() for part in parts)


def _text(content: dict[str, Json], notes: Notes) -> str:
    texts = []
    for part in get(content, "parts", list, []):
        kind = part.get("content_type") if isinstance(part, dict) else None
        if isinstance(kind, str) and kind in POINTERS:
            notes.add(POINTERS[kind])
        else:
            texts.append(text_of([part], notes))
    return "\n".join(text for text in texts if text)


def _model(metadata: dict[str, Json], otherwise: Json) -> str:
    named = (metadata.get("model_slug"), otherwise)
    return next(
        (name for model in named if isinstance(model, str) and (name := one_line(model))), UNKNOWN_MODEL
    )


def _moment(seconds: Json, otherwise: str) -> str:
    """Convert seconds since 1970 to ISO 8601 in UTC; `otherwise` if they are not a valid time."""
    if isinstance(seconds, bool):
        return otherwise
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    except (TypeError, ValueError, OverflowError, OSError):
        return otherwise
