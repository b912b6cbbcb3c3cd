"""Encode a conversation as JSON, and decode any bytes to a conversation or a `QwenTuiError`.

```
{
  "version": 1,
  "id": "…", "name": "…", "created": "…", "updated": "…", "head": "…",
  "messages": [
    {"role": "user", "content": "…", "id": "…", "parent": null, "status": "complete", "created": "…"},
    {"role": "assistant", "content": "…", "id": "…", "parent": "…", …, "thinking": "…", "receipt": […]}
  ]
}
```

Each message is on its own line, role and content first, so a linear chat reads as a plain list. Only
`messages` with role and content are required: a hand-written list is a valid conversation. Unknown keys,
roles and statuses survive a load and a save.
"""

import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from qwen_tui.chat.cleaning import clean, one_line
from qwen_tui.chat.fields import (
    DamagedError,
    cleaned,
    get,
    identifier,
    moment,
    parsed,
    shallow,
    text_in,
    unknown,
)
from qwen_tui.chat.files import LONG_AGO, shown
from qwen_tui.chat.messages import Conversation, Json, Message, Role, Run, Status
from qwen_tui.chat.names import tidy, unique
from qwen_tui.chat.tree import parents_first
from qwen_tui.errors import QwenTuiError

VERSION = 1
"""The format version that this program writes; it reads every version up to this one."""

WORD_LIMIT = 4096
"""Maximum length of a string in a receipt: the path of a model's folder."""

UNKNOWN_ROLE, UNKNOWN_STATUS = Role.USER, Status.COMPLETE
"""What unknown roles and statuses are treated as; the original value is kept in `extra`."""

ROLES = {role.value: role for role in Role}
STATUSES = {status.value: status for status in Status}
CONVERSATION_KEYS = {f.name for f in fields(Conversation)} - {"extra"} | {"version"}
MESSAGE_KEYS = {f.name for f in fields(Message)} - {"extra"}
RUN_KINDS = {f.name: f.type for f in fields(Run) if f.name != "extra"}

_HALF_PAIR = re.compile("[\ud800-\udfff]")


def encode(conversation: Conversation) -> bytes:
    """Encode a conversation as the bytes of its file."""
    keys = ("id", "name", "named_by_person", "pinned", "created", "updated", "head")
    known = {"version": VERSION} | {key: getattr(conversation, key) for key in keys}
    known["overrides"] = dict(conversation.overrides)
    text = json.dumps(_with_extra(known, conversation.extra), ensure_ascii=False, indent=2)
    messages = ",".join(f"\n    {_text(message_json(message))}" for message in conversation.messages)
    return _bytes(f'{text[:-2]},\n  "messages": [{messages}\n  ]\n}}\n')


def message_json(message: Message) -> dict[str, Json]:
    """Return a message as it is stored in the file; empty optional fields are omitted."""
    known: dict[str, Json] = {
        "role": message.role.value,
        "content": message.content,
        "id": message.id,
        "parent": message.parent,
        "status": message.status.value,
        "created": message.created,
    }
    optional = {
        "thinking": message.thinking,
        "edited": message.edited,
        "error": message.error and message.error.as_json(),
        "model": message.model,
        "receipt": [_run_json(run) for run in message.receipt],
    }
    return _with_extra(known | {key: each for key, each in optional.items() if each}, message.extra)


def line(value: Json) -> bytes:
    """Encode a value as one line of JSON."""
    return _bytes(_text(value) + "\n")


def decode(data: bytes, path: Path | str, *, written: str = LONG_AGO) -> Conversation:
    """Decode the bytes of a file; raises `store.damaged` or `store.newer_version`.

    `path` names the file in the error; `written` replaces missing times. Whatever can be repaired without
    guessing is repaired: a missing head, a missing parent, messages without ids.
    """
    try:
        return from_json(parsed(text_in(data)), path, written=written)
    except DamagedError as error:
        raise QwenTuiError("store.damaged", path=shown(path), detail=str(error)) from None


