"""Fenced code: a README in a `markdown` block may have fenced code in it."""

import re

from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.fence import fence

_OPENING = re.compile(r"(`{3,}|~{3,})[ \t]*([^`\s]*)")
_MARKDOWN = frozenset(("markdown", "md", "mdx", "gfm"))


def fences(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Block rule: as CommonMark has it, but in a `markdown` block the fences inside are counted."""
    opening = None if state.is_code_block(start) else _OPENING.match(_line(state, start))
    if silent or opening is None or not is_markdown(opening[2]):
        return fence(state, start, end, silent)
    last = start + 1
    nest = Nest(opening[1])
    while last < end and not (_line(state, last) and state.sCount[last] < state.blkIndent):
        follower = _line(state, last + 1) if last + 1 < end else ""
        if not state.is_code_block(last) and nest.closes(_line(state, last), follower):
            break
        last += 1
    state.line = min(last + 1, end) if nest.is_closed else last
    token = state.push("fence", "code", 0)
    token.info = _line(state, start)[len(opening[1]) :]
    token.content = state.getLines(start + 1, last, state.sCount[start], True)
    token.markup = opening[1]
    token.map = [start, state.line]
    return True


def is_markdown(language: str) -> bool:
    """Return whether code in this language may have fences of its own."""
    return language.lower() in _MARKDOWN


class Nest:
    """The fences that are open in a `markdown` block."""

    def __init__(self, marks: str) -> None:
        self._open = [marks]
        self._above = "text"

    @property
    def is_closed(self) -> bool:
        return not self._open

    @property
    def depth(self) -> int:
        """How many fences are open inside the block."""
        return len(self._open) - 1

    def closes(self, line: str, follower: str) -> bool:
        """Read the next line; return whether it ends the block. `follower` is the line after it."""
        line, above = line.strip(), self._above
        self._above = line
        match = _OPENING.match(line)
        if match is None or match[1][0] != self._open[0][0] or len(match[1]) < len(self._open[0]):
            return False
        if line != match[1]:
            if match[2]:
                self._open.append(match[1])
            return False
        # A bare fence ends what is open, except where code without a language begins: after an empty line or
        # a colon, and with code right below.
        begins = not self.depth and follower.strip() and (not above or above.endswith((":", "：")))
        if begins:
            self._open.append(match[1])
        elif len(match[1]) >= len(self._open[-1]):
            self._open.pop()
        return self.is_closed


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] + state.tShift[number] : state.eMarks[number]]
