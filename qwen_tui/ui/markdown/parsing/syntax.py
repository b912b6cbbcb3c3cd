"""The Markdown dialect of chat models: CommonMark, tables and strike-through, without HTML.

It departs from the standard where models do, so that no sign a model wrote disappears: formulas and prompts are
kept as written, stars may be signs, emphasis works next to Chinese punctuation, only `#` makes a heading, and
blocks nested too deeply become text. Link references (`[1]: …`) stay visible in place, so that later text never
changes earlier text.
"""

import functools

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline.state_inline import StateInline

from qwen_tui.ui.markdown.parsing.emphasis import dunders, stars, tildes, unpaired
from qwen_tui.ui.markdown.parsing.fences import fences
from qwen_tui.ui.markdown.parsing.literal import backslashes, brackets, tables
from qwen_tui.ui.markdown.parsing.math import math, math_block, prompts

DEEPEST = 24
"""Levels of nesting that are laid out (a list in a list counts two); deeper source is shown as text."""

_LONGEST_INLINE = 30_000
"""A longer paragraph is not searched for emphasis and links."""

_MOST_BRACKETS = 1000
"""Nor is one with more opening brackets: searching them for links takes quadratic time."""

_INTERRUPTS: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}


@functools.cache
def parser() -> MarkdownIt:
    """Return the shared parser: creating it takes 0.3 ms, and using it does not change it."""
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": DEEPEST + 8})
    made.enable(["table", "strikethrough"]).disable(["reference", "lheading"])
    blocks, inline = made.block.ruler, made.inline.ruler
    blocks.before("table", "too_deep", _too_deep)
    blocks.at("table", tables, {"alt": ["paragraph", "reference"]})
    blocks.at("fence", fences, _INTERRUPTS)
    blocks.before("blockquote", "math", math_block, _INTERRUPTS)
    blocks.before("blockquote", "prompts", prompts, _INTERRUPTS)
    inline.before("text", "too_long", _too_long)
    inline.before("escape", "math", math)
    inline.before("escape", "backslashes", backslashes)
    inline.at("strikethrough", tildes)
    inline.before("emphasis", "stars", stars)
    inline.before("emphasis", "dunders", dunders)
    inline.before("link", "brackets", brackets)
    made.inline.ruler2.before("balance_pairs", "unpaired", unpaired)
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
