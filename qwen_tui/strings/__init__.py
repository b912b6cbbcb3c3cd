"""Every sentence a person reads, by code: `say` for the screen and the command line, `explain` for errors.

The entries stand in one folder a language (`english/`), one file an area. A sentence is a `str.format`
template; its placeholders are the keyword arguments, so a translation can reorder them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from qwen_tui.strings.english import ERRORS, SENTENCES


class Explanation(NamedTuple):
    """An error in words: a title of a few words, one sentence of what happened, and what to do next."""

    title: str
    sentence: str
    hint: str


def say(code: str, /, **parameters: object) -> str:
    """The sentence for `code` with its placeholders filled; KeyError when there is no such sentence."""
    return SENTENCES[code].format_map(parameters)


def explain(code: str, parameters: Mapping[str, object]) -> Explanation:
    """The three parts of an error in words.

    Never raises: it is also used on errors read from old or damaged files, so a code or parameters that do
    not fit show themselves rather than nothing.
    """
    try:
        return Explanation(*(part.format_map(parameters) for part in ERRORS[code]))
    except (KeyError, ValueError, TypeError):
        detail = ", ".join(f"{key}={value}" for key, value in parameters.items())
        return Explanation(*(p.format(detail=f"{code} {detail}".strip()) for p in ERRORS["error.unknown"]))
