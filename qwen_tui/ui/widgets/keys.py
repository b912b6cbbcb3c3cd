"""The active keys: all our bindings, with the keys of the person's config file."""

import functools
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

from textual.binding import Binding
from textual.dom import DOMNode

import qwen_tui.ui
from qwen_tui.ui.textual_patches.keymap_first import keymap_of

_ROOMS = "qwen_tui.ui."
_SHORT = {"up": "↑", "down": "↓", "left": "←", "right": "→", "escape": "esc", "pageup": "page up"}
_SHORT |= {"pagedown": "page down", "delete": "del", "question_mark": "?", "slash": "/"}


def key_name(key: str) -> str:
    """Return a key's name for the screen: `esc` for `escape`, `F1` for `f1`, `shift+←` for `shift+left`."""
    *modifiers, last = key.split("+")
    is_function_key = last[:1] == "f" and last[1:].isdigit()
    return "+".join([*modifiers, _SHORT.get(last, last.upper() if is_function_key else last)])


def key_label(key: str) -> str:
    """Return a key as sentences and help show it: `Esc`, `F1`, `Ctrl+J`, `Shift+←`; a letter alone is unchanged."""
    *modifiers, last = key_name(key).split("+")
    if modifiers or len(last) > 1:
        last = last[:1].upper() + last[1:]
    return "+".join([*map(str.capitalize, modifiers), last])


def keys_in_force(binding: Binding, keymap: Mapping[str, str]) -> list[str]:
    """Return the keys of a binding, as remapped by `keymap` (binding id to keys)."""
    return [key.strip() for key in keymap.get(binding.id or "", binding.key).split(",")]


def key_of(node: DOMNode, binding_id: str) -> str:
    """Return the name of the first active key of a binding, for a sentence."""
    return str(keys_of(node, key=binding_id)["key"])


def keys_of(node: DOMNode, **binding_ids: str) -> dict[str, Any]:
    """Return the names of several keys, as the parameters of a sentence."""
    keymap = keymap_of(node.app)
    return {name: key_label(keys_in_force(_named(each), keymap)[0]) for name, each in binding_ids.items()}


@functools.cache
def _named(binding_id: str) -> Binding:
    for _ in range(2):
        for _, binding in own_bindings():
            if binding.id == binding_id:
                return binding
        import_every_room()
    raise KeyError(binding_id)


def own_bindings(kind: type[DOMNode] = DOMNode) -> Iterator[tuple[type[DOMNode], Binding]]:
    """Yield every binding declared by our classes, with its class; only from modules imported so far."""
    if kind.__module__.startswith(_ROOMS):
        for each in kind.__dict__.get("BINDINGS", ()):
            if isinstance(each, Binding):
                yield kind, each
    for below in kind.__subclasses__():
        yield from own_bindings(below)


def import_every_room() -> None:
    """Import all modules of `ui`, including lazily imported ones, so that `own_bindings` is complete."""
    for module in pkgutil.walk_packages(qwen_tui.ui.__path__, _ROOMS):
        importlib.import_module(module.name)
