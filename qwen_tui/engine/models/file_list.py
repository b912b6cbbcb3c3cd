"""Decide from the list of a repository's files whether it is a chat model, before any of them is downloaded."""

import re
from collections.abc import Collection

from qwen_tui.engine.models.cache_scan import TOKENIZERS
from qwen_tui.engine.models.checkpoint import ADAPTER, CONFIG, INDEX, SENTENCES, WEIGHTS
from qwen_tui.engine.models.weight_formats import check_format, check_tokenizer_package, not_safetensors
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

_SHARD = re.compile(r"(?!consolidated).*-\d+-of-\d+.*\.safetensors")
"""Pattern of the names of several weight files; Mistral's own copy of the same weights begins differently."""

_ANY_TOKENIZER = (".model", ".tiktoken", ".py")
"""File endings of tokenizers with names of their own."""


def is_adapter(names: Collection[str]) -> bool:
    """Whether these files are a LoRA adapter without its base model."""
    return ADAPTER in names and CONFIG not in names


def weights_among(names: Collection[str], model: str) -> list[str]:
    """Return the weight files among a repository's files: the whole file, else those that its index may name.

    `names` are those in the top folder, the only ones that are read. Raises QwenTuiError if there are none, or if
    the other files are not a chat model's.
    """
    if SENTENCES in names:
        raise QwenTuiError("engine.embeds", architecture=SENTENCES)
    if is_adapter(names):
        raise QwenTuiError("engine.adapter_alone", path=one_line(model))
    check_format({}, names)
    weights = [WEIGHTS] if WEIGHTS in names else sorted(filter(_SHARD.fullmatch, names))
    if not any(name.endswith(".safetensors") for name in names) and (other := not_safetensors(names)):
        raise other
    if WEIGHTS not in weights and (INDEX not in names or not weights):
        missing = INDEX if weights else WEIGHTS
        raise QwenTuiError("engine.no_model_in_folder", path=one_line(model), missing=missing)
    if not any(name in TOKENIZERS or name.endswith(_ANY_TOKENIZER) for name in names):
        raise QwenTuiError("engine.no_tokenizer", path=one_line(model))
    check_tokenizer_package(names)
    return weights
