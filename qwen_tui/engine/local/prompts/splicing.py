"""The tokens that a reply was written as, put in the place of those that its text would be encoded to.

Encoding a text does not always give the tokens it was decoded from, and from the first other one on everything
would have to be read again. A template is rendered with a mark where such a reply stands, and the tokens are put
there afterwards. What is sent still reads as the template writes it: tokens are only used where they decode to the
message as it is now, whoever may have edited it or its file.
"""

from collections.abc import Sequence
from functools import lru_cache

from transformers import PreTrainedTokenizerBase

from qwen_tui.engine.base import PromptMessage
from qwen_tui.engine.local.prompts.detokenizer import HOLD_TOKENS
from qwen_tui.engine.local.prompts.encoding import MARK, Encoder

REMEMBERED_REPLIES = 2000
"""For how many replies their tokens are not checked again each time."""


class Splicer:
    """Knows which tokens a reply can be sent as. Not safe to use from two threads at a time."""

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, encoder: Encoder, think_ids: tuple[int, int] | None
    ) -> None:
        """`think_ids`: the tokens that open and close thinking, where they are single tokens."""
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._close = think_ids[1] if think_ids is not None else None
        self._size = len(tokenizer)
        self.answer = lru_cache(REMEMBERED_REPLIES)(self._answer)
        """The tokens of a reply's content, without its thinking; None where they are not known."""

    def begun(self, reply: PromptMessage, written: str, tags: int) -> list[int] | None:
        """The tokens of a reply that is to be continued, as far as it is `written`; None where they are not known.

        `tags` is how many of the tokens open or close thinking.
        """
        ids = self._told(reply)
        return self._matching(ids, written, tags) if ids else None

    def _answer(self, reply: PromptMessage) -> list[int] | None:
        ids = self._told(reply)
        if self._close in ids:
            ids = ids[len(ids) - ids[::-1].index(self._close) :]
            # The newlines after the tag are the template's.
            while ids and not self._decoded(ids[:1]).strip("\n"):
                ids = ids[1:]
        return self._matching(ids, reply.content) if ids else None

    def _told(self, reply: PromptMessage) -> list[int]:
        """The tokens that came with a reply, without the end of turn; empty where they cannot be this model's."""
        if not self._encoder.is_piecewise or not all(0 <= token < self._size for token in reply.token_ids):
            return []
        ids = list(reply.token_ids)
        while ids and not self._decoded(ids[-1:]):  # special tokens decode to nothing
            ids.pop()
        return ids

    def _matching(self, ids: list[int], text: str, tags: int = 0) -> list[int] | None:
        """The tokens of `text`, the last of which are `ids`; what comes before them is encoded.

        What was cut off inside a character does not show in the text, nor do the last few tokens then.
        """
        for end in range(len(ids), max(0, len(ids) - HOLD_TOKENS), -1):
            decoded = self._decoded(ids[:end])
            if decoded and text.endswith(decoded):
                if sum(token in self._encoder.control_ids for token in ids[:end]) != tags:
                    return None
                before = self._encoder.defuse(text[: len(text) - len(decoded)])
                return self._encoder.encode(before) + ids[:end]
        return None

    def _decoded(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))


def marked(messages: Sequence[PromptMessage], is_marked: Sequence[bool]) -> list[PromptMessage]:
    """The messages with a mark for the content of those that are to get their own tokens."""
    return [
        message._replace(content=MARK) if mark else message
        for message, mark in zip(messages, is_marked, strict=True)
    ]


def filled(text: str, contents: Sequence[str]) -> str | None:
    """A text with its marks replaced by these contents; None where there is another number of them."""
    first, *rest = text.split(MARK)
    if len(rest) != len(contents):
        return None
    return first + "".join(content + part for content, part in zip(contents, rest, strict=True))
