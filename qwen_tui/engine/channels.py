"""Split a reply whose parts are labelled: a header names the channel of each, as gpt-oss writes it.

`<|channel|>analysis<|message|>…<|end|><|start|>assistant<|channel|>final<|message|>…`: the labels are tokens, so a
reply that explains them stays text.
"""

import re

from qwen_tui.engine.chat_format import Marks
from qwen_tui.engine.thinking import Channel, Piece, Reread

LONGEST_HEADER = 100
"""A longer text without the end of a header is an answer without any."""


class ChannelSplitter:
    """Splits the streamed text of one reply by the headers of its parts."""

    def __init__(self, marks: Marks, tokens: set[str], *, thinks: bool = False, begun: bool = False) -> None:
        """`tokens` are the added tokens that the marks consist of.

        `begun`: the prompt ends inside the thinking or the answer, which the reply continues.
        """
        before_answer = _tokens_in(marks.answer, tokens)
        self._name_token, self._body_token = before_answer[0], before_answer[-1]
        self._end_tokens = [token for token in _tokens_in(marks.close, tokens) if token not in before_answer]
        self._answer_name = _without(marks.answer, tokens)
        self._channel: Channel | None = None
        """The channel of the current text; None within a header."""
        if begun:
            self._channel = Channel.THINKING if thinks else Channel.ANSWER
        self._begun = begun
        self._header = ""
        self._is_named = False
        """Whether the current header names a channel."""
        self._thought: list[str] = []
        self._answer: list[str] = []

    @property
    def is_thinking(self) -> bool:
        """Whether more text would be thinking."""
        return self._channel is Channel.THINKING

    def push(self, text: str) -> list[Piece]:
        """Split some more text."""
        if self._channel is None:
            self._header += text
            if len(self._header) <= LONGEST_HEADER:
                return []
            text, self._header, self._channel = self._header, "", Channel.ANSWER
        return self._said(self._channel, text)

    def mark(self, token: str) -> list[Piece] | None:
        """Handle a token of a header; None if it is ordinary text at this point."""
        if token in self._end_tokens:
            self._channel, self._header, self._is_named = None, "", False
        elif self._channel is not None:
            return None
        elif token == self._name_token:
            self._header, self._is_named = "", True
        elif token == self._body_token:
            name, self._header = self._header.strip().partition(" ")[0], ""
            is_answer = not self._is_named or name == self._answer_name
            self._channel = Channel.ANSWER if is_answer else Channel.THINKING
            said = self._answer if self._channel is Channel.ANSWER else self._thought
            return self._said(self._channel, "\n\n") if said else []
        return []

    def flush(self, *, is_cut: bool = False) -> list[Piece]:
        """Return the held-back text when the reply is over: a header that never ended is an answer."""
        header, self._header = self._header, ""
        return [] if is_cut or self._answer else self._said(Channel.ANSWER, header)

    def reread(self, *, is_cut: bool) -> Reread | None:
        """Return a reply that has only thoughts as its answer, if it ended by itself."""
        thought = "".join(self._thought)
        if self._begun or is_cut or "".join(self._answer).strip() or not thought.strip():
            return None
        return Reread("", thought)

    def _said(self, channel: Channel, text: str) -> list[Piece]:
        (self._answer if channel is Channel.ANSWER else self._thought).append(text)
        return [Piece(channel, text)] if text else []


def _tokens_in(text: str, tokens: set[str]) -> list[str]:
    """Return the added tokens in a text, in order."""
    names = "|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True))
    return re.findall(names, text)


def _without(text: str, tokens: set[str]) -> str:
    for token in tokens:
        text = text.replace(token, "")
    return text.strip()
