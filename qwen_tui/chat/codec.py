"""A conversation as JSON and back. Whatever a file holds, reading it gives a conversation or a `QwenTuiError`.

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

A message stands on a line of its own, role and content first, so a linear chat reads as a plain list. Only
`messages` with role and content are needed: a list written by hand is a conversation. Keys and kinds that this
version does not know survive a load and a save.
"""

import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from qwen_tui import strings
from qwen_tui.chat.cleaning import clean, one_line
from qwen_tui.chat.messages import Conversation, Json, Message, Role, Run, Status
from qwen_tui.chat.names import tidy
from qwen_tui.errors import QwenTuiError

VERSION = 1
"""The version of the format that this program writes; it reads all up to this one."""

DEEPEST = 50
"""How far values that are not ours may be nested: far below where Python's own limit would end the program."""

LINE_LIMIT = 300
"""How long a word of a receipt can be."""

LONG_AGO = "1970-01-01T00:00:00.000+00:00"

Kind = TypeVar("Kind")
ROLES = {role.value: role for role in Role}
STATUSES = {status.value: status for status in Status}
UNKNOWN_ROLE, UNKNOWN_STATUS = Role.USER, Status.COMPLETE
"""How a role or status is taken that this version does not know; the file's own word is kept in `extra`."""

CONVERSATION_KEYS = frozenset(f.name for f in fields(Conversation)) - {"extra"} | {"version"}
MESSAGE_KEYS = frozenset(f.name for f in fields(Message)) - {"extra"}
RUN_FIELDS = {f.name: f.type for f in fields(Run) if f.name != "extra"}


class _Damaged(Exception):
    """The value is no conversation; the words say why."""

    def __init__(self, reason: str, **parameters: object) -> None:
        super().__init__(strings.say(f"store.damage.{reason}", **parameters))


def encode(conversation: Conversation) -> bytes:
    """The conversation as the bytes of its file."""
    head = {
        "version": VERSION,
        "id": conversation.id,
        "name": conversation.name,
        "named_by_person": conversation.named_by_person,
        "pinned": conversation.pinned,
        "created": conversation.created,
        "updated": conversation.updated,
        "head": conversation.head,
        "overrides": dict(conversation.overrides),
    }
    text = json.dumps(_with_extra(head, conversation.extra), ensure_ascii=False, indent=2)
    lines = ",".join(f"\n    {_line(message_json(message))}" for message in conversation.messages)
    return _utf8(f'{text[:-2]},\n  "messages": [{lines}\n  ]\n}}\n')


def message_json(message: Message) -> dict[str, Json]:
    """One message as it stands in the file; what is empty is left out."""
    known: dict[str, Json] = {
        "role": message.role.value,
        "content": message.content,
        "id": message.id,
        "parent": message.parent,
        "status": message.status.value,
        "created": message.created,
    }
    if message.thinking:
        known["thinking"] = message.thinking
    if message.error is not None:
        known["error"] = message.error.as_json()
    if message.receipt:
        known["receipt"] = [_run_json(run) for run in message.receipt]
    return _with_extra(known, message.extra)


def line(value: Json) -> bytes:
    """A value as one line of JSON."""
    return _utf8(_line(value) + "\n")


def decode(data: bytes, path: object, *, written: str = LONG_AGO) -> Conversation:
    """The conversation in the bytes of a file; raises `QwenTuiError` (`store.damaged`, `store.newer_version`).

    `path` names the file in the error; `written` is the time that stands in for one that is missing. What can be
    mended without guessing is mended: a missing head, a parent that is gone, messages without ids.
    """
    try:
        return _conversation(_parse(data), written)
    except _Newer as error:
        raise QwenTuiError("store.newer_version", path=str(path), version=error.version) from None
    except _Damaged as error:
        raise QwenTuiError("store.damaged", path=str(path), detail=str(error)) from None


def decode_message(value: Json) -> Message:
    """One message from what `message_json` gave; raises ValueError when it is not one."""
    try:
        return _message(value, "m0", None, LONG_AGO)
    except _Damaged as error:
        raise ValueError(str(error)) from None


class _Newer(Exception):
    def __init__(self, version: int) -> None:
        self.version = version


def _parse(data: bytes) -> Json:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _Damaged("not_text") from None
    if not text.strip():
        raise _Damaged("empty")
    try:
        # NaN and Infinity are Python's, not JSON's: they would make a file that nothing else can read.
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise _Damaged("too_deep") from None
    except ValueError as error:
        where = getattr(error, "lineno", 1)
        raise _Damaged("not_json", line=where) from None


def _conversation(value: Json, written: str) -> Conversation:
    if not isinstance(value, dict):
        raise _Damaged("not_a_conversation")
    version = value.get("version", VERSION)
    if type(version) is not int or version < 1:
        raise _Damaged("wrong_type", key="version")
    if version > VERSION:
        raise _Newer(version)
    if not isinstance(value.get("messages"), list):
        raise _Damaged("not_a_conversation")
    messages = _messages(value["messages"], written)
    head = _get(value, "head", str, None)
    if head not in {message.id for message in messages}:
        head = messages[-1].id if messages else None
    given_id = _get(value, "id", str, "")
    return Conversation(
        **({"id": given_id} if given_id else {}),
        name=tidy(clean(_get(value, "name", str, ""))),
        named_by_person=_get(value, "named_by_person", bool, False),
        pinned=_get(value, "pinned", bool, False),
        created=_time(value.get("created"), written),
        updated=_time(value.get("updated"), written),
        overrides={key: _cleaned(each) for key, each in _shallow(_get(value, "overrides", dict, {})).items()},
        messages=messages,
        head=head,
        extra=_unknown(value, CONVERSATION_KEYS),
    )


