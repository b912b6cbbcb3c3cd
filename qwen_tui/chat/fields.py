"""The values of a JSON object, each checked for its kind: nothing read from a file is trusted to be right."""

import json
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from typing import Any

from qwen_tui import strings
from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.messages import Json

DEEPEST = 50
"""How far values may be nested that are not ours: far below where writing them would run out of stack."""

LONGEST_ID = 100


class DamagedError(Exception):
    """The value is not what it should be; the text says why, in the language of the screen."""

    def __init__(self, reason: str, **parameters: object) -> None:
        super().__init__(strings.say(f"store.damage.{reason}", **parameters))


def text_in(data: bytes) -> str:
    """The text in the bytes of a file; raises `DamagedError` when it is not UTF-8, or when there is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DamagedError("not_text") from None
    if not text.strip():
        raise DamagedError("empty")
    return text


def parsed(text: str) -> Json:
    """The value that a JSON text stands for; raises `DamagedError`."""
    try:
        # NaN and Infinity are Python's, not JSON's; written again they would keep other programs out.
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise DamagedError("too_deep") from None
    except ValueError as error:
        raise DamagedError("not_json", line=getattr(error, "lineno", 1)) from None


def get(value: Mapping[str, Json], key: str, kind: type, *default: Json) -> Any:
    """The value of a key, which must be of this kind; null counts as missing where there is a default."""
    found = value.get(key)
    if found is None and default:
        return default[0]
    kinds = (int, float) if kind is float else (kind,)
    # To Python, True is a number; to the person who reads the file it is not.
    if not isinstance(found, kinds) or (isinstance(found, bool) and kind is not bool):
        raise DamagedError("wrong_type", key=key)
    return found


def identifier(value: Mapping[str, Json], key: str, otherwise: str) -> str:
    """An id: short and made of visible characters, since it is also shown and used as a key."""
    found: str = get(value, key, str, "") or otherwise
    if len(found) > LONGEST_ID or not found.isprintable():
        raise DamagedError("wrong_type", key=key)
    return found


def cleaned(value: Json) -> Json:
    """The value with every text in it cleaned, keys of objects too."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): cleaned(each) for key, each in value.items()}
    return [cleaned(each) for each in value] if isinstance(value, list) else value


def moment(value: Json, otherwise: str) -> str:
    """A time as ISO 8601 in UTC, so that times compare as text; what is not one becomes `otherwise`."""
    try:
        time = datetime.fromisoformat(value)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        return time.isoformat(timespec="milliseconds")
    except (TypeError, ValueError, OverflowError):
        return otherwise


def unknown(value: Mapping[str, Json], known: Container[str]) -> dict[str, Json]:
    """The keys that this version does not know, with their values as they are."""
    return shallow({key: each for key, each in value.items() if key not in known})


def shallow(value: dict[str, Json]) -> dict[str, Json]:
    """The value itself, once it is known to be nested no deeper than can be written again."""
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
    raise DamagedError("too_deep")
