"""Load a model's tokenizer as its own file describes it, and check its chat template and its end tokens."""

import json
import logging
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import tokenizers
from jinja2 import TemplateSyntaxError
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.local.prompts.template import Refused, chat_template
from qwen_tui.engine.models.weight_formats import check_tokenizer_package
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

LEAST_PIECES = 16
"""Minimum vocabulary of a tokenizer, without its special tokens."""

FILE = "tokenizer.json"

PROBE = (
    "  Don't you'll WE'RE 1234567 3.14 x1y2\n\n\tif (a_b != cD): {return};  \r\n"
    "naïve café 你好，世界。カタカナ สวัสดี 🦀👩‍👧 https://a.b/c?d=e_f \n  \n end "
)
"""Contractions, digits, white space, code and scripts, at which the usual splits of a text differ."""

GENERATION_CONFIG = "generation_config.json"


def load_tokenizer(folder: Path, spec: ModelSpec) -> PreTrainedTokenizerBase:
    """Load the tokenizer in this folder. Raises QwenTuiError if it, its template or its end tokens are damaged."""
    return read_tokenizer(folder, trust_remote_code=spec.trust_remote_code)[0]


def read_tokenizer(folder: Path, *, trust_remote_code: bool) -> tuple[PreTrainedTokenizerBase, str]:
    """Return the tokenizer and, if the library's class for it does not encode as its file says, that class's name.

    Raises as `load_tokenizer` does.
    """
    check_tokenizer_package([file.name for file in folder.iterdir()] if folder.is_dir() else [])
    options = {"local_files_only": True, "trust_remote_code": trust_remote_code}
    unlike = ""
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
        if not _agrees_with_file(tokenizer, folder / FILE):
            unlike = type(tokenizer).__name__
            log.warning("%s does not encode as %s says, which is used instead", unlike, FILE)
            tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, **options)
    except Exception as error:
        if not trust_remote_code and _brings_code(folder):
            raise QwenTuiError("engine.remote_code_wanted") from error
        # Its parsers raise anything from KeyError to a bare Exception.
        raise QwenTuiError("engine.bad_tokenizer", path=one_line(folder), detail=one_line(error)) from error
    # If files are missing, the library silently builds a tokenizer of nothing but special tokens.
    if tokenizer.vocab_size < LEAST_PIECES:
        raise QwenTuiError("engine.no_tokenizer", path=one_line(folder))
    _check_template(tokenizer, folder)
    _check_end_tokens(tokenizer, folder)
    return tokenizer, unlike


def _brings_code(folder: Path) -> bool:
    """Whether the tokenizer's config names a class in the model's own code."""
    try:
        named = json.loads((folder / "tokenizer_config.json").read_text("utf-8")).get("auto_map")
    except (OSError, ValueError, AttributeError, RecursionError):
        return False
    return bool(named.get("AutoTokenizer")) if isinstance(named, dict) else bool(named)


def token_ids(value: Any, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the ids that a config names, as a number, a token, or a list of them; unknown tokens are left out."""
    vocabulary = tokenizer.get_vocab()
    ids = [vocabulary.get(each) if isinstance(each, str) else each for each in _each(value)]
    return [int(each) for each in ids if each is not None]


def _agrees_with_file(tokenizer: PreTrainedTokenizerBase, file: Path) -> bool:
    """Whether the tokenizer splits and encodes a text as its file does; some classes replace parts of the file."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None or not file.exists():
        return True
    text = file.read_text(encoding="utf-8")
    try:
        # Everything but the vocabulary, which the class takes from the file: that would take a second to parse.
        begin = re.search(r'"vocab"\s*:\s*\{', text[text.rindex('"model"') :])
        assert begin is not None
        head = text[: text.rindex('"model"') + begin.start()] + '"vocab": {}, "merges": []}}'
        alone = tokenizers.Tokenizer.from_str(json.dumps({**json.loads(head), "added_tokens": []}))
        if _splits(alone) == _splits(backend) and _model_flags(alone) == _model_flags(backend):
            return True
    except Exception:  # another order of keys, or a model without merges: compare in full
        log.debug("%s is compared in full", FILE)
    whole = tokenizers.Tokenizer.from_str(text)
    expected = whole.encode(PROBE, add_special_tokens=False).ids
    return list(tokenizer.encode(PROBE, add_special_tokens=False)) == list(expected)


def _splits(backend: tokenizers.Tokenizer) -> list[str]:
    text = PROBE if backend.normalizer is None else backend.normalizer.normalize_str(PROBE)
    if backend.pre_tokenizer is None:
        return [text]
    return [piece for piece, _ in backend.pre_tokenizer.pre_tokenize_str(text)]


def _model_flags(backend: tokenizers.Tokenizer) -> list[Any]:
    names = ("fuse_unk", "byte_fallback", "ignore_merges", "unk_token", "end_of_word_suffix")
    return [type(backend.model), *(getattr(backend.model, name, None) for name in names)]


def _check_template(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Raise QwenTuiError for a template with syntax errors; what it supports shows in use."""
    template = chat_template(tokenizer)
    if template is None:
        return
    try:
        template.render([{"role": "user", "content": "?"}], with_prompt=False)
    except Refused as refusal:
        if isinstance(error := refusal.__cause__, TemplateSyntaxError):
            detail = one_line(f"line {error.lineno}: {error.message}")
            raise QwenTuiError("engine.bad_template", path=one_line(folder), detail=detail) from error


def _check_end_tokens(tokenizer: PreTrainedTokenizerBase, folder: Path) -> None:
    """Raise QwenTuiError if the folder's generation_config names an end token that the tokenizer lacks."""
    try:
        config = json.loads((folder / GENERATION_CONFIG).read_text(encoding="utf-8"))
        named = config.get("eos_token_id")
    except (OSError, ValueError, AttributeError):
        return  # missing or damaged: the library says so, or does without
    for each in _each(named):
        if isinstance(each, str) and not token_ids(each, tokenizer):
            raise QwenTuiError(
                "engine.unknown_end_token", file=GENERATION_CONFIG, key="eos_token_id", token=one_line(each)
            )


def _each(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list | tuple) else (value,)
