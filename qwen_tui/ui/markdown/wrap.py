"""Wrap runs of text into lines of a given width in cells.

Latin words stay whole. Han, kana and Hangul break anywhere, but no line starts with closing punctuation or
ends with an opening bracket (kinsoku). Anything longer than a line is broken; a wide character never is.
"""

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from qwen_tui.chat.names import clusters
from qwen_tui.ui.markdown.lines import Line, Run, add_run, prefixed
from qwen_tui.wording.cell_width import cells

_CLOSERS = frozenset("，。！？；：、）」』】》〉〕〗］｝”’…‥·・ー々％‰,.!?;:)]}%»›~～—")
_OPENERS = frozenset("（「『【《〈〔〖［｛“‘([{«‹$￥＄#")

# Ideographs, kana and Hangul: two cells each, and a break is allowed on both sides.
_PLAIN = "\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufa6d\U00020000-\U0003fffd"
_WIDE = (
    "\u1100-\u115f\u231a\u231b\u23e9-\u23f3\u25fd\u25fe\u2614\u2615\u26a1\u2705\u274c\u2753-\u2757\u2795-\u2797"
    "\u2b1b\u2b1c\u2b50\u2b55\u2e80-\u3040\u3097-\u30a0\u30fb-\u33ff\u4dc0-\u4dff\ua000-\ua4cf\ua960-\ua97f"
    "\ufa6e-\ufaff\ufe10-\ufe19\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6\U00016fe0-\U00018aff\U0001b000-\U0001b2ff"
    "\U0001f000-\U0001faff"
)
_MARK = "\u0300-\u036f\u200c\u200d\u20d0-\u20ff\u302a-\u302f\u3099\u309a\ufe00-\ufe0f"
_FLAG = "\U0001f1e6-\U0001f1ff"
_ATOM = re.compile(
    rf"(?P<break>\n)|(?P<space> +)|(?P<plain>[{_PLAIN}]+(?![{_MARK}]))"
    rf"|(?P<wide>[{_FLAG}]{{2}}|[{_PLAIN}{_WIDE}](?:[{_MARK}]|(?<=\u200d)[^ \n])*)"
    rf"|(?P<word>[^ \n{_PLAIN}{_WIDE}]+)"
)


class _Atom(NamedTuple):
    """A piece of text without a break inside, or (plain) one that may break anywhere."""

    kind: str
    text: str
    ink: str
    width: int


def wrap(runs: Iterable[Run], width: int) -> list[Line]:
    """Wrap runs into lines of at most `width` cells (at least 2); `\\n` in a run starts a new line."""
    filler = _Filler(max(width, 2))
    chunk: list[_Atom] = []
    for atom in _atoms(runs):
        if chunk and (atom.kind in ("space", "break") or _may_break(chunk[-1], atom)):
            filler.place(chunk)
            chunk = []
        if atom.kind == "break":
            filler.end_line(None)
        elif atom.kind == "space":
            filler.place_space(atom)
        else:
            chunk.append(atom)
    if chunk:
        filler.place(chunk)
    return filler.finished()


