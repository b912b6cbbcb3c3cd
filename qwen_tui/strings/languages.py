"""Which languages there are, and which one the locale asks for."""

import re
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

LANGUAGES = tuple(sorted(file.parent.name for file in Path(__file__).parent.glob("*/__init__.py")))
"""The ISO 639 codes of all languages there are: the folders beside this file."""

_NO_LANGUAGE = ("", "C", "POSIX")


class Texts(NamedTuple):
    """What the folder of a language defines, in its `__init__.py`."""

    NAME: str
    """What the language calls itself."""
    LETTERS: str
    """A regular expression for characters that show a text to be in this language; empty where there are none."""
    SENTENCES: Mapping[str, str]
    ERRORS: Mapping[str, tuple[str, str, str]]
    """Title, sentence and hint by error code."""


@cache
def texts(language: str) -> Texts:
    """Merge the texts of all files of a language; raises ModuleNotFoundError if there is no such language."""
    package = import_module(f"qwen_tui.strings.{language}")
    areas = [import_module(f"{package.__name__}.{file.stem}") for file in _areas(language)]
    return Texts(
        package.NAME,
        package.LETTERS,
        {code: sentence for area in areas for code, sentence in area.SENTENCES.items()},
        {code: parts for area in areas for code, parts in area.ERRORS.items()},
    )


def _areas(language: str) -> list[Path]:
    return sorted(file for file in (Path(__file__).parent / language).glob("*.py") if file.stem != "__init__")


def of_locale(environment: Mapping[str, str]) -> str | None:
    """The language of the locale, whether it is one of `LANGUAGES` or not; None where the locale names none.

    As POSIX has it, the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is not empty decides.
    """
    named = (environment.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    locale = next(filter(None, named), "")
    language = re.split("[_.@]", locale)[0]
    return None if language in _NO_LANGUAGE else language.lower()


def written_in(text: str) -> str | None:
    """The language that a text is recognisably written in; None where its characters do not show it."""
    return next((code for code in LANGUAGES if (it := texts(code).LETTERS) and re.search(it, text)), None)
