"""argparse in the language of the program: its own words, and the wrapping of help texts with wide characters.

argparse has two functions of gettext as the globals `_` and `ngettext`, and calls them with its English words each
time it needs them. `translate` replaces both.
"""

import argparse
import unicodedata
from typing import Any

from qwen_tui.strings import DEFAULT, language, say

WORDS = {
    "usage: ": "usage",
    "positional arguments": "positionals",
    "options": "options",
    "show this help message and exit": "help",
    "argument %(argument_name)s: %(message)s": "argument",
    "unrecognized arguments: %s": "unrecognized",
    "not allowed with argument %s": "not_allowed",
    "ignored explicit argument %r": "ignored_value",
    "the following arguments are required: %s": "required",
    "one of the arguments %s is required": "one_required",
    "expected one argument": "expected_one",
    "expected at least one argument": "expected_some",
    "invalid choice: %(value)r (choose from %(choices)s)": "choice",
}
"""argparse's words, and the code of the sentence that stands for them: `cli.argparse.CODE`.

Those that only a mistake in our own parser could bring up are left out; they stay English.
"""

_NOT_FIRST = "，。；：、！？）》”…"
"""Punctuation that must not begin a line."""


def translate() -> None:
    """Have argparse speak the language in force."""
    vars(argparse).update(_=_translated, ngettext=_translated_number)


def _translated(words: str) -> str:
    code = WORDS.get(words)
    return words if code is None or language() == DEFAULT else say(f"cli.argparse.{code}")


def _translated_number(one: str, other: str, number: int) -> str:
    return _translated(one if number == 1 else other)


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Help with descriptions as they are written, and texts wrapped by the cells of their characters."""

    _headings: tuple[str, ...] = ()

    def start_section(self, heading: str | None) -> None:
        """Begin a group of arguments."""
        self._headings += (heading or "",)
        super().start_section(heading)

    def format_help(self) -> str:
        """The whole help, with a wide colon behind a heading that ends with a wide character."""
        text = super().format_help()
        for heading in self._headings:
            if _is_wide(heading[-1:] or " "):
                text = text.replace(f"{heading}:", f"{heading}：")
        return text

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(" ".join(text.split()), width)

    def _format_usage(self, *arguments: Any, **named: Any) -> str:
        # It indents the lines after the first by the characters of the first word, not by its cells.
        usage = super()._format_usage(*arguments, **named)
        prefix = _translated("usage: ")
        return usage.replace("\n ", f"\n {' ' * (_cells(prefix) - len(prefix))}")


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells: broken at spaces, and between two wide characters."""
    lines = [""]
    for piece in _pieces(text):
        if _cells((lines[-1] + piece).rstrip()) > width and lines[-1]:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece if lines[-1] else piece.lstrip()
    return [*lines[:-1], lines[-1].rstrip()]


def _pieces(text: str) -> list[str]:
    """What must stay on one line: words with the space behind them, wide characters with their punctuation."""
    pieces: list[str] = []
    for character in text:
        is_new = not pieces or pieces[-1][-1] == " " or _is_wide(pieces[-1][-1]) or _is_wide(character)
        if is_new and not (
            pieces and (character in _NOT_FIRST or character == " " or pieces[-1][-1] in "（“")
        ):
            pieces.append(character)
        else:
            pieces[-1] += character
    return pieces


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _cells(text: str) -> int:
    return sum(2 if _is_wide(character) else 1 for character in text)
