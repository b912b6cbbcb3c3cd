"""Lay out tokens as text in which each token can be told apart and pointed at.

A token is bytes: the bytes of one Chinese character may belong to two tokens. Such tokens share a piece of text,
since half a character cannot be shown.
"""

import codecs
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from qwen_tui.chat.names import clusters
from qwen_tui.ui.markdown.lines import Line, Run, add_run, inked
from qwen_tui.wording.cell_width import cells, displayed

BOUNDARIES = ("even", "odd")
"""Inks of every other piece, so that the boundaries between tokens are visible."""

_SHOWN = {"\n": "⏎", "\t": "→", "\r": "␍"}
"""Characters that move the cursor of a terminal, and the signs that stand for them."""


class Piece(NamedTuple):
    """Text that tokens make together; nearly always one token."""

    text: str
    first: int
    """Index of its first token."""
    last: int
    """Index of its last token, the same for most pieces."""


class Span(NamedTuple):
    """The part of a piece that stands in one row."""

    piece: int
    text: str


def pieces(tokens: Iterable[bytes]) -> list[Piece]:
    """Join tokens until their bytes are whole characters; bytes that never become one are shown as `�`."""
    result: list[Piece] = []
    decoder, text, first, number = codecs.getincrementaldecoder("utf-8")("replace"), "", 0, -1
    for number, token in enumerate(tokens):
        text += decoder.decode(token)
        if not decoder.getstate()[0]:
            result.append(Piece(text, first, number))
            text, first = "", number + 1
    if number >= first:
        result.append(Piece(text + decoder.decode(b"", final=True), first, number))
    return result


class TokenText:
    """Pieces laid out at one width: their rows, and where each token stands."""

    def __init__(
        self, parts: Sequence[Piece], inks: Sequence[str], width: int, *, boundaries: bool = True
    ) -> None:
        """Lay out pieces; `inks` are those of the tokens, to which `boundaries` adds `BOUNDARIES`."""
        self._parts = parts
        self._boundaries = boundaries
        self._inks = inks
        self._rows = _placed(parts, max(2, width))
        self._row_of = [0] * len(parts)
        for row, spans in reversed(list(enumerate(self._rows))):
            for span in spans:
                self._row_of[span.piece] = row
        self._piece_of = {
            index: n for n, each in enumerate(parts) for index in range(each.first, each.last + 1)
        }
        self.lines = [self._line(spans, None) for spans in self._rows]
        """The rows without a chosen token."""

    def row_of(self, token: int) -> int:
        """Return the first row of a token."""
        return self._row_of[self._piece_of[token]]

    def chosen(self, row: int, token: int) -> Line:
        """Return a row in which this token is highlighted."""
        return self._line(self._rows[row], self._piece_of[token])

    def holds(self, row: int, token: int) -> bool:
        """Return whether some of this token stands in a row."""
        return any(span.piece == self._piece_of[token] for span in self._rows[row])

    def token_at(self, row: int, column: int) -> int | None:
        """Return the token in a cell, or the last one of the row to its left; None where the row is empty."""
        spans = self._rows[row] if 0 <= row < len(self._rows) else ()
        at = 0
        for span in spans:
            at += cells(span.text)
            if column < at:
                return self._parts[span.piece].first
        return self._parts[spans[-1].piece].last if spans else None

    def below(self, token: int, rows: int) -> int:
        """Return the token this many rows further down (up if negative), near the same column."""
        row = self.row_of(token)
        piece = self._piece_of[token]
        column = sum(cells(s.text) for s in self._rows[row][: _position(self._rows[row], piece)])
        step = 1 if rows > 0 else -1
        target = min(max(row + rows, 0), len(self._rows) - 1)
        while 0 <= target < len(self._rows):
            found = self.token_at(target, column)
            if found is not None:
                return found
            target += step
        return token

    def _line(self, spans: Sequence[Span], chosen: int | None) -> Line:
        runs: list[Run] = []
        for piece, text in spans:
            ink = self._inks[self._parts[piece].first]
            if self._boundaries:
                ink = f"{ink} {BOUNDARIES[piece % 2]}".strip()
            run = (text, ink)
            if piece == chosen:
                run = inked(run, "chosen")
            add_run(runs, *run)
        return Line(tuple(runs))


def _position(spans: Sequence[Span], piece: int) -> int:
    return next((at for at, span in enumerate(spans) if span.piece == piece), 0)


def _placed(parts: Sequence[Piece], width: int) -> list[list[Span]]:
    """Fill rows of at most `width` cells; a line break ends its row, and a character is never split."""
    rows: list[list[Span]] = [[]]
    used = 0
    for number, part in enumerate(parts):
        text, whole = "", len(part.text)
        if used and part.text.isascii() and used + whole > width >= whole:  # a word stays whole
            rows.append([])
            used = 0
        for cluster in _clusters(part.text):
            shown = shown_character(cluster)
            size = cells(shown)
            if used + size > width:
                _put(rows[-1], number, text)
                rows.append([])
                text, used = "", 0
            text, used = text + shown, used + size
            if cluster == "\n":
                _put(rows[-1], number, text)
                rows.append([])
                text, used = "", 0
        _put(rows[-1], number, text)
    return rows if rows[-1] or len(rows) == 1 else rows[:-1]


def _clusters(text: str) -> Iterable[str]:
    return text if text.isascii() else clusters(text)


def shown_character(cluster: str) -> str:
    """Return a character as one can see it: a sign for a line break, `·` for what has no width."""
    return _SHOWN.get(cluster) or displayed(cluster) or "·"


def visible(text: str) -> str:
    """Return a text on one line, in which every character can be seen."""
    return "".join(map(shown_character, _clusters(text)))


def _put(row: list[Span], piece: int, text: str) -> None:
    if text:
        row.append(Span(piece, text))


_HEAT_FROM = (0.9, 0.7, 0.5, 0.3, 0.1)
"""Probabilities from which a token is colored less: the first is that of a token without color."""


def heat_ink(probability: float | None) -> str:
    """Return the ink of a token of this probability, `heat0` for a sure one to `heat5`; None is unknown."""
    if probability is None:
        return "muted"
    return f"heat{sum(probability < limit for limit in _HEAT_FROM)}"
