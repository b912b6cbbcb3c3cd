"""The text of single tokens, as it is shown: bytes, and the names of special tokens."""

from transformers import PreTrainedTokenizerBase

from qwen_tui.engine.local.prompts.detokenizer import is_byte_level, token_bytes

SPACE = "▁"
"""What a SentencePiece token begins with in place of a space."""


class TokenText:
    """The bytes of each token, computed once."""

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        self._is_byte_level = is_byte_level(tokenizer)
        self._added: dict[int, str] = {
            i: token.content for i, token in tokenizer.added_tokens_decoder.items()
        }
        self._found: dict[int, bytes] = {}

    def __getitem__(self, token_id: int) -> bytes:
        if token_id not in self._found:
            self._found[token_id] = self._bytes(token_id)
        return self._found[token_id]

    def _bytes(self, token_id: int) -> bytes:
        if token_id in self._added:
            return self._added[token_id].encode("utf-8", "replace")
        token = self._tokenizer.convert_ids_to_tokens(token_id)
        if token is None:  # a row of the output layer without a token
            return b""
        if self._is_byte_level:
            return token_bytes(token)
        if len(token) == 6 and token.startswith("<0x") and token.endswith(">"):
            return bytes.fromhex(token[3:5])
        return str(token).replace(SPACE, " ").encode("utf-8", "replace")
