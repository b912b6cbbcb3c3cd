"""The Markdown dialect of chat models: CommonMark, tables and strike-through, without HTML.

It departs from the standard where models do: math is kept as written, emphasis works next to Chinese
punctuation, and blocks nested too deeply become text instead of disappearing. Link references (`[1]: …`) stay
visible in place, so that later text never changes earlier text.
"""

import functools
import re
import unicodedata

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline.state_inline import Delimiter, StateInline

DEEPEST = 24
"""Levels of nesting that are laid out (a list in a list counts two); deeper source is shown as text."""

_FARTHEST = 2000
"""How far to search for the end of a formula, so that a text full of dollar signs stays linear."""

_LONGEST_INLINE = 30_000
"""A longer paragraph is not searched for emphasis and links."""

_MOST_BRACKETS = 1000
"""Nor is one with more opening brackets: searching them for links takes quadratic time."""

_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe6f\uff01-\uffee"
    "\U00016fe0-\U0001b2ff\U00020000-\U0003fffd]"
)


@functools.cache
def parser() -> MarkdownIt:
    """Return the shared parser: creating it takes 0.3 ms, and using it does not change it."""
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST + 8})
    made.enable(["table", "strikethrough"]).disable("reference")
    made.block.ruler.before("table", "too_deep", _too_deep)
    made.inline.ruler.before("text", "too_long", _too_long)
    made.inline.ruler.before("escape", "math", _math)
    made.inline.ruler.before("emphasis", "cjk_emphasis", _cjk_emphasis)
    return made


def _too_deep(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: turn the rest of a block that is nested too deeply into one paragraph."""
    if state.level < DEEPEST:
        return False
    if silent:
        return False
    last = start
    while last < end and state.sCount[last] >= state.blkIndent and not state.isEmpty(last):
        last += 1
    last = max(last, start + 1)
    state.line = last
    opening = state.push("paragraph_open", "p", 1)
    opening.map = [start, last]
    inline = state.push("inline", "", 0)
    inline.content = state.getLines(start, last, state.blkIndent, False).strip()
    inline.map = [start, last]
    inline.children = []
    state.push("paragraph_close", "p", -1)
    return True


def _too_long(state: StateInline, silent: bool) -> bool:
    """Inline rule: treat a huge paragraph as text, so that a megabyte on one line does not take seconds."""
    if state.pos or (len(state.src) < _LONGEST_INLINE and state.src.count("[") <= _MOST_BRACKETS):
        return False
    if not silent:
        state.pending += state.src[state.pos : state.posMax]
    state.pos = state.posMax
    return True


def _math(state: StateInline, silent: bool) -> bool:
    r"""Inline rule: `$…$`, `$$…$$`, `\(…\)` and `\[…\]` keep their underscores, stars and backslashes."""
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
    limit = min(state.posMax, start + _FARTHEST)
    end = source.find(closing, start + len(opening), limit)
    if end <= start + len(opening) - 1 or end == start + len(opening):
        return False
    after = source[end + 1 : end + 2]
    if closing == "$" and (source[end - 1].isspace() or after.isdigit() or "\n" in source[start:end]):
        return False
    end += len(closing)
    if not silent:
        state.pending += source[start:end]
    state.pos = end
    return True


def _cjk_emphasis(state: StateInline, silent: bool) -> bool:
    """Inline rule: make `**广州：**美食` bold, although CommonMark does not.

    CommonMark lets a delimiter close after punctuation only before a space or more punctuation; Chinese has
    no spaces. Next to a CJK character the punctuation rule therefore does not apply. Everything else is left
    to the standard.
    """
    source, start = state.src, state.pos
    if source[start] != "*" or silent:
        return False
    end = start
    while end < state.posMax and source[end] == "*":
        end += 1
    before = source[start - 1] if start else " "
    after = source[end] if end < state.posMax else " "
    if not (_CJK.match(before) or _CJK.match(after)):
        return False
    opens = not after.isspace() and (
        not _is_punctuation(after) or before.isspace() or _is_punctuation(before) or bool(_CJK.match(before))
    )
    closes = not before.isspace() and (
        not _is_punctuation(before) or after.isspace() or _is_punctuation(after) or bool(_CJK.match(after))
    )
    for _ in range(end - start):
        token = state.push("text", "", 0)
        token.content = "*"
        state.delimiters.append(
            Delimiter(
                marker=ord("*"),
                length=end - start,
                token=len(state.tokens) - 1,
                end=-1,
                open=opens,
                close=closes,
            )
        )
    state.pos = end
    return True


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"
