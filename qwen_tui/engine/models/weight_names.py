"""Decide from a list of files which of them are the model's weights, before any is downloaded."""

import re
from collections.abc import Collection

from qwen_tui.engine.models.checkpoint import INDEX, OTHER_FORMATS, WEIGHTS
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

_SHARD = re.compile(r"(?!consolidated).*-\d+-of-\d+.*\.safetensors")
"""Pattern of the names of several weight files; Mistral's own copy of the same weights begins differently."""


def weights_among(names: Collection[str], model: str) -> list[str]:
    """Return the weight files among a repository's files: the whole file, else those that its index may name.

    `names` are those in the top folder, the only ones that are read. Raises QwenTuiError if there are none.
    """
    if WEIGHTS in names:
        return [WEIGHTS]
    shards = sorted(name for name in names if _SHARD.fullmatch(name))
    if INDEX in names and shards:
        return shards
    others = sorted(name for name in names if name.endswith(OTHER_FORMATS))
    if others and not any(name.endswith(".safetensors") for name in names):
        raise QwenTuiError("engine.not_safetensors", file=one_line(others[0]))
    raise QwenTuiError(
        "engine.no_model_in_folder", path=one_line(model), missing=INDEX if shards else WEIGHTS
    )
