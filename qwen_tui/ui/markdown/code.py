"""Highlight code if its language is named and known; leave it plain otherwise.

The language is never guessed: guessing is slow and often wrong.
"""

import functools
import re

from pygments.lexer import Lexer  # type: ignore[import-untyped]
from pygments.lexers import get_lexer_by_name  # type: ignore[import-untyped]
from pygments.token import Token, _TokenType  # type: ignore[import-untyped]
from pygments.util import ClassNotFound  # type: ignore[import-untyped]

from qwen_tui.ui.markdown.lines import Run, add_run
from qwen_tui.wording.cell_width import displayed

_MOST = 100_000
"""Longer code stays plain: highlighting takes about 4 ms per thousand characters on a slow core."""

_SUFFIX = re.compile(r"\*\.\w{1,10}")

_INKS: dict[_TokenType, str] = {
    Token.Comment: "comment",
    Token.Keyword: "keyword",
    Token.Operator.Word: "keyword",
    Token.Name.Tag: "keyword",
    Token.Literal.String: "string",
    Token.Literal.Number: "number",
    Token.Keyword.Constant: "number",
    Token.Name.Function: "name",
    Token.Name.Class: "name",
    Token.Name.Decorator: "name",
    Token.Name.Builtin: "name",
    Token.Name.Attribute: "name",
    Token.Generic.Deleted: "deleted",
    Token.Generic.Inserted: "string",
    Token.Generic.Heading: "name",
    Token.Generic.Subheading: "name",
    Token.Generic.Prompt: "comment",
}


def code_lines(text: str, language: str) -> list[tuple[Run, ...]]:
    """Highlight code and return the runs of each line, at least one line."""
    text = displayed(text)
    lexer = _lexer(language.lower()) if language and len(text) < _MOST else None
    if lexer is None:
        return [((line, "block"),) if line else () for line in text.split("\n")]
    lines: list[list[Run]] = [[]]
    for _, kind, value in lexer.get_tokens_unprocessed(text):
        ink = _ink(kind)
        for number, part in enumerate(value.split("\n")):
            if number:
                lines.append([])
            add_run(lines[-1], part, ink)
    return [tuple(line) for line in lines]


def suffix_of(language: str) -> str:
    """Return the file name suffix for a language, such as `.py`; `.txt` if it is unknown."""
    lexer = _lexer(language.lower()) if language else None
    patterns: list[str] = lexer.filenames if lexer is not None else []
    return next((pattern[1:] for pattern in patterns if _SUFFIX.fullmatch(pattern)), ".txt")


@functools.lru_cache(maxsize=64)
def _lexer(language: str) -> Lexer | None:
    try:
        return get_lexer_by_name(language)
    except ClassNotFound:
        return None


@functools.lru_cache(maxsize=512)
def _ink(kind: _TokenType) -> str:
    at: _TokenType | None = kind
    while at is not None:
        if at in _INKS:
            return f"block {_INKS[at]}"
        at = at.parent
    return "block"