def from_json(value: Json, path: Path | str, *, written: str = LONG_AGO) -> Conversation:
    """Build a conversation from parsed JSON like `decode`; raises `DamagedError` as well."""
    if not isinstance(value, dict):
        raise DamagedError("not_a_conversation")
    version = get(value, "version", int, VERSION)
    if version > VERSION:
        raise QwenTuiError("store.newer_version", path=shown(path), version=version)
    if not isinstance(value.get("messages"), list):
        raise DamagedError("not_a_conversation")
    messages = _messages(value["messages"], written)
    head = get(value, "head", str, None)
    if head not in {message.id for message in messages}:
        head = messages[-1].id if messages else None
    return Conversation(
        id=identifier(value, "id", uuid.uuid4().hex),
        name=tidy(clean(get(value, "name", str, ""))),
        named_by_person=get(value, "named_by_person", bool, False),
        pinned=get(value, "pinned", bool, False),
        created=moment(value.get("created"), written),
        updated=moment(value.get("updated"), written),
        overrides=cleaned(shallow(get(value, "overrides", dict, {}))),
        messages=messages,
        head=head,
        extra=unknown(value, CONVERSATION_KEYS),
    )


def decode_message(
    value: Json, *, own_id: str = "", before: str | None = None, written: str = LONG_AGO
) -> Message:
    """Decode one message from the form that `message_json` writes; raises `DamagedError`.

    `own_id`, `before` (the parent's id) and `written` replace missing values.
    """
    if not isinstance(value, dict):
        raise DamagedError("wrong_type", key="messages")
    role, status = get(value, "role", str), get(value, "status", str, Status.COMPLETE.value)
    extra = unknown(value, MESSAGE_KEYS)
    if role not in ROLES:
        extra["role"] = role
    if status not in STATUSES:
        extra["status"] = status
    return Message(
        role=ROLES.get(role, UNKNOWN_ROLE),
        content=clean(get(value, "content", str)),
        id=identifier(value, "id", own_id),
        parent=get(value, "parent", str, None) if "parent" in value else before,
        status=STATUSES.get(status, UNKNOWN_STATUS),
        thinking=clean(get(value, "thinking", str, "")),
        edited=get(value, "edited", bool, False),
        error=_error(value.get("error")),
        created=moment(value.get("created"), written),
        receipt=tuple(_run(run) for run in get(value, "receipt", list, [])),
        model=_word(get(value, "model", str, "")),
        extra=extra,
    )


def _messages(values: list[Json], written: str) -> tuple[Message, ...]:
    given = {value["id"] for value in values if isinstance(value, dict) and isinstance(value.get("id"), str)}
    messages: list[Message] = []
    for number, value in enumerate(values, 1):
        own_id = unique(f"m{number}", given.__contains__)
        before = messages[-1].id if messages else None
        messages.append(decode_message(value, own_id=own_id, before=before, written=written))
    return parents_first(messages)


def _run(value: Json) -> Run:
    if not isinstance(value, dict):
        raise DamagedError("wrong_type", key="receipt")
    known = {
        key: _run_value(value, key, kind) for key, kind in RUN_KINDS.items() if value.get(key) is not None
    }
    return Run(**({"model": ""} | known), extra=unknown(value, RUN_KINDS))


def _run_value(value: Mapping[str, Json], key: str, kind: Any) -> Any:
    if key == "system_prompt":
        return clean(get(value, key, str))
    if kind is str:
        return _word(get(value, key, str))
    if kind in (int, float):
        return get(value, key, kind)
    if key == "thinking":
        return get(value, key, bool)
    if key in ("sampling", "slowed"):
        return cleaned(shallow(get(value, key, dict)))
    ids = get(value, key, list)
    if not set(map(type, ids)) <= {int}:
        raise DamagedError("wrong_type", key=key)
    return tuple(ids)


@lru_cache(maxsize=256)  # the receipts of a conversation name the same few models and devices
def _word(text: str) -> str:
    return one_line(text, WORD_LIMIT)


def _run_json(run: Run) -> dict[str, Json]:
    known = {key: getattr(run, key) for key in RUN_KINDS} | {
        "sampling": dict(run.sampling),
        "slowed": dict(run.slowed),
    }
    return _with_extra(known, run.extra)


def _error(value: Json) -> QwenTuiError | None:
    if value is None:
        return None
    error = QwenTuiError.from_json(value)
    return QwenTuiError(one_line(error.code), **cleaned(error.parameters))


def _with_extra(known: dict[str, Json], extra: Mapping[str, Json]) -> dict[str, Json]:
    """Merge known and unknown keys; an unknown role or status is written back unless it has changed since."""
    changed = {"role": UNKNOWN_ROLE, "status": UNKNOWN_STATUS}
    kept = {key: each for key, each in extra.items() if key not in known or known[key] == changed.get(key)}
    return known | kept


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _bytes(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair has no UTF-8 encoding, but JSON can escape it. Only unknown keys can contain
        # one.
        return _HALF_PAIR.sub(lambda half: f"\\u{ord(half[0]):04x}", text).encode()
