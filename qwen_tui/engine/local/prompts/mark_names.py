"""Recognize the marks of a thought by their names, where rendering a thought does not show them.

Many templates remove a thought instead of rendering it, so that only its marks are named.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from qwen_tui.engine.chat_format import Marks

_ABOUT_THOUGHTS = re.compile(r"think|thought|reason", re.IGNORECASE)

_QUOTED_MARK = re.compile(r"[<\[◁]/?[^<>\[\]◁▷\s'\"]{3,30}[>\]▷]")
"""A mark in the source of a template."""

_OPPOSITES = (("begin", "end"), ("BEGIN", "END"), ("start", "end"), ("START", "END"))


def named_pair(tokens: Sequence[str], template: str = "") -> tuple[str, str] | None:
    """Return the marks that open and close a thought, from added tokens or from the source of a template.

    Of several pairs, one that the template names comes first.
    """
    known = dict.fromkeys([*_QUOTED_MARK.findall(template), *tokens])
    pairs = [
        (opening, closing)
        for opening in known
        if _ABOUT_THOUGHTS.search(opening)
        for closing in _closings(opening)
        if closing in known
    ]
    # `<think>` before other names: `<think>` and `<thinking>` may both be there.
    return min(pairs, key=lambda pair: (pair[1] not in template, len(pair[0])), default=None)


def default_marks(pair: tuple[str, str] | None, renderings: Iterable[str] = ()) -> Marks | None:
    """Return marks with the white space that a rendering shows around them, else the usual one."""
    if pair is None:
        return None
    opening, closing = pair
    for text in renderings:
        # An empty thought: half of what stands inside belongs to each mark.
        if (empty := re.search(rf"{re.escape(opening)}(\s*){re.escape(closing)}(\s*)", text)) is not None:
            inside, after = empty.groups()
            half = len(inside) // 2
            return Marks(opening + inside[:half], inside[half:] + closing + after)
    for text in renderings:
        if (opened := re.search(rf"{re.escape(opening)}(\s*)$", text)) is not None:
            line = opened[1]
            return Marks(opening + line, f"{line}{closing}{line * 2}")
    line = "\n" if opening.startswith("<") else ""
    return Marks(opening + line, f"{line}{closing}{line * 2}")


def mark_tokens(marks: Marks, added: Mapping[str, int]) -> tuple[tuple[int, int] | None, dict[int, str]]:
    """Return the ids of the tokens that open and close a thought, and all added tokens in the marks by id.

    The ids are None if these are not single tokens; a label may follow the first one. Marks that are found in the
    text have no tokens.
    """
    begins = [token for token in added if token.strip() and marks.open.strip().startswith(token)]
    opening, closing = max(begins, key=len, default=""), marks.close.strip()
    think_ids = (added[opening], added[closing]) if added.keys() >= {opening, closing} else None
    written = "".join(marks) if marks.names_channels or think_ids else ""
    return think_ids, {each: token for token, each in added.items() if token.strip() and token in written}


def _closings(opening: str) -> list[str]:
    """Return the names that would close a thought which this mark opens."""
    found = [opening[0] + "/" + opening[1:], opening[:2] + "/" + opening[2:]]
    return found + [opening.replace(begin, end, 1) for begin, end in _OPPOSITES if begin in opening]