def _messages(values: Sequence[Json], written: str) -> tuple[Message, ...]:
    messages: dict[str, Message] = {}
    last: str | None = None
    given = {each["id"] for each in values if isinstance(each, dict) and isinstance(each.get("id"), str)}
    for number, value in enumerate(values, 1):
        own_id = f"m{number}"
        while own_id in given:
            own_id += "x"
        message = _message(value, own_id, last, written)
        if message.id in messages:
            raise _Damaged("same_id", number=number)
        messages[message.id] = message
        last = message.id
    return _parents_first(messages)


def _parents_first(messages: dict[str, Message]) -> tuple[Message, ...]:
    """The messages in their order, except that a parent stands before its children."""
    placed: dict[str, Message] = {}
    before: str | None = None
    for message in messages.values():
        waiting: list[Message] = []
        at: Message | None = message
        while at is not None and at.id not in placed:
            waiting.append(at)
            if len(waiting) > len(messages):
                raise _Damaged("cycle")
            at = messages.get(at.parent) if at.parent is not None else None
        for each in reversed(waiting):
            if each.parent is not None and each.parent not in messages:
                # Its parent is gone: it then answers what stands before it, as the file reads.
                each = replace(each, parent=before)
            placed[each.id] = each
            before = each.id
    return tuple(placed.values())


def _message(value: Json, own_id: str, before: str | None, written: str) -> Message:
    if not isinstance(value, dict):
        raise _Damaged("wrong_type", key="messages")
    role, status = _get(value, "role", str), _get(value, "status", str, Status.COMPLETE.value)
    extra = _unknown(value, MESSAGE_KEYS)
    if role not in ROLES:
        extra["role"] = role
    if status not in STATUSES:
        extra["status"] = status
    return Message(
        role=ROLES.get(role, UNKNOWN_ROLE),
        content=clean(_get(value, "content", str)),
        id=_get(value, "id", str, "") or own_id,
        parent=_get(value, "parent", str, None) if "parent" in value else before,
        status=STATUSES.get(status, UNKNOWN_STATUS),
        thinking=clean(_get(value, "thinking", str, "")),
        error=_error(value.get("error")),
        created=_time(value.get("created"), written),
        receipt=tuple(_run(run) for run in _get(value, "receipt", list, [])),
        extra=extra,
    )


def _run(value: Json) -> Run:
    if not isinstance(value, dict):
        raise _Damaged("wrong_type", key="receipt")
    known: dict[str, Any] = {}
    for key, kind in RUN_FIELDS.items():
        if key not in value:
            continue
        if key == "token_ids":
            ids = _get(value, key, list)
            if not all(type(each) is int for each in ids):
                raise _Damaged("wrong_type", key=key)
            known[key] = tuple(ids)
        elif key == "sampling":
            known[key] = _shallow(_get(value, key, dict))
        elif kind is float:
            known[key] = float(_get(value, key, float, 0.0))
        elif kind is int:
            known[key] = _get(value, key, int, 0)
        else:
            known[key] = one_line(_get(value, key, str, ""), LINE_LIMIT)
    return Run(**({"model": ""} | known), extra=_unknown(value, RUN_FIELDS.keys()))


def _run_json(run: Run) -> dict[str, Json]:
    known = {key: getattr(run, key) for key in RUN_FIELDS}
    known["sampling"] = dict(run.sampling)
    return _with_extra(known, run.extra)


def _get(value: Mapping[str, Json], key: str, kind: type[Kind], *default: Any) -> Any:
    """The value of a key, which must be of this kind; null counts as missing where there is a default."""
    found = value.get(key)
    if found is None and default:
        return default[0]
    right = (int, float) if kind is float else (kind,)
    if not isinstance(found, right) or (isinstance(found, bool) and kind is not bool):
        raise _Damaged("wrong_type", key=key)
    return found


def _time(value: Json, otherwise: str) -> str:
    """A moment as ISO 8601 in UTC; what is not one becomes `otherwise`."""
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return moment.isoformat(timespec="milliseconds")
    except (TypeError, ValueError, OverflowError):
        return otherwise


def _error(value: Json) -> QwenTuiError | None:
    if value is None:
        return None
    error = QwenTuiError.from_json(value)
    cleaned = {key: clean(each) if isinstance(each, str) else each for key, each in error.parameters.items()}
    return QwenTuiError(one_line(error.code, LINE_LIMIT), **cleaned)


def _cleaned(value: Json) -> Json:
    return clean(value) if isinstance(value, str) else value


def _unknown(value: Mapping[str, Json], known: Container[str]) -> dict[str, Json]:
    return _shallow({key: each for key, each in value.items() if key not in known})


def _shallow(value: dict[str, Json]) -> dict[str, Json]:
    """The value itself, once it is known that writing it will not run out of stack."""
    level: list[Json] = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return value
    raise _Damaged("too_deep")


def _with_extra(known: dict[str, Json], extra: Mapping[str, Json]) -> dict[str, Json]:
    """What is known and what is not. A kind that was not known stands again, unless it has been decided since."""
    fallbacks = {"role": UNKNOWN_ROLE.value, "status": UNKNOWN_STATUS.value}
    kept = {key: each for key, each in extra.items() if key not in known or known[key] == fallbacks.get(key)}
    return known | kept


def _line(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair has no UTF-8; JSON can still spell it. Only unknown keys can hold one.
        return "".join(
            each if not "\ud800" <= each <= "\udfff" else f"\\u{ord(each):04x}" for each in text
        ).encode()
