"""Reuse the tokens that were generated for a reply instead of encoding its text again.

Encoding a text does not always give the tokens it was decoded from, and everything after the first difference
would have to be read again. The template is rendered with a mark in place of such a reply, and the tokens are
inserted afterwards. The prompt still reads as the template renders it: tokens are used only if they decode to the
current message, whoever may have edited it or its file.
"""

from collections.abc import Sequence
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

from qwen_tui.engine.base import PromptMessage
from qwen_tui.engine.local.prompts.detokenizer import HOLD_TOKENS
from qwen_tui.engine.local.prompts.encoding import Encoder
from qwen_tui.engine.prompt_spans import MARK

REMEMBERED_REPLIES = 2000
"""For how many replies the check of their tokens is cached."""


class Splicer:
    """Finds the tokens as which a reply can be sent. Not thread-safe."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, encoder: Encoder, close: str) -> None:
        """`close` is the text that closes a thought; the answer begins behind its last added token."""
        self._tokenizer = tokenizer
        self._encoder = encoder
        added = {*tokenizer.added_tokens_encoder.values()}
        self._close = next((token for token in reversed(encoder.encode(close)) if token in added), None)
        self._size = len(tokenizer)
        self.answer = lru_cache(REMEMBERED_REPLIES)(self._answer)
        """Returns the tokens of a reply's content, without its thinking; None if unknown."""

    def begun(self, reply: PromptMessage, written: str, tags: int) -> list[int] | None:
        """Return the tokens of a reply that is to be continued, as far as it is `written`; None if unknown.

        `tags` is the number of tokens that open or close thinking.
        """
        ids = self._told(reply)
        return self._matching(ids, written, tags) if ids else None

    def _answer(self, reply: PromptMessage) -> list[int] | None:
        ids = self._told(reply)
        if self._close in ids:
            ids = ids[len(ids) - ids[::-1].index(self._close) :]
            # The newlines after the tag belong to the template.
            while ids and not self._decoded(ids[:1]).strip("\n"):
                ids = ids[1:]
        return self._matching(ids, reply.content) if ids else None

    def _told(self, reply: PromptMessage) -> list[int]:
        """Return a reply's recorded tokens without the end of turn; empty if they cannot be this model's."""
        if not self._encoder.is_piecewise or not all(0 <= token < self._size for token in reply.token_ids):
            return []
        ids = list(reply.token_ids)
        while ids and not self._decoded(ids[-1:]):  # special tokens decode to nothing
            ids.pop()
        return ids

    def _matching(self, ids: list[int], text: str, tags: int = 0) -> list[int] | None:
        """Return the tokens of `text`, ending with `ids`; the text before them is encoded.

        A character cut off at the end does not show in the text, so the last few tokens may be dropped.
        """
        for end in range(len(ids), max(0, len(ids) - HOLD_TOKENS), -1):
            decoded = str(self._tokenizer.decode(ids[:end], skip_special_tokens=False))
            if decoded and text.endswith(decoded):
                if sum(token in self._encoder.control_ids for token in ids[:end]) != tags:
                    return None
                before = self._encoder.defuse(text[: len(text) - len(decoded)])
                return self._encoder.encode(before) + ids[:end]
        return None

    def _decoded(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))


def marked(messages: Sequence[PromptMessage], is_marked: Sequence[bool]) -> list[PromptMessage]:
    """Return the messages with a mark as the content of those that get their own tokens."""
    return [
        message._replace(content=MARK) if mark else message
        for message, mark in zip(messages, is_marked, strict=True)
    ]


def filled(text: str, contents: Sequence[str]) -> str | None:
    """Return a text with its marks replaced by these contents; None if their numbers differ."""
    first, *rest = text.split(MARK)
    if len(rest) != len(contents):
        return None
    return first + "".join(content + part for content, part in zip(contents, rest, strict=True))
