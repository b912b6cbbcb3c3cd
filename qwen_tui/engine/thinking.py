"""Split thinking from the answer: `<think>…</think>` at the beginning of a reply, or opened in the prompt.

Only the beginning counts: tags later in an answer stay text. If the tags are single tokens, the caller
recognizes them by id and calls `mark`; otherwise they are found in the text. Models that label every part of a
reply have a splitter of their own, in `channels.py`.
"""

import re
from enum import Enum, auto
from typing import NamedTuple

from qwen_tui.engine.chat_format import USUAL_MARKS, Marks

OPEN = USUAL_MARKS.open.strip()
CLOSE = USUAL_MARKS.close.strip()

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


class Reread(NamedTuple):
    """A whole reply, after its thinking and its answer had been told apart wrongly while it streamed."""

    thinking: str
    answer: str


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

    def __init__(
        self,
        *,
        thinks: bool = False,
        by_text: bool = True,
        begun: bool = False,
        marks: Marks = USUAL_MARKS,
    ) -> None:
        """`thinks`: the prompt ends inside thinking. `by_text`: look for the tags in the text.

        `begun`: the prompt ends inside the text of the thinking or the answer, which the reply continues.
        """
        if begun:
            self._at = _At.THINKING if thinks else _At.ANSWER
        else:
            self._at = _At.THINKING_START if thinks else _At.START
        self._open, self._close = marks.open.strip(), marks.close.strip()
        self._by_text = by_text
        self._begun = begun
        self._has_thought = thinks
        """Whether a mark, or the prompt, has opened a thought."""
        self._held = ""
        self._label = ""
        """Text of an opening mark that is still to come, if only the first part of the mark is a token."""
        self._raw: list[str] = []
        """The reply as it was generated, tags included."""

    @property
    def is_thinking(self) -> bool:
        """Whether more text would be thinking."""
        return self._at in (_At.THINKING_START, _At.THINKING)

    def push(self, text: str) -> list[Piece]:
        """Split some more text."""
        self._raw.append(text)
        self._held += text
        pieces: list[Piece] = []
        if self._at is _At.START:
            self._start()
        if self._at in (_At.THINKING_START, _At.THINKING):
            pieces += self._think()
        if self._at in (_At.ANSWER_START, _At.ANSWER):
            pieces += self._answer()
        return pieces

    def mark(self, tag: str) -> list[Piece] | None:
        """Handle a tag that came as a token; None if it is ordinary text at this point."""
        if self._open.startswith(tag) and self._at is _At.START and not self._held.strip():
            self._at, self._held, self._has_thought = _At.THINKING_START, "", True
            self._label = self._open.removeprefix(tag)
        elif tag == self._close and self._at in (_At.THINKING_START, _At.THINKING):
            self._raw.append(tag)
            return self.close()
        else:
            return None
        self._raw.append(tag)
        return []

    def close(self) -> list[Piece]:
        """End the thinking; the answer follows."""
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

    def reread(self, *, is_cut: bool) -> Reread | None:
        """Return the whole reply divided in another way, if its end shows that it was divided wrongly.

        A thought that never ends leaves a reply without text: it was a reply about the tag, or one whose prompt
        opened a thought in vain. A closing tag alone on its line ends a thought that nothing has opened.
        """
        raw = "".join(self._raw)
        if self._begun:
            return None
        if self._at in (_At.THINKING_START, _At.THINKING):
            return None if is_cut or not raw.strip() else Reread("", raw)
        return None if self._has_thought else unopened_thought(raw, self._close)

    def _start(self) -> None:
        begun = self._held.lstrip()
        if self._by_text and begun.startswith(self._open):
            self._has_thought = True
            self._at, self._held = _At.THINKING_START, begun[len(self._open) :]
        elif len(self._held) > max(HELD_CHARACTERS, len(self._open)) or (
            begun and not (self._by_text and self._open.startswith(begun))
        ):
            self._at = _At.ANSWER

    def _think(self) -> list[Piece]:
        if self._at is _At.THINKING_START:
            self._held = self._held.lstrip("\n")
            if len(self._held) < len(self._label) and self._label.startswith(self._held):
                return []
            self._held, self._label = self._held.removeprefix(self._label).lstrip("\n"), ""
            if self._by_text and len(self._held) < len(self._open) and self._open.startswith(self._held):
                return []
            # Some models repeat the tag that the prompt ends with.
            self._held = self._held.removeprefix(self._open if self._by_text else "").lstrip("\n")
            self._at = _At.THINKING if self._held else _At.THINKING_START
        if self._by_text and self._close in self._held:
            self._held, _, rest = self._held.partition(self._close)
            pieces = self.close()
            self._held = rest
            return pieces
        kept = len(self._held)
        if self._by_text:
            kept -= next(
                (n for n in range(len(self._close) - 1, 0, -1) if self._held.endswith(self._close[:n])), 0
            )
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


def unopened_thought(text: str, close: str = CLOSE) -> Reread | None:
    """Divide a reply whose thought has no opening tag; None if the reply is an answer as a whole.

    The closing tag must be alone on its line, outside code, the only one, and followed by text: a reply that
    explains the tag stays whole.
    """
    if text.count(close) != 1:
        return None
    found = re.search(rf"^[ \t]*{re.escape(close)}[ \t]*$", text, re.MULTILINE)
    if found is None:
        return None
    thought, answer = text[: found.start()].strip("\n"), text[found.end() :].lstrip("\n")
    is_in_code = len(re.findall(r"^[ \t]*(?:```|~~~)", thought, re.MULTILINE)) % 2 == 1
    if is_in_code or not thought.strip() or not answer.strip():
        return None
    return Reread(thought, answer)
