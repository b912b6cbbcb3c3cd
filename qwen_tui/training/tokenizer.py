"""The guide's tokenizer: byte-level BPE with ChatML specials, written as a Hugging Face folder.

A Chinese character is never merged with its neighbours and a word never with punctuation, so that a name is made
of the same tokens wherever it stands: copying it is what the guide has to learn.
"""

from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from qwen_tui.training.architecture import copy_shipped

SPECIALS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 6144

QWEN2_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""How transformers' `Qwen2Tokenizer` cuts text, whatever `tokenizer.json` says: so this is what encoding uses."""

LEARNING_PIECES = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|\p{Han}| ?[\p{L}&&[^\p{Han}]]+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]|\s*[\r\n]|\s+(?!\S)|\s+"
)
"""What merges are learnt within: a refinement of the above, so no merge that is learnt ever crosses its cuts."""


def train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    """Learn a byte-level BPE of exactly `VOCABULARY` tokens; every byte is a token, so any input encodes."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _cutting(LEARNING_PIECES)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        max_token_length=16,
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.pre_tokenizer = _cutting(QWEN2_PIECES)
    return tokenizer


def _cutting(pattern: str) -> pre_tokenizers.Sequence:
    """Cut by `pattern`, then spell the pieces in the byte-level alphabet."""
    split = pre_tokenizers.Split(Regex(pattern), behavior="isolated")
    return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write `tokenizer.json` and `tokenizer_config.json`: ChatML without tools or a system prompt of its own."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    copy_shipped("tokenizer_config.json", folder)
