"""What the config file names that only the screen knows not to be there: a theme, and ids to give keys to."""

import difflib
import importlib
import pkgutil
from collections.abc import Iterable, Iterator

from textual.binding import Binding
from textual.dom import DOMNode
from textual.theme import BUILTIN_THEMES

import qwen_tui.ui
from qwen_tui.chat.cleaning import one_line
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.config_file import Config
from qwen_tui.settings.options import OPTIONS
from qwen_tui.ui.themes import THEMES

_LONGEST = 60


def unknown_names(config: Config) -> Iterator[QwenTuiError]:
    """A problem for each."""
    own = [each.name for each in THEMES]
    if config.settings.theme not in (*own, *BUILTIN_THEMES):
        label, choices = OPTIONS["theme"].label, ", ".join(own)
        theme = one_line(config.settings.theme, _LONGEST)
        yield QwenTuiError("settings.not_a_choice", name=label, value=theme, choices=choices)
    if config.keys:
        yield from _unknown_keys(config.keys)


def _unknown_keys(names: Iterable[str]) -> list[QwenTuiError]:
    """A problem (`config.unknown_keys`) for each of these that is not the id of a binding."""
    unknown = set(names) - set(_ids(DOMNode))
    if unknown:  # or that of a dialog, most of which are imported when they are opened
        for module in pkgutil.walk_packages(qwen_tui.ui.__path__, "qwen_tui.ui."):
            importlib.import_module(module.name)
    known = sorted(set(_ids(DOMNode)))
    return [
        QwenTuiError("config.unknown_keys", name=one_line(name, _LONGEST), close=_closest(name, known))
        for name in names
        if name not in known
    ]


def _ids(kind: type[DOMNode]) -> Iterator[str]:
    yield from (each.id for each in kind.BINDINGS if isinstance(each, Binding) and each.id)
    for below in kind.__subclasses__():
        yield from _ids(below)


def _closest(name: str, known: list[str]) -> str:
    return difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
