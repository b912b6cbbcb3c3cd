"""Generated token ids to text while they stream: exact, one token at a time, at a constant cost a token.

Why not the library's streamers: `TextStreamer` holds text back until a space and decodes the whole line again
with every token; `DecodeStream` has no flush and stalls on broken UTF-8.
"""

import codecs
from collections.abc import Sequence

from tokenizers import decoders
from transformers import PreTrainedTokenizerBase
from transformers.convert_slow_tokenizer import bytes_to_unicode

HOLD_TOKENS = 8
"""How many tokens may wait for an incomplete character to be completed; UTF-8 needs three at most."""


class TokenBytes:
    """The bytes of each token of a byte-level tokenizer, found once each; special tokens have none."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.added_tokens_decoder.items()
        self._special = {*tokenizer.all_special_ids, *(i for i, token in added if token.special)}
        """The ids that `decode(skip_special_tokens=True)` leaves out."""
        self._found: dict[int, bytes] = {}

    def __getitem__(self, token_id: int) -> bytes:
        if token_id not in self._found:
            token = self._tokenizer.convert_ids_to_tokens(token_id)
            hidden = token is None or token_id in self._special
            self._found[token_id] = b"" if hidden else token_bytes(token)
        return self._found[token_id]


class ByteDecoder:
    """For byte-level tokenizers (Qwen, Llama 3, GPT-2): token to bytes to characters.

    The parts of one reply's text add up to `tokenizer.decode` of all its ids.
    """

    def __init__(self, table: TokenBytes) -> None:
        self._table = table
        self._characters = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, token_id: int) -> str:
        """The text that is certain now; empty inside a character, and for special tokens."""
        return self._characters.decode(self._table[token_id])

    def flush(self, *, is_cut: bool = False) -> str:
        """What is left when no more tokens come: an unfinished character shows as U+FFFD.

        When the reply `is_cut` and may be continued, that character is dropped: the model writes it again.
        """
        if is_cut:
            self._characters.reset()
        return self._characters.decode(b"", final=True)


class WindowDecoder:
    """For every other tokenizer (SentencePiece and the like): decode a short window, show what it adds.

    The window begins with tokens whose text is out already, since the text of a token can depend on the ones
    before it: a SentencePiece word loses its space at the start of a text.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, begun_ids: Sequence[int] = ()) -> None:
        """`begun_ids`: the tokens before the first one, when a text is continued."""
        self._tokenizer = tokenizer
        self._shown_ids: list[int] = list(begun_ids[-HOLD_TOKENS:])
        self._held_ids: list[int] = []

    def push(self, token_id: int) -> str:
        """See `ByteDecoder.push`."""
        self._held_ids.append(token_id)
        text = self._added()
        if not text or (text.endswith("�") and len(self._held_ids) < HOLD_TOKENS):
            return ""
        return self._show(text)

    def flush(self, *, is_cut: bool = False) -> str:
        """See `ByteDecoder.flush`."""
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
    """Whether its tokens are plain bytes in the GPT-2 alphabet, with nothing tidied up afterwards."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    tidies = bool(getattr(tokenizer, "clean_up_tokenization_spaces", False))
    return backend is not None and isinstance(backend.decoder, decoders.ByteLevel) and not tidies


def token_bytes(token: str) -> bytes:
    """A token's bytes. An added token outside the byte alphabet stands for itself, as in `decoders.ByteLevel`."""
    try:
        return bytes(_BYTE_OF[character] for character in token)
    except KeyError:
        return token.encode("utf-8", "replace")


_BYTE_OF = {character: byte for byte, character in bytes_to_unicode().items()}
"""GPT-2's alphabet: each byte has one printable character."""
