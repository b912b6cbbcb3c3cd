"""Thinking apart from the answer: `<think>…</think>` at the beginning of a reply, or already open in the prompt.

Only the beginning counts: an answer that talks about the tags later keeps them as text. Where the tags are
single tokens the caller knows them by id and says `open` and `close`; else they are looked for in the text.
"""

from enum import Enum, auto
from typing import NamedTuple

OPEN = "<think>"
CLOSE = "</think>"

HELD_CHARACTERS = 16
"""How much of a reply's beginning is held back at most, while it may still be white space and a tag."""


class Channel(Enum):
    """Where a piece of text belongs."""

    THINKING = auto()
    ANSWER = auto()


class Piece(NamedTuple):
    """Some text, and where it belongs."""

    channel: Channel
    text: str


class _At(Enum):
    START = auto()
    """Nothing but white space so far: thinking may begin."""
    THINKING_START = auto()
    """Newlines here belong to the tag."""
    THINKING = auto()
    ANSWER_START = auto()
    """After thinking; newlines here belong to the tag."""
    ANSWER = auto()


class ThinkingSplitter:
    """Sorts the text of one reply, as it streams.

    What may still turn out to be a tag, or the newlines that belong to one, is held back until it is clear.
    """

    def __init__(self, *, thinks: bool = False, by_text: bool = True, begun: bool = False) -> None:
        """`thinks`: the prompt ends inside thinking. `by_text`: look for the tags in the text.

        `begun`: the prompt ends inside the thinking's or the answer's text, which now goes on.
        """
        if begun:
            self._at = _At.THINKING if thinks else _At.ANSWER
        else:
            self._at = _At.THINKING_START if thinks else _At.START
        self._by_text = by_text
        self._held = ""

    def push(self, text: str) -> list[Piece]:
        """Sort some more text."""
        self._held += text
        pieces: list[Piece] = []
        if self._at is _At.START:
            self._start()
        if self._at in (_At.THINKING_START, _At.THINKING):
            pieces += self._think()
        if self._at in (_At.ANSWER_START, _At.ANSWER):
            pieces += self._answer()
        return pieces

    def open(self) -> bool:
        """The opening tag came as a token; False when it means nothing here and is text like any other."""
        if self._at is not _At.START or self._held.strip():
            return False
        self._at, self._held = _At.THINKING_START, ""
        return True

    def close(self) -> list[Piece] | None:
        """The closing tag came as a token; None when it means nothing here and is text like any other."""
        if self._at not in (_At.THINKING_START, _At.THINKING):
            return None
        pieces = _pieces(Channel.THINKING, self._held.rstrip("\n"))
        self._at, self._held = _At.ANSWER_START, ""
        return pieces

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """What is left when the reply is over.

        When it `is_cut` and may be continued, what is still undecided is dropped: the model writes it again.
        """
        left, self._held = self._held, ""
        if is_cut:
            return []
        if self._at in (_At.THINKING_START, _At.THINKING):
            return _pieces(Channel.THINKING, left.rstrip("\n"))
        return _pieces(Channel.ANSWER, left)

    def _start(self) -> None:
        begun = self._held.lstrip()
        if self._by_text and begun.startswith(OPEN):
            self._at, self._held = _At.THINKING_START, begun[len(OPEN) :]
        elif len(self._held) > HELD_CHARACTERS or (begun and not (self._by_text and OPEN.startswith(begun))):
            self._at = _At.ANSWER

    def _think(self) -> list[Piece]:
        if self._at is _At.THINKING_START:
            self._held = self._held.lstrip("\n")
            if self._by_text and len(self._held) < len(OPEN) and OPEN.startswith(self._held):
                return []
            # Some write the tag that the prompt ends with once more.
            self._held = self._held.removeprefix(OPEN if self._by_text else "").lstrip("\n")
            self._at = _At.THINKING if self._held else _At.THINKING_START
        if self._by_text and CLOSE in self._held:
            self._held, _, rest = self._held.partition(CLOSE)
            pieces = self.close() or []
            self._held = rest
            return pieces
        kept = len(self._held)
        if self._by_text:
            kept -= next((n for n in range(len(CLOSE) - 1, 0, -1) if self._held.endswith(CLOSE[:n])), 0)
        kept = len(self._held[:kept].rstrip("\n"))
        thought, self._held = self._held[:kept], self._held[kept:]
        return _pieces(Channel.THINKING, thought)

    def _answer(self) -> list[Piece]:
        answer, self._held = self._held, ""
        if self._at is _At.ANSWER_START:
            answer = answer.lstrip("\n")
            self._at = _At.ANSWER if answer else _At.ANSWER_START
        return _pieces(Channel.ANSWER, answer)


def _pieces(channel: Channel, text: str) -> list[Piece]:
    return [Piece(channel, text)] if text else []
