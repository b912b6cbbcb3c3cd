"""Emphasis as models write it: stars that are signs (`2*3`, `x**2`, `*.py`, `__init__`) stay visible.

CommonMark lets `*` open and close inside a word, and lets a mark close after punctuation only before a space
or more punctuation. Models multiply with stars, and Chinese has no spaces. In doubt a sign is shown.
"""

import itertools
import re
import unicodedata

from markdown_it.rules_inline.state_inline import Delimiter, StateInline

_CJK = re.compile(
    "[\u1100-\u11ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\ufe30-\ufe6f\uff01-\uffee"
    "\U00016fe0-\U0001b2ff\U00020000-\U0003fffd]"
)
_DUNDER = re.compile(r"__[A-Za-z0-9]+(?:_[A-Za-z0-9]+)*__(?!\w)")
_GLOB = re.compile(r"\.[\w*]")
_POWER_BASE = re.compile(r"[A-Za-z0-9)]")
_POWER_EXPONENT = re.compile(r"[A-Za-z0-9]")
_PATH = frozenset("-_/.\\")
_FARTHEST = 400
"""How many tokens apart two stars may be for the text between them to be checked."""


def stars(state: StateInline, silent: bool) -> bool:
    """Inline rule: runs of `*`, as signs or as marks that may open and close."""
    source, start = state.src, state.pos
    if source[start] != "*" or silent:
        return False
    end = _end_of_run(source, start, state.posMax)
    before = source[start - 1] if start else " "
    after = source[end] if end < state.posMax else " "
    if end - start == 1 and _is_sign(source, start, before, after):
        state.pending += "*"
        state.pos = end
        return True
    opens, closes = _flanks(before, after)
    is_power = end - start == 2 and is_like_a_power(before, after)
    for _ in range(end - start):
        _push(state, "*", end - start, opens, closes)
        state.tokens[-1].meta["power"] = is_power
    state.pos = end
    return True


