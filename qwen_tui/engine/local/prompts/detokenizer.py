"""Decode generated token ids to text while they stream: exact, incremental, at a constant cost per token.

The library's streamers are unsuitable: `TextStreamer` holds text back until a space and decodes the whole line
again with every token; `DecodeStream` has no flush and stalls on broken UTF-8.
"""

import codecs
from collections.abc import Sequence

from tokenizers import decoders
from transformers import PreTrainedTokenizerBase
from transformers.convert_slow_tokenizer import bytes_to_unicode

HOLD_TOKENS = 8
"""How many tokens may wait for an incomplete character; UTF-8 needs three at most."""


class TokenBytes:
    """The bytes of each token of a byte-level tokenizer, computed once; special tokens have none."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder.items()
        self._special = {*tokenizer.all_special_ids, *(i for i, token in added if token.special)}
        """Ids that `decode(skip_special_tokens=True)` omits."""
        self._found: dict[int, bytes] = {}

    def __getitem__(self, token_id: int) -> bytes:
        if token_id not in self._found:
            token = self._tokenizer.convert_ids_to_tokens(token_id)
            hidden = token is None or token_id in self._special
            self._found[token_id] = b"" if hidden else token_bytes(token)
        return self._found[token_id]


class ByteDecoder:
    """Decoder for byte-level tokenizers (Qwen, Llama 3, GPT-2): tokens to bytes to characters.

    The pieces of a reply's text add up to `tokenizer.decode` of all its ids.
    """

    def __init__(self, table: TokenBytes) -> None:
        self._table = table
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_id: int) -> str:
        """Add a token and return the text that is certain; empty within a character and for special tokens."""
        return self._characters.decode(self._table[token_id])

    def flush(self, *, is_cut: bool = False) -> str:
        """Return the remaining text when there are no more tokens: an incomplete character becomes U+FFFD.

        If the reply `is_cut` and may be continued, that character is dropped: the model will write it again.
        """
        if is_cut:
            self._characters.reset()
        return self._characters.decode(b"", final=True)


class WindowDecoder:
    """Decoder for every other tokenizer (SentencePiece and the like): decodes a short window of tokens.

    The window starts with tokens whose text has been returned, since a token's text can depend on those before it:
    a SentencePiece word loses its space at the start of a text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, begun_ids: Sequence[int] = ()) -> None:
        """`begun_ids` are the tokens before the first one, if a text is continued."""
        self._tokenizer = tokenizer
        self._shown_ids: list[int] = list(begun_ids[-HOLD_TOKENS:])
        self._held_ids: list[int] = []

    def push(self, token_id: int) -> str:
        """Add a token and return the text that is certain; see `ByteDecoder.push`."""
        self._held_ids.append(token_id)
        text = self._added()
        if not text or (text.endswith("�") and len(self._held_ids) < HOLD_TOKENS):
            return ""
        return self._show(text)

    def flush(self, *, is_cut: bool = False) -> str:
        """Return the remaining text; see `ByteDecoder.flush`."""
        text = self._show(self._added())
        return text.rstrip("�") if is_cut else text

    def _added(self) -> str:
        before = self._decode(self._shown_ids)
        return self._decode(self._shown_ids + self._held_ids)[len(before) :]

    def _show(self, text: str) -> str:
        self._shown_ids, self._held_ids = self._held_ids or self._shown_ids, []
        return text

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True)) if ids else ""


TextDecoder = ByteDecoder | WindowDecoder


def is_byte_level(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Whether the tokens are plain bytes in the GPT-2 alphabet, without any cleanup afterwards."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    tidies = bool(getattr(tokenizer, "clean_up_tokenization_spaces", False))
    return backend is not None and isinstance(backend.decoder, decoders.ByteLevel) and not tidies


def token_bytes(token: str) -> bytes:
    """Return a token's bytes; as in `decoders.ByteLevel`, an added token outside the alphabet is literal text."""
    try:
        return bytes(_BYTE_OF[character] for character in token)
    except KeyError:
        return token.encode("utf-8", "replace")


_BYTE_OF = {character: byte for byte, character in bytes_to_unicode().items()}
"""GPT-2's alphabet: one printable character for each byte."""
