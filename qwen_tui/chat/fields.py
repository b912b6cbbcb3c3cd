"""Type-checked access to JSON objects: nothing read from a file is trusted."""

import json
from collections.abc import Container, Mapping
from datetime import UTC, datetime
from typing import Any

from qwen_tui import strings
from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.messages import Json

DEEPEST = 50
"""Maximum nesting of foreign values, far below where writing them would overflow the stack."""

LONGEST_ID = 100


class DamagedError(Exception):
    """A value is not what it should be; the text says why, in the language of the screen."""

    def __init__(self, reason: str, **parameters: object) -> None:
        super().__init__(strings.say(f"store.damage.{reason}", **parameters))


def text_in(data: bytes) -> str:
    """Decode the bytes of a file; raises `DamagedError` if they are blank or not UTF-8."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DamagedError("not_text") from None
    if not text.strip():
        raise DamagedError("empty")
    return text


def parsed(text: str) -> Json:
    """Parse a JSON text; raises `DamagedError`."""
    try:
        # Python accepts NaN and Infinity, JSON does not: written back, they would break other programs.
        return json.loads(text, parse_constant=lambda _: None)
    except RecursionError:
        raise DamagedError("too_deep") from None
    except ValueError as error:
        raise DamagedError("not_json", line=getattr(error, "lineno", 1)) from None


def get(value: Mapping[str, Json], key: str, kind: type, *default: Json) -> Any:
    """Return the value of a key, which must be of this type; null counts as missing if there is a default."""
    found = value.get(key)
    if found is None and default:
        return default[0]
    kinds = (int, float) if kind is float else (kind,)
    # In Python True is a number; for the reader of the file it is not.
    if not isinstance(found, kinds) or (isinstance(found, bool) and kind is not bool):
        raise DamagedError("wrong_type", key=key)
    return found


def identifier(value: Mapping[str, Json], key: str, otherwise: str) -> str:
    """Return an id, which must be short and printable because it is also shown and used as a key."""
    found: str = get(value, key, str, "") or otherwise
    if len(found) > LONGEST_ID or not found.isprintable():
        raise DamagedError("wrong_type", key=key)
    return found


def cleaned(value: Json) -> Json:
    """Clean every string in a value, including the keys of objects."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(key): cleaned(each) for key, each in value.items()}
    return [cleaned(each) for each in value] if isinstance(value, list) else value


def moment(value: Json, otherwise: str) -> str:
    """Normalize a time to ISO 8601 in UTC, so that times compare as text; `otherwise` if it is not a time."""
    try:
        time = datetime.fromisoformat(value)
        time = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
        return time.isoformat(timespec="milliseconds")
    except (TypeError, ValueError, OverflowError):
        return otherwise


def unknown(value: Mapping[str, Json], known: Container[str]) -> dict[str, Json]:
    """Return the keys that this version does not know, with their values unchanged."""
    return shallow({key: each for key, each in value.items() if key not in known})


def shallow(value: dict[str, Json]) -> dict[str, Json]:
    """Return the value unchanged; raises `DamagedError` if it is nested too deeply to be written back."""
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
