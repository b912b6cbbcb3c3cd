"""The config file: settings as TOML, one table per group, with comments preserved.

```
[sampling]
temperature = 0.6

[system]
system_prompt = "You are a helpful assistant."

[keys]                     # by the id of a binding; several keys with commas
"chat.stop" = "escape,f12"
```

Only values that differ from the default are written. Unknown tables and keys are left alone.
"""

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, get_args

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.fields import cleaned
from qwen_tui.chat.files import locked, make_folder, shown, why, write_whole
from qwen_tui.chat.messages import Json
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import OPTIONS, Group, Settings, valid
from qwen_tui.strings import say

KEYS = "keys"
"""The table of key bindings."""

TABLES = (*get_args(Group), KEYS)

LARGEST_BYTES = 2**20

WORD_LIMIT = 60
"""How many characters of a wrong value its error repeats."""


@dataclass(frozen=True, slots=True)
class Config:
    """The content of the config file."""

    settings: Settings = field(default_factory=Settings)
    problems: list[QwenTuiError] = field(default_factory=list)
    """What in the file could not be used; the rest is in effect."""
    keys: Mapping[str, str] = field(default_factory=dict)
    """Keys by binding id, in the form of Textual's `set_keymap`."""


def load(path: Path) -> Config:
    """Load the config file; the defaults if it is missing or unreadable. Never raises."""
    try:
        values = cleaned(tomllib.loads(read(path)))
    except FileNotFoundError:
        return Config()
    except QwenTuiError as error:
        return Config(problems=[error])
    except (ValueError, RecursionError) as error:  # a number of 5,000 digits is a plain ValueError
        return Config(problems=[_not_toml(path, error)])
    given, problems = _flat(values)
    good, wrong = valid(given)
    keys, unusable = _keys(values.get(KEYS, {}))
    return Config(replace(Settings(), **good), problems + wrong + unusable, keys)


def save(path: Path, changes: Mapping[str, Json]) -> None:
    """Write changed settings, by field name; None, or the default, removes a setting from the file.

    Everything else in the file is preserved. Raises `QwenTuiError`: `settings.*` for invalid values, for a
    file that is not TOML (it is never overwritten), and for a failed write.
    """
    usable = {name: OPTIONS[name].check(value) for name, value in changes.items() if value is not None}
    edit(path, lambda document: _change(document, {name: usable.get(name) for name in changes}))


def edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change the config file as a TOML document, comments and order preserved. Raises as `save` does."""
    import tomlkit  # only writing needs it, and it takes 40 ms to import

    try:
        make_folder(path.parent)
        with locked(path.parent):
            before = read(path) if path.exists() else ""
            try:
                document = tomlkit.parse(before)
            except (ValueError, RecursionError) as error:
                raise _not_toml(path, error) from None
            change(document)
            if (after := tomlkit.dumps(document)) != before:
                write_whole(path, after.encode())
    except OSError as error:
        raise QwenTuiError("settings.not_saved", path=shown(path), detail=why(error)) from error


def read(path: Path) -> str:
    """Return the text of the file. Raises FileNotFoundError, or QwenTuiError if it is no text."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise QwenTuiError("settings.unreadable", path=shown(path), detail=why(error)) from error
    try:
        if len(data) > LARGEST_BYTES:
            raise ValueError(say("config.too_large"))
        return data.decode("utf-8-sig")
    except ValueError as error:
        raise _not_toml(path, error) from None


def _not_toml(path: Path, error: Exception) -> QwenTuiError:
    return QwenTuiError("settings.not_toml", path=shown(path), detail=one_line(str(error), 200))


def _flat(values: Mapping[str, Json]) -> tuple[dict[str, Json], list[QwenTuiError]]:
    """Merge the settings of all groups into one mapping; also return the errors of misplaced entries."""
    given: dict[str, Json] = {}
    problems: list[QwenTuiError] = []
    for table, content in values.items():
        if table in TABLES and not isinstance(content, dict):
            problems.append(_not_a_table(table))
        elif table in OPTIONS and table not in TABLES:
            problems.append(_wrong_table(table, say("config.no_table")))
        elif table in TABLES and table != KEYS:
            for name, value in content.items():
                if name in OPTIONS and OPTIONS[name].group != table:
                    problems.append(_wrong_table(name, f"[{table}]"))
                else:
                    given[name] = value
    return given, problems


def _wrong_table(name: str, found: str) -> QwenTuiError:
    return QwenTuiError("config.wrong_table", key=name, found=found, table=f"[{OPTIONS[name].group}]")


def _not_a_table(table: str) -> QwenTuiError:
    return QwenTuiError("config.not_a_table", table=f"[{table}]")


def _keys(table: Json) -> tuple[dict[str, str], list[QwenTuiError]]:
    """Read keys by binding id; `chat.stop = …` without quotes means the same as `"chat.stop" = …`."""
    keys: dict[str, str] = {}
    problems: list[QwenTuiError] = []
    waiting = list(table.items()) if isinstance(table, dict) else []
    while waiting:
        name, value = waiting.pop(0)
        if isinstance(value, dict):
            waiting += [(f"{name}.{inner}", each) for inner, each in value.items()]
            continue
        words = value if isinstance(value, list) else [value]
        pressed = [key.strip() for word in words if isinstance(word, str) for key in word.split(",")]
        if all(isinstance(word, str) for word in words) and all(map(_is_key, pressed)):
            keys[name] = ",".join(pressed)
        else:
            wrong = one_line(str(value), WORD_LIMIT)
            problems.append(QwenTuiError("config.not_keys", name=one_line(name, WORD_LIMIT), value=wrong))
    return keys, problems


def _is_key(text: str) -> bool:
    return re.fullmatch(r"\S+", text) is not None and text.isprintable()


def _change(document: Any, changes: Mapping[str, Json]) -> None:
    """Change these settings in the config file."""
    import tomlkit  # as above

    for name, value in changes.items():
        group = OPTIONS[name].group
        table: Any = document.get(group)
        if not (table is None or isinstance(table, dict)):
            raise _not_a_table(group)
        if value is not None and value != getattr(Settings(), name):
            if table is None:
                table = document[group] = tomlkit.table()
            is_long = isinstance(value, str) and "\n" in value
            table[name] = tomlkit.string(value, multiline=True) if is_long else value
        elif table is not None and name in table:
            del table[name]
            if isinstance(table, tomlkit.items.Table) and not table.as_string().strip():
                del document[group]