def tildes(state: StateInline, silent: bool) -> bool:
    """Inline rule: `~~…~~` strikes text through, also next to Chinese punctuation."""
    source, start = state.src, state.pos
    if source[start] != "~" or silent:
        return False
    end = _end_of_run(source, start, state.posMax)
    before = source[start - 1] if start else " "
    after = source[end] if end < state.posMax else " "
    if end - start < 2:
        return False
    opens, closes = _flanks(before, after)
    if (end - start) % 2:
        state.push("text", "", 0).content = "~"
    for _ in range((end - start) // 2):
        _push(state, "~~", 0, opens, closes)
    state.pos = end
    return True


def dunders(state: StateInline, silent: bool) -> bool:
    """Inline rule: `__init__` is a name."""
    source, start = state.src, state.pos
    if source[start] != "_" or (start and (source[start - 1].isalnum() or source[start - 1] == "_")):
        return False
    match = _DUNDER.match(source, start, state.posMax)
    if match is None:
        return False
    if not silent:
        state.pending += match.group()
    state.pos = match.end()
    return True


def unpaired(state: StateInline) -> None:
    """Second inline rule, before marks are paired: powers and pointers open and close nothing."""
    metas = [meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta]
    for delimiters in (state.delimiters, *metas):
        if delimiters:
            _settle_powers(state, delimiters)
            _settle_brackets(state, delimiters)


def is_like_a_power(before: str, after: str) -> bool:
    """Return whether `**` between these characters looks like `x**2`."""
    return bool(_POWER_BASE.fullmatch(before) and _POWER_EXPONENT.fullmatch(after))


def _end_of_run(source: str, start: int, limit: int) -> int:
    end = start
    while end < limit and source[end] == source[start]:
        end += 1
    return end


def _push(state: StateInline, mark: str, length: int, opens: bool, closes: bool) -> None:
    token = state.push("text", "", 0)
    token.content = mark
    at = len(state.tokens) - 1
    state.delimiters.append(Delimiter(ord(mark[0]), length, at, -1, opens, closes))


def _flanks(before: str, after: str) -> tuple[bool, bool]:
    """Return whether a mark may open and may close; next to CJK, punctuation does not matter."""
    cjk_before, cjk_after = bool(_CJK.match(before)), bool(_CJK.match(after))
    beside = cjk_before or cjk_after
    odd_before, odd_after = _is_punctuation(before), _is_punctuation(after)
    opens = not after.isspace() and (not odd_after or before.isspace() or odd_before or cjk_before)
    closes = not before.isspace() and (not odd_before or after.isspace() or odd_after or cjk_after)
    if beside:
        return opens, closes
    left = not after.isspace() and (not odd_after or before.isspace() or odd_before)
    right = not before.isspace() and (not odd_before or after.isspace() or odd_after)
    return left, right


def _is_sign(source: str, at: int, before: str, after: str) -> bool:
    """Return whether a lone star is a sign: a product, a pattern of file names, a comment's mark."""
    if _ends_term(before) and _begins_term(after):
        return True
    if before in _PATH and after in _PATH:
        return True
    if _GLOB.match(source, at + 1) and not before.isalnum():
        return True
    if after == "/" and (before.isspace() or before == "/" or not source[at + 2 : at + 3].strip()):
        return True
    if before in "/\\-" and not (after.isalnum() or after in "*("):
        return True
    return before == "/" and (at < 2 or source[at - 2].isspace())


def _ends_term(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in ("Pe", "Pf", "Mn", "Mc")


def _begins_term(character: str) -> bool:
    return character.isalnum() or unicodedata.category(character) in ("Ps", "Pi")


def _is_punctuation(character: str) -> bool:
    return unicodedata.category(character)[0] in "PS"


def _settle_powers(state: StateInline, delimiters: list[Delimiter]) -> None:
    """Decide for each `**` that looks like a power whether it opens, closes, or is a sign.

    It closes what a clear opening mark began on the same line, unless a clear closing mark comes first; it
    opens if the next mark is a clear closing one, or if only letters stand before the next one in the same
    word.
    """
    runs = [
        (one, two)
        for one, two in itertools.pairwise(delimiters)
        if one.marker == ord("*") and one.length == 2 and two.token == one.token + 1
    ]
    is_open, opened_at = False, 0
    skip = False
    for number, run in enumerate(runs):
        follower = runs[number + 1] if number + 1 < len(runs) else None
        if skip:
            skip = False
            _set(run, False, True)
            continue
        if not state.tokens[run[0].token].meta["power"]:
            if is_open and run[0].close:
                is_open = False
            elif run[0].open:
                is_open, opened_at = True, run[1].token
            continue
        if is_open and not _breaks(state, opened_at, run[0].token):
            is_closing = not _closes_next(state, runs, number)
            _set(run, False, is_closing)
            is_open = not is_closing
        elif (
            follower
            and _is_clear_close(state, follower)
            and not _breaks(state, run[1].token, follower[0].token)
        ):
            _set(run, True, False)
            is_open, opened_at = True, run[1].token
        elif follower and state.tokens[follower[0].token].meta["power"] and _is_word(state, run, follower):
            _set(run, True, False)
            skip = True
        else:
            _set(run, False, False)


def _closes_next(state: StateInline, runs: list[tuple[Delimiter, Delimiter]], number: int) -> bool:
    """Return whether the next mark after this one that is no power is a clear closing one on the same line."""
    for run in runs[number + 1 : number + 9]:
        if _breaks(state, runs[number][1].token, run[0].token):
            return False
        if not state.tokens[run[0].token].meta["power"]:
            return _is_clear_close(state, run)
    return False


def _is_clear_close(state: StateInline, run: tuple[Delimiter, Delimiter]) -> bool:
    return not state.tokens[run[0].token].meta["power"] and run[0].close and not run[0].open


def _is_word(
    state: StateInline, run: tuple[Delimiter, Delimiter], follower: tuple[Delimiter, Delimiter]
) -> bool:
    between = "".join(token.content for token in state.tokens[run[1].token + 1 : follower[0].token])
    return len(between) > 2 and between.isalpha()


def _set(run: tuple[Delimiter, Delimiter], opens: bool, closes: bool) -> None:
    for each in run:
        each.open, each.close = opens, closes


def _breaks(state: StateInline, since: int, until: int) -> bool:
    if until - since > _FARTHEST:
        return True
    return any(token.type in ("softbreak", "hardbreak") for token in state.tokens[since:until])


def _settle_brackets(state: StateInline, delimiters: list[Delimiter]) -> None:
    """Keep a lone star from closing when a bracket opened since its partner is still open: `int *p = (int*)x`."""
    opened: Delimiter | None = None
    for each in delimiters:
        if each.marker != ord("*") or each.length != 1:
            continue
        if opened is not None and each.close:
            if each.token - opened.token < _FARTHEST and _has_open_bracket(state, opened.token, each.token):
                each.close = False
                continue
            opened = None
        elif each.open:
            opened = each


def _has_open_bracket(state: StateInline, since: int, until: int) -> bool:
    between = "".join(token.content for token in state.tokens[since + 1 : until])
    return any(between.count(one) > between.count(other) for one, other in ("()", "[]", "{}", "（）"))
