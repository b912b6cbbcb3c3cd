"""What the help shows: every binding of ours by the place where it works, and where the person's files are."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from textual.dom import DOMNode

from qwen_tui.paths import Places
from qwen_tui.strings import in_force, say
from qwen_tui.ui.widgets.keys import import_every_room, key_label, keys_in_force, own_bindings

_PLACE = "help.place."
EVERYWHERE = f"{_PLACE}everywhere"
"""The place of what works wherever the keyboard is, dialogs excepted."""


class KeyRow(NamedTuple):
    """A row of the help."""

    keys: str
    """As they are pressed."""
    what: str
    """What they do."""
    id: str
    """What the config file calls the binding; empty where its keys cannot be changed."""


class Place(NamedTuple):
    """A part of the screen, and the keys that work there."""

    title: str
    rows: tuple[KeyRow, ...]


def place_of(kind: type[DOMNode]) -> str:
    """The sentence that names the place where a class has its bindings: of its module, else of its room."""
    names = kind.__module__.removeprefix("qwen_tui.ui.").split(".")
    codes = (_PLACE + ".".join(names[:length]) for length in range(len(names), 0, -1))
    return next((code for code in codes if code in in_force().SENTENCES), EVERYWHERE)


def help_places(keymap: Mapping[str, str]) -> list[Place]:
    """The parts of the screen, in the order in which their names stand in `strings`, with the keys in force."""
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
    """Where the person's files are."""
    return [
        (say("help.conversations"), where.conversations),
        (say("help.config"), where.config_file),
        (say("help.log"), where.log_file),
    ]
