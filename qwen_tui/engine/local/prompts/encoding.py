"""Encode rendered prompts to token ids, keeping message contents apart from the chat template's own text.

Contents are *defused* before the template is rendered: a control token in them is split by a character that no
text contains, so that it is tokenized as text and cannot change the prompt's structure.

A byte-level tokenizer does not look across added tokens, so the pieces between them are encoded separately and
cached: counting a long conversation again is cheap. If probes show that a tokenizer is different, the whole text
is encoded each time.
"""

import re
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from transformers import PreTrainedTokenizerBase

from qwen_tui.engine.prompt_spans import BREAK, MARK

CACHED_CHARACTERS = 2_000_000
"""Cache size for encoded text, enough for several of the longest conversations. The least recently used text, such
as old states of a draft, is evicted first."""

_OVERHEAD = 100
"""Cost of a piece in addition to its characters, which bounds the number of short ones."""

_PROBE = ("  two\n\nlines é你好 ", "\n a  b\t1234 🦀 don't", "Yes.\n", "ok")
"""Spaces, newlines, digits and scripts, which expose a tokenizer that looks across added tokens."""


class Encoder:
    """A tokenizer that encodes rendered prompts. Not thread-safe."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase, template: str) -> None:
        self._tokenizer = tokenizer
        self._added: dict[str, int] = dict(tokenizer.added_tokens_encoder)
        self._at_added = re.compile(f"({_any_of(self._added)})")
        # The rule of transformers' `sanitize_control_tokens`, which itself cannot break an added token that is
        # not special, such as Qwen3's <think>.
        control = {
            token_id: token.content
            for token_id, token in tokenizer.added_tokens_decoder.items()
            if len(token.content) > 1
            and (token.special or (token.content in template and not token.content.isspace()))
        }
        self.control_ids = frozenset(control)
        """Tokens that make up a prompt's structure and never belong to a text."""
        self._control = re.compile(_any_of(control.values()))
        self._known: OrderedDict[str, list[int]] = OrderedDict()
        """Encoded pieces, most recently used last."""
        self._known_characters = 0
        self.is_piecewise = all(self._by_pieces(text) == self._plain(text) for text in self._probes(template))
        """Whether text between two added tokens is encoded and decoded independently of its surroundings."""

    def defuse(self, content: str) -> str:
        """Split every control token in a message's content."""
        content = content.replace(BREAK, "").replace(MARK, "")
        # Splitting one can leave another that overlapped it: repeat until there is none.
        while self._control.search(content):
            content = self._control.sub(lambda found: found[0][0] + BREAK + found[0][1:], content)
        return content

    def encode(self, text: str, *, add_special_tokens: bool = False) -> list[int]:
        """Return the token ids of a rendered prompt with defused contents."""
        first, *rest = text.split(BREAK)
        if add_special_tokens or not self.is_piecewise:
            ids = list(self._tokenizer.encode(first, add_special_tokens=add_special_tokens))
        else:
            ids = self._by_pieces(first)
        for part in rest:
            ids += self._by_pieces(part) if self.is_piecewise else self._after_text(part)
        return ids

    def encode_spliced(
        self, text: str, tokens: Iterable[Sequence[int]], *, add_special_tokens: bool = False
    ) -> list[int]:
        """Encode like `encode`, inserting these tokens at the text's marks."""
        first, *rest = text.split(MARK)
        ids = self.encode(first, add_special_tokens=add_special_tokens)
        for own, part in zip(tokens, rest, strict=True):
            ids += [*own, *self.encode(part)]
        return ids

    def _by_pieces(self, text: str) -> list[int]:
        ids: list[int] = []
        # Splitting at a captured group gives text, added token, text, added token, ..., text.
        for place, piece in enumerate(self._at_added.split(text)):
            if place % 2:
                ids.append(self._added[piece])
            elif piece:
                ids += self._piece(piece)
        return ids

    def _piece(self, piece: str) -> list[int]:
        if piece in self._known:
            self._known.move_to_end(piece)
            return self._known[piece]
        ids = self._known[piece] = self._plain(piece)
        self._known_characters += len(piece) + _OVERHEAD
        while self._known_characters > CACHED_CHARACTERS:
            oldest, _ = self._known.popitem(last=False)
            self._known_characters -= len(oldest) + _OVERHEAD
        return ids

    def _after_text(self, text: str) -> list[int]:
        """Encode text from the middle of a prompt, for tokenizers that prepend a space to a beginning."""
        newline = self._plain("\n")
        ids = self._plain("\n" + text)
        return ids[len(newline) :] if ids[: len(newline)] == newline else self._plain(text)

    def _plain(self, text: str) -> list[int]:
        return list(self._tokenizer.encode(text, add_special_tokens=False))

    def _probes(self, template: str) -> list[str]:
        """Return texts with the template's added tokens around and between other text."""
        tokens = [token for token in self._added if token in template] or list(self._added)[:8]
        return [f"{before}{token}{after}" for token in tokens for before, after in pairwise(_PROBE)]


def _any_of(tokens: Iterable[str]) -> str:
    """Return a pattern for any of these tokens, longest first; one that never matches if there are none."""
    return "|".join(re.escape(token) for token in sorted(tokens, key=len, reverse=True)) or "(?!)"
