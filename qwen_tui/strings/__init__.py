"""Every sentence a person reads, by code: `say` for the screen and the command line, `explain` for errors.

Each language is a folder (`en/`, `zh/`), with one file per area. A sentence is a `str.format` template; its
placeholders are the keyword arguments, so a translation can reorder them. `{count:token|tokens}` is the word for
one or the word for any other number.

English is in force until `use` chooses another language. That has to happen before `qwen_tui.ui` is imported:
key bindings read their descriptions then.
"""

import os
import string
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from qwen_tui.strings.languages import LANGUAGES, Texts, of_locale, texts, written_in

DEFAULT = "en"

FAILURES = (
    "EPERM", "ENOENT", "EIO", "ENOMEM", "EACCES", "EEXIST", "ENOTDIR", "EISDIR", "EMFILE", "EFBIG", "ENOSPC",
    "EROFS", "EPIPE", "ENAMETOOLONG", "EDQUOT", "ENETUNREACH", "ECONNRESET", "ETIMEDOUT", "ECONNREFUSED",
    "EHOSTUNREACH", "EAI_AGAIN", "EAI_NONAME",
)  # fmt: skip
"""The failures of the operating system that we have words for, by the names of POSIX."""

_CODED = frozenset({"detail", "how"})
"""The parameters of errors that may be the code of a sentence."""


class Explanation(NamedTuple):
    """An error in words: a title of a few words, one sentence of what happened, and what to do next."""

    title: str
    sentence: str
    hint: str


class _Language:
    """The language in force."""

    code = DEFAULT
    is_chosen = False
    """Whether a person or their locale asked for a language."""


class _Format(string.Formatter):
    def format_field(self, value: object, spec: str) -> str:
        if "|" not in spec:
            return format(value, spec)
        one, other = spec.split("|")
        return one if value == 1 else other


_format = _Format()


def choose(wanted: str | None = None) -> None:
    """Put a language in force; `auto`, None and one that we do not have leave the choice to the locale."""
    _Language.code = chosen(wanted)
    _Language.is_chosen = wanted in LANGUAGES or of_locale(os.environ) is not None


def chosen(wanted: str | None) -> str:
    """The language that `choose` would put in force: English where neither `wanted` nor the locale says another."""
    return next((each for each in (wanted, of_locale(os.environ)) if each in LANGUAGES), DEFAULT)


def language() -> str:
    """The code of the language in force."""
    return _Language.code


def unused_language_of(text: str) -> str | None:
    """The language that a text is written in, where it is not in force because nobody has chosen one."""
    found = written_in(text)
    return None if _Language.is_chosen or found == _Language.code else found


def in_force() -> Texts:
    """All texts of the language in force."""
    return texts(_Language.code)


def say(code: str, /, **parameters: object) -> str:
    """The sentence for `code` with its placeholders filled; KeyError when there is no such sentence."""
    return _format.vformat(in_force().SENTENCES[code], (), parameters)


def say_in(language: str, code: str, /, **parameters: object) -> str:
    """What `say` returns, in a language that need not be in force."""
    return _format.vformat(texts(language).SENTENCES[code], (), parameters)


def joined(*sentences: str) -> str:
    """Sentences one after another, as the language in force parts them; empty ones are left out."""
    return say("sentences.between").join(filter(None, sentences))


def listed(items: Iterable[str]) -> str:
    """Items of an enumeration, as the language in force parts them."""
    return say("list.between").join(items)


def of_the_system(words: str) -> str:
    """What the operating system says, such as `Permission denied`; words that we do not know stay as they are."""
    code = _codes_of_the_system().get(words)
    return words if code is None else say(code)


@cache
def _codes_of_the_system() -> dict[str, str]:
    """The codes of the sentences for `FAILURES`, by the English words, which are the system's own."""
    return {say_in(DEFAULT, f"system.{name}"): f"system.{name}" for name in FAILURES}


def explain(code: str, parameters: Mapping[str, object], language: str | None = None) -> Explanation:
    """The three parts of an error in words, in the language in force or in the one named.

    Where the parameter `detail` or `how` is the code of a sentence, or what the system says, it is put in words
    here: an error that is stored or sent between processes must not contain words of one language.

    Never raises: it is also used on errors read from old or damaged files, so a code or parameters that do
    not fit show themselves rather than nothing.
    """
    _, _, sentences, errors = texts(language or _Language.code)
    try:
        worded = dict(parameters)
        for name in _CODED & parameters.keys():
            said = str(parameters[name])
            if (template := sentences.get(_codes_of_the_system().get(said, said))) is not None:
                worded[name] = _format.vformat(template, (), parameters)
        return Explanation(*(_format.vformat(part, (), worded) for part in errors[code]))
    except (KeyError, ValueError, TypeError):
        detail = ", ".join(f"{key}={value}" for key, value in parameters.items())
        return Explanation(*(p.format(detail=f"{code} {detail}".strip()) for p in errors["error.unknown"]))
