"""Presets: sampling values by name. Three are ours, one is the checkpoint's, the person's are in the config file.

```
[presets."for code"]
temperature = 0.2
top_p = 0.9
```
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.fields import cleaned
from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import PENALTIES
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings import config_file
from qwen_tui.settings.options import Settings, valid

SAMPLING = ("greedy", "temperature", "top_p", "top_k", "min_p", *PENALTIES)
"""The settings that a preset determines; those that it does not name are left to the checkpoint."""

TABLE = "presets"

MOST_CHARACTERS = 40
"""Maximum length of a preset's name."""


class Preset(NamedTuple):
    """Sampling values with a name."""

    name: str
    """The person's own name for it, or the end of the code `preset.NAME`."""
    values: Mapping[str, Json]
    is_own: bool = False

    def overrides(self, before: Mapping[str, Json], defaults: Settings) -> dict[str, Json]:
        """Return a conversation's overrides with these values instead of its own sampling values."""
        rest = {name: value for name, value in before.items() if name not in SAMPLING}
        return rest | {
            name: self.values.get(name)
            for name in SAMPLING
            if self.values.get(name) != getattr(defaults, name)
        }

    def is_in_force(self, settings: Settings) -> bool:
        """Whether these are the values of a conversation with these settings."""
        return all(getattr(settings, name) == self.values.get(name) for name in SAMPLING)


BUILT_IN = (
    Preset("checkpoint", {}),
    Preset("precise", {"temperature": 0.2, "top_p": 0.9}),
    Preset("balanced", {"temperature": 0.7, "top_p": 0.9, "top_k": 40}),
    Preset("creative", {"temperature": 1.1, "top_p": 0.95, "min_p": 0.05}),
)


def of(values: Mapping[str, Any]) -> dict[str, Json]:
    """Return the preset's values among those of settings, or of a receipt, which has `do_sample` for `greedy`."""
    found = {name: values.get(name) for name in SAMPLING if values.get(name) is not None}
    if values.get("do_sample") is False:
        return {"greedy": True}
    return valid(found, per_conversation=True)[0]


def own_presets(path: Path) -> list[Preset]:
    """Return the person's presets; what cannot be used is left out. Never raises."""
    try:
        table = cleaned(tomllib.loads(config_file.read(path))).get(TABLE)
    except (OSError, QwenTuiError, ValueError, RecursionError):
        return []
    table = table if isinstance(table, dict) else {}
    items = table.items() if isinstance(table, dict) else ()
    return [
        Preset(one_line(name, MOST_CHARACTERS), of(each), True)
        for name, each in items
        if isinstance(each, dict)
    ]


def save_preset(path: Path, name: str, values: Mapping[str, Json] | None) -> None:
    """Write a preset into the config file, or remove it for None. Raises QwenTuiError as `config_file.save`."""
    import tomlkit  # as in `config_file`

    def changed(document: Any) -> None:
        table = document.setdefault(TABLE, tomlkit.table(is_super_table=True))
        if not isinstance(table, dict):
            raise QwenTuiError("config.not_a_table", table=f"[{TABLE}]")
        if values is None:
            table.pop(name, None)
        else:
            table[name] = dict(values)
        if not table:
            del document[TABLE]

    config_file.edit(path, changed)
