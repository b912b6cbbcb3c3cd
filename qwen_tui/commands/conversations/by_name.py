"""Which conversation a name on the command line means."""

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TypeVar

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.index import Entry
from qwen_tui.chat.names import folded, tidy
from qwen_tui.chat.store import ConversationStore
from qwen_tui.chat.trash import Trashed
from qwen_tui.errors import QwenTuiError

SUGGESTIONS = 3
"""How many names are offered for one that is not there."""

Named = TypeVar("Named", Entry, Trashed)


def entry_named(store: ConversationStore, name: str) -> Entry:
    """The conversation of this name; raises `QwenTuiError` with the names that are nearest to it."""
    return _named(store.list(), name)


def trashed_named(store: ConversationStore, name: str) -> Trashed:
    """What was put into the trash last under this name; raises `QwenTuiError` as `entry_named` does."""
    return _named(store.trashed(), name)


def _named(found: Iterable[Named], name: str) -> Named:
    """The one of exactly this name, else one that differs in upper and lower case only."""
    found, wanted = list(found), tidy(name)
    same: list[Callable[[str], bool]] = [wanted.__eq__, lambda each: folded(each) == folded(wanted)]
    for is_same in same:
        for each in found:
            if is_same(each.name):
                return each
    close = nearest(wanted, [each.name for each in found])
    if close:
        names = ", ".join(f"“{one_line(each)}”" for each in close)
        raise QwenTuiError("cli.not_found_but", name=one_line(wanted), close=names)
    raise QwenTuiError("cli.not_found", name=one_line(wanted))


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """The names most like this one, the nearest first: those that begin like it or hold it, then misspelt ones."""
    wanted = folded(name)
    known = {folded(each): each for each in names}
    held = sorted((each for each in known if wanted and wanted in each), key=lambda each: each.index(wanted))
    alike = get_close_matches(wanted, known, n=SUGGESTIONS)
    return [known[each] for each in dict.fromkeys([*held, *alike])][:SUGGESTIONS]
