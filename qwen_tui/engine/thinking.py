"""Split thinking from the answer: `<think>…</think>` at the beginning of a reply, or opened in the prompt.

Only the beginning counts: tags later in an answer stay text. If the tags are single tokens, the caller
recognizes them by id and calls `open` and `close`; otherwise they are found in the text.
"""

from enum import Enum, auto
from typing import NamedTuple

OPEN = "<think>"
CLOSE = "</think>"

HELD_CHARACTERS = 16
"""How many characters at the start of a reply are held back while they may be white space and a tag."""


class Channel(Enum):
    """The part of a reply that a piece of text belongs to."""

    THINKING = auto()
    ANSWER = auto()


class Piece(NamedTuple):
    """Some text and its channel."""

    channel: Channel
    text: str


class _At(Enum):
    START = auto()
    """Only white space so far: thinking may begin."""
    THINKING_START = auto()
    """After the opening tag; newlines here belong to the tag."""
    THINKING = auto()
    ANSWER_START = auto()
    """After the closing tag; newlines here belong to the tag."""
    ANSWER = auto()


class ThinkingSplitter:
    """Splits the streamed text of one reply into thinking and answer.

    Text that may still turn out to be a tag, or the newlines around one, is held back until that is decided.
    """

    def __init__(self, *, thinks: bool = False, by_text: bool = True, begun: bool = False) -> None:
        """`thinks`: the prompt ends inside thinking. `by_text`: look for the tags in the text.

        `begun`: the prompt ends inside the text of the thinking or the answer, which the reply continues.
        """
        if begun:
            self._at = _At.THINKING if thinks else _At.ANSWER
        else:
            self._at = _At.THINKING_START if thinks else _At.START
        self._by_text = by_text
        self._held = ""

    @property
    def is_thinking(self) -> bool:
        """Whether more text would be thinking."""
        return self._at in (_At.THINKING_START, _At.THINKING)

    def push(self, text: str) -> list[Piece]:
        """Split some more text."""
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
        """Handle an opening tag that came as a token; False if it is ordinary text at this point."""
        if self._at is not _At.START or self._held.strip():
            return False
        self._at, self._held = _At.THINKING_START, ""
        return True

    def close(self) -> list[Piece] | None:
        """Handle a closing tag that came as a token; None if it is ordinary text at this point."""
        if self._at not in (_At.THINKING_START, _At.THINKING):
            return None
        pieces = _pieces(Channel.THINKING, self._held.rstrip("\n"))
        self._at, self._held = _At.ANSWER_START, ""
        return pieces

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """Return the held-back text when the reply is over.

        If the reply `is_cut` and may be continued, undecided text is dropped: the model will write it again.
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
            # Some models repeat the tag that the prompt ends with.
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
