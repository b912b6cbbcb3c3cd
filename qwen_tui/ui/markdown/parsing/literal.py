r"""Text that only looks like markup: backslashes of paths and patterns, types in angle brackets, indexes."""

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table
from markdown_it.rules_inline.state_inline import StateInline

PIPE = "\ufdd0"
"""Stands for a `|` inside a table cell while the table is parsed; a code point that no text may have."""

_ESCAPABLE = frozenset("*_`#+->~!$<&")
_NUMBER_BEFORE = re.compile(r"(?:^|\n)\d{1,9}$")
_ADDRESS = re.compile(
    r"<(?!(?:https?|ftps?|mailto|tel|sms|file|ssh|git|irc|news|data|magnet):)[a-z][\w+.-]*:", re.I
)
_INDEX = re.compile(r"\[[^\[\]\n]*\]\([^()\s/.:#@]*\)")
_DELIMITERS = re.compile(r"[ \t>]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*")
_SPAN = re.compile(r"\\[^(]|\\\(.*?\\\)|(`+)(?!`).*?(?<!`)\1(?!`)|\$[^\s$|](?:[^$]*[^\s$])?\$(?!\d)|(\|)")


def backslashes(state: StateInline, silent: bool) -> bool:
    """Inline rule: a backslash is dropped only before what would otherwise be markup."""
    source, at = state.src, state.pos
    if source[at] != "\\" or at + 1 >= state.posMax:
        return False
    following = source[at + 1]
    if following in _ESCAPABLE or following == "\n":
        return False
    if following in ".)" and _NUMBER_BEFORE.search(source, max(0, at - 10), at):
        return False
    if not silent:
        state.pending += source[at : at + 2]
    state.pos = at + 2
    return True


def brackets(state: StateInline, silent: bool) -> bool:
    """Inline rule: `<str:int>` is no address, and `a[i](x)` no link."""
    source, at = state.src, state.pos
    if source[at] == "<":
        is_text = bool(_ADDRESS.match(source, at, state.posMax))
    elif source[at] == "[" and at and (source[at - 1].isalnum() or source[at - 1] in "_)]"):
        is_text = bool(_INDEX.match(source, at, state.posMax))
    else:
        return False
    if not is_text:
        return False
    if not silent:
        state.pending += source[at]
    state.pos = at + 1
    return True


def tables(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a table, with `|` in code or in a formula as text, and without dropping surplus cells."""
    if silent or start + 2 > end or not _DELIMITERS.fullmatch(_line(state, start + 1)):
        return table(state, start, end, silent)
    count = len(_line(state, start + 1).strip().strip("|").split("|"))
    source = state.src
    places: list[int] = []
    for number in range(start, end):
        if not _line(state, number).strip():
            break
        if number != start + 1:
            places += _text_pipes(_line(state, number), state.bMarks[number] + state.tShift[number], count)
    if places:
        characters = list(source)
        for place in places:
            characters[place] = PIPE
        state.src = "".join(characters)
    is_table = table(state, start, end, silent)
    state.src = source
    return is_table


def _text_pipes(line: str, at: int, count: int) -> list[int]:
    """Return the positions of the pipes of a row that separate no cells; `at` is where the line begins."""
    separators: list[int] = []
    inside: list[int] = []
    for match in _SPAN.finditer(line):
        if match[2]:
            separators.append(match.start())
        elif match.group()[0] != "\\" or match.group()[1] == "(":
            inside += [
                match.start() + n for n, each in enumerate(match.group()) if _is_bare_pipe(match.group(), n)
            ]
    first = bool(separators) and not line[: separators[0]].strip()
    last = bool(separators) and not line[separators[-1] + 1 :].strip() and len(separators) > first
    between = separators[first : len(separators) - last]
    return [at + place for place in (*inside, *between[count - 1 :])]


def _is_bare_pipe(text: str, at: int) -> bool:
    return text[at] == "|" and text[at - 1 : at] != "\\"


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
