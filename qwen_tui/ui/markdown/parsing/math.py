r"""Formulas, shown as they are written: `$…$`, `\(…\)`, `$$…$$`, `\[…\]` and `\begin{…}…\end{…}`."""

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline.state_inline import StateInline

_FARTHEST = 2000
"""How far to search for the end of a formula, so that a text full of dollar signs stays linear."""

_MOST_ROWS = 60
"""How many lines down the end of a formula is looked for if it began after other text."""

_NO_FORMULA = re.compile(r"\*\*|`|~~|\]\(|(?:^|\s)[*_]$")
"""Markup of a sentence that merely has two prices in it."""

_OPENING = re.compile(r"\$\$|\\\[|\\begin\{([a-zA-Z]+\*?)\}")
_NUMBERED = re.compile(r"\d+[.)]\s")
_LIKELY = re.compile(r"[\\^_={]")


def math(state: StateInline, silent: bool) -> bool:
    """Inline rule: a formula keeps its underscores, stars and backslashes."""
    source, start = state.src, state.pos
    opening = source[start : start + 2]
    if opening in ("\\(", "\\["):
        closing = "\\)" if opening == "\\(" else "\\]"
    elif opening == "$$":
        closing = "$$"
    elif opening[:1] == "$" and not opening[1:].isspace() and len(opening) == 2:
        opening = closing = "$"
    else:
        return False
    at = start + len(opening)
    end = _closing(source, closing, at, min(state.posMax, start + _FARTHEST))
    if end <= at or (closing == "$" and not _is_formula(source, at, end)):
        return False
    end += len(closing)
    if not silent:
        state.pending += source[start:end]
    state.pos = end
    return True


def _closing(source: str, closing: str, at: int, limit: int) -> int:
    end = source.find(closing, at, limit)
    while closing[0] == "$" and end > at and _is_escaped(source, end):
        end = source.find(closing, end + 1, limit)
    return end


def _is_escaped(source: str, at: int) -> bool:
    count = 0
    while source[at - 1 - count : at - count] == "\\":
        count += 1
    return count % 2 == 1


def _is_formula(source: str, at: int, end: int) -> bool:
    """Return whether the text between two single dollar signs can be a formula and not the text between prices."""
    inside = source[at:end]
    if inside[-1].isspace() or source[end + 1 : end + 2].isdigit() or "\n" in inside:
        return False
    return _NO_FORMULA.search(inside) is None


def math_block(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a formula that begins a line and goes on below is shown as written, to its end."""
    if state.is_code_block(start):
        return False
    text = _line(state, start)
    opening = _OPENING.match(text)
    if opening is None:
        return _formula_after_text(state, text, start, end, silent)
    name = opening[1]
    closing = "\\end{" + name + "}" if name else "$$" if opening[0] == "$$" else "\\]"
    rest = text[opening.end() :]
    if closing in rest:
        return False
    if rest.strip() and not name and not _LIKELY.search(rest):
        return False
    if opening[0] == "$$" and not rest.strip() and _is_open_above(state, start):
        return False
    if silent:
        return True
    push_as_written(
        state, start, _end_of(state, closing, start, end, to_blank=bool(rest.strip()) and not name)
    )
    return True


def prompts(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: a session of Python's prompt is no quote in a quote in a quote."""
    if state.is_code_block(start) or not re.match(r">>> \S", _line(state, start)):
        return False
    if not silent:
        push_as_written(state, start, _end_of(state, "\n", start, end, to_blank=True))
    return True


def push_as_written(state: StateBlock, start: int, end: int) -> None:
    """Make the lines one block that is shown as written."""
    state.line = end
    token = state.push("as_written", "", 0)
    token.content = state.getLines(start, end, state.blkIndent, False).rstrip()
    token.map = [start, end]


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]


def _end_of(state: StateBlock, closing: str, start: int, end: int, *, to_blank: bool) -> int:
    """Return the line after the one with the closing mark, or where the container or the paragraph ends."""
    for number in range(start + 1, end):
        text = _line(state, number)
        if (text and state.sCount[number] < state.blkIndent) or (to_blank and not text.strip()):
            return number
        if closing in text:
            return number + 1
    return end


def _is_open_above(state: StateBlock, start: int) -> bool:
    """Return whether `$$` is the end of a formula that began in the middle of a line above."""
    count = 0
    for number in range(start - 1, max(-1, start - _MOST_ROWS), -1):
        text = _line(state, number)
        if not text.strip():
            break
        count += text.count("$$")
    return count % 2 == 1


def _formula_after_text(state: StateBlock, text: str, start: int, end: int, silent: bool) -> bool:
    """Make one paragraph of a line that ends in an opening mark, and of the formula below it."""
    text = text.rstrip()
    if text.endswith("$$") and text.count("$$") % 2:
        closing = "$$"
    elif text.endswith("\\[") and not text.endswith("\\\\["):
        closing = "\\]"
    else:
        return False
    if text[0] in "#>|-+*`~" or _NUMBERED.match(text):
        return False
    if not silent:
        state.line = _end_of(state, closing, start, end, to_blank=True)
        state.push("paragraph_open", "p", 1).map = [start, state.line]
        inline = state.push("inline", "", 0)
        inline.content = state.getLines(start, state.line, state.blkIndent, False).strip()
        inline.map, inline.children = [start, state.line], []
        state.push("paragraph_close", "p", -1)
    return True