def wrap_code(runs: Sequence[Run], width: int) -> list[Line]:
    """Wrap one line of code, keeping every space; what continues is indented further, behind a mark."""
    text = "".join(text for text, _ in runs)
    if cells(text) <= width or width < _NARROWEST_CODE:
        filler = _Filler(max(width, 2))
        for part, ink in runs:
            filler.pour(part, ink)
        return filler.finished()
    indent = min(len(text) - len(text.lstrip(" ")), width // 3)
    mark: Run = (" " * indent + _CONTINUES, "block bar")
    rest = width - indent - len(_CONTINUES)
    rows = _cut(runs, _code_breaks(text, width, rest))
    first, *more = [Line(row, glue="" if number else None) for number, row in enumerate(rows)]
    return [first, *prefixed(more, mark, mark, "", "")]


def _code_breaks(text: str, width: int, rest: int) -> list[int]:
    """Return where the rows of a long line of code end: if possible after a space or a sign, not in a word."""
    ends: list[int] = []
    start = used = at = 0
    for cluster in clusters(text):
        taken = cells(cluster)
        if used + taken > width and at > start:
            sign = max(
                (n for n in range(at, at - (at - start) // 2, -1) if text[n - 1] in _CODE_SIGNS), default=at
            )
            ends.append(sign)
            used = cells(text[sign:at])
            start, width = sign, rest
        used += taken
        at += len(cluster)
    return [*ends, len(text)]


def _cut(runs: Sequence[Run], ends: Sequence[int]) -> list[tuple[Run, ...]]:
    """Cut runs into rows at these positions of their text."""
    rows: list[list[Run]] = [[]]
    at, left = 0, list(ends)
    for text, ink in runs:
        while at + len(text) > left[0]:
            part = left.pop(0) - at
            add_run(rows[-1], text[:part], ink)
            rows.append([])
            at, text = at + part, text[part:]
        add_run(rows[-1], text, ink)
        at += len(text)
    return [tuple(row) for row in rows]


_NARROWEST_CODE = 12
"""Narrower code is wrapped without a mark."""
_CONTINUES = "↳ "
_CODE_SIGNS = frozenset(" ,;(){}[]=/&|+-<>:")


def _atoms(runs: Iterable[Run]) -> Iterable[_Atom]:
    last: _Atom | None = None
    for run_text, ink in runs:
        for match in _ATOM.finditer(run_text):
            kind, text = match.lastgroup or "word", match.group()
            if last is not None:
                if last.kind == "plain" and len(last.text) > 1 and text[0] in _CLOSERS:
                    # The last ideograph must keep its closing mark: only that one, not the whole stretch.
                    yield last._replace(text=last.text[:-1], width=last.width - 2)
                    last = last._replace(text=last.text[-1], width=2)
                yield last
            if kind == "plain" and last is not None and last.text[-1] in _OPENERS and len(text) > 1:
                yield _Atom(kind, text[0], ink, 2)
                text = text[1:]
            width = 2 * len(text) if kind == "plain" else cells(text)
            last = _Atom(kind, text, ink, width)
    if last is not None:
        yield last


def _may_break(before: _Atom, after: _Atom) -> bool:
    if before.kind == after.kind == "word":
        return False
    return after.text[0] not in _CLOSERS and before.text[-1] not in _OPENERS


class _Filler:
    """The finished lines and the one being filled."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._lines: list[Line] = []
        self._runs: list[Run] = []
        self._used = 0
        self._space: _Atom | None = None
        """Spaces that are placed only if more text follows on the same line."""
        self._glue: str | None = None

    def place_space(self, atom: _Atom) -> None:
        if self._space is not None:
            atom = self._space._replace(
                text=self._space.text + atom.text, width=self._space.width + atom.width
            )
        self._space = atom

    def place(self, chunk: list[_Atom]) -> None:
        width = sum(atom.width for atom in chunk)
        space = self._space.width if self._space else 0
        if self._used + space + width <= self._width:
            self._set_space()
            for atom in chunk:
                self._set(atom.text, atom.ink, atom.width)
        elif len(chunk) == 1 and chunk[0].kind == "plain":
            self._place_plain(chunk[0])
        elif width <= self._width:
            self.wrap_line()
            for atom in chunk:
                self._set(atom.text, atom.ink, atom.width)
        else:
            if self._used + space + 1 < self._width:
                self._set_space()
            else:
                self.wrap_line()
            for atom in chunk:
                self.pour(atom.text, atom.ink)

    def pour(self, text: str, ink: str) -> None:
        """Place text cluster by cluster, breaking wherever the line is full."""
        if text.isascii():
            while text:
                if self._used >= self._width:
                    self.wrap_line()
                part = text[: self._width - self._used]
                self._set(part, ink, len(part))
                text = text[len(part) :]
            return
        for cluster in clusters(text):
            width = cells(cluster)
            if width > self._width and len(cluster) > 1:
                for character in cluster:
                    self.pour(character, ink)
                continue
            if self._used + width > self._width and self._used:
                self.wrap_line()
            self._set(cluster, ink, width)

    def wrap_line(self) -> None:
        """Continue on the next line; pending spaces become the glue between the two."""
        glue = self._space.text if self._space else ""
        self._space = None
        if self._runs or self._lines:
            self.end_line(glue)

    def end_line(self, glue: str | None) -> None:
        self._lines.append(Line(tuple(self._runs), glue=self._glue))
        self._runs, self._used, self._space, self._glue = [], 0, None, glue

    def finished(self) -> list[Line]:
        self.end_line(None)
        return self._lines

    def _place_plain(self, atom: _Atom) -> None:
        text = atom.text
        space = self._space.width if self._space else 0
        if self._used + space + 2 <= self._width:
            self._set_space()
        else:
            self.wrap_line()
        while text:
            if self._used + 2 > self._width:
                self.wrap_line()
            part = text[: (self._width - self._used) // 2]
            self._set(part, atom.ink, 2 * len(part))
            text = text[len(part) :]

    def _set_space(self) -> None:
        if self._space is not None:
            self._set(self._space.text, self._space.ink, self._space.width)
            self._space = None

    def _set(self, text: str, ink: str, width: int) -> None:
        add_run(self._runs, text, ink)
        self._used += width
