"""Find a conversation by a name from the command line."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import TypeVar

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.index import Entry
from qwen_tui.chat.names import folded, tidy
from qwen_tui.chat.trash import Trashed
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import listed

SUGGESTIONS = 3
"""How many similar names are suggested for an unknown one."""

Named = TypeVar("Named", Entry, Trashed)


def named(found: Sequence[Named], name: str) -> Named:
    """Return the item with exactly this name, else the first one that differs only in case.

    Raises `QwenTuiError` with the most similar names.
    """
    wanted = tidy(name)
    alike = [each for each in found if folded(each.name) == folded(wanted)]
    if alike:
        return next((each for each in alike if each.name == wanted), alike[0])
    close = nearest(wanted, [each.name for each in found])
    if close:
        names = listed(f"“{one_line(each)}”" for each in close)
        raise QwenTuiError("cli.not_found_but", name=one_line(wanted), close=names)
    raise QwenTuiError("cli.not_found", name=one_line(wanted))


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Return similar names, best first: those that contain this one, the earlier the better, then misspelt ones."""
    wanted = folded(name)
    known = {folded(each): each for each in names}
    held = sorted((each for each in known if wanted and wanted in each), key=lambda each: each.index(wanted))
    alike = get_close_matches(wanted, known, n=SUGGESTIONS)
    return [known[each] for each in dict.fromkeys([*held, *alike])][:SUGGESTIONS]
