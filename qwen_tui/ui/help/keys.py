"""The content of the help: all bindings by place, and the locations of the person's files."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from textual.dom import DOMNode

from qwen_tui.paths import Places
from qwen_tui.strings import in_force, say
from qwen_tui.ui.widgets.keys import import_every_room, key_label, keys_in_force, own_bindings

_PLACE = "help.place."
EVERYWHERE = f"{_PLACE}everywhere"
"""The place of bindings that work everywhere, except in dialogs."""


class KeyRow(NamedTuple):
    """One row of the help."""

    keys: str
    """The keys, as names."""
    what: str
    """What they do."""
    id: str
    """The binding id in the config file; empty if its keys cannot be changed."""


class Place(NamedTuple):
    """A part of the screen, and the keys that work there."""

    title: str
    rows: tuple[KeyRow, ...]


def place_of(kind: type[DOMNode]) -> str:
    """Return the code of the name of the place where a class has its bindings: by module, else by package."""
    names = kind.__module__.removeprefix("qwen_tui.ui.").split(".")
    codes = (_PLACE + ".".join(names[:length]) for length in range(len(names), 0, -1))
    return next((code for code in codes if code in in_force().SENTENCES), EVERYWHERE)


def help_places(keymap: Mapping[str, str]) -> list[Place]:
    """Return the places with their active keys, in the order of the sentences in `strings`."""
    import_every_room()
    found: dict[str, dict[tuple[str, str], list[str]]] = {
        code: {} for code in in_force().SENTENCES if code.startswith(_PLACE)
    }
    for kind, binding in own_bindings():
        keys = found[place_of(kind)].setdefault((binding.description, binding.id or ""), [])
        keys += [key for key in keys_in_force(binding, keymap) if key not in keys]
    return [
        Place(
            say(code),
            tuple(KeyRow(" ".join(map(key_label, keys)), what, name) for (what, name), keys in rows.items()),
        )
        for code, rows in found.items()
    ]


def help_files(where: Places) -> list[tuple[str, Path]]:
    """Return the locations of the person's files."""
    return [
        (say("help.conversations"), where.conversations),
        (say("help.config"), where.config_file),
        (say("help.log"), where.log_file),
    ]
