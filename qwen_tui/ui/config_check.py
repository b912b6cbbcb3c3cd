"""Checks of the config file that need the screen: theme names, binding ids, keys bound twice."""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations

from textual.app import App
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import ModalScreen
from textual.theme import BUILTIN_THEMES
from textual.widget import Widget

from qwen_tui.chat.cleaning import one_line
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.config_file import Config
from qwen_tui.settings.options import OPTIONS
from qwen_tui.strings import say
from qwen_tui.ui.help.keys import EVERYWHERE, place_of
from qwen_tui.ui.themes import THEMES
from qwen_tui.ui.widgets.keys import import_every_room, key_label, keys_in_force, own_bindings

_LONGEST = 60


def unknown_names(config: Config) -> Iterator[QwenTuiError]:
    """Yield a problem for each unknown name, and for each key bound to two actions."""
    own = [each.name for each in THEMES]
    if config.settings.theme not in (*own, *BUILTIN_THEMES):
        label, choices = OPTIONS["theme"].label, ", ".join(own)
        theme = one_line(config.settings.theme, _LONGEST)
        yield QwenTuiError("settings.not_a_choice", name=label, value=theme, choices=choices)
    if config.keys:
        import_every_room()
        yield from _unknown_keys(config.keys)
        yield from _clashes(config.keys)


def _unknown_keys(names: Iterable[str]) -> Iterator[QwenTuiError]:
    known = sorted({each.id for _, each in own_bindings() if each.id})
    for name in names:
        if name not in known:
            (close,) = difflib.get_close_matches(name, known, n=1, cutoff=0.0)
            yield QwenTuiError("config.unknown_keys", name=one_line(name, _LONGEST), close=close)


def _clashes(keymap: Mapping[str, str]) -> Iterator[QwenTuiError]:
    """Yield a problem (`config.key_clash`) for each key that the person bound to two actions in one place."""
    said: set[tuple[str, str | None, str | None]] = set()
    for (kind, one), (other_kind, other) in combinations(own_bindings(), 2):
        if one.id == other.id or not {one.id, other.id} & keymap.keys():
            continue
        for key in _keys(one, keymap) & _keys(other, keymap) - (_keys(one, {}) & _keys(other, {})):
            if _may_meet(kind, other_kind) and (key, one.id, other.id) not in said:
                said.add((key, one.id, other.id))
                place = min(place_of(kind), place_of(other_kind), key=lambda each: each == EVERYWHERE)
                yield QwenTuiError(
                    "config.key_clash",
                    key=key_label(key),
                    one=_name(one),
                    other=_name(other),
                    place=say(place),
                )


def _keys(binding: Binding, keymap: Mapping[str, str]) -> set[str]:
    return set(keys_in_force(binding, keymap))


def _may_meet(kind: type[DOMNode], other: type[DOMNode]) -> bool:
    """Return whether the bindings of two classes can be active at the same time.

    Bindings of one place can, unless the keyboard focus excludes it: both classes are focusable, or they are
    variants of one class. Global bindings are active everywhere except in dialogs, where only those of the
    app remain.
    """
    place, other_place = place_of(kind), place_of(other)
    if place == other_place:
        have_keyboard = all(issubclass(each, Widget) and each.can_focus for each in (kind, other))
        common = {each for each in kind.__mro__ if each.__module__.startswith("qwen_tui.")} & {*other.__mro__}
        return issubclass(kind, other) or issubclass(other, kind) or not (have_keyboard or common)
    everywhere = {kind: place, other: other_place}
    wide = [each for each, its_place in everywhere.items() if its_place == EVERYWHERE]
    narrow = {place, other_place} - {EVERYWHERE}
    dialogs = {place_of(each) for each, _ in own_bindings() if issubclass(each, ModalScreen)}
    return bool(wide) and (issubclass(wide[0], App) or not narrow & dialogs)


def _name(binding: Binding) -> str:
    return f"“{binding.description}” ({binding.id})" if binding.id else f"“{binding.description}”"
