"""Extract from a checkpoint's generation_config what a streamed reply can follow.

Such a file contains whatever a library had when the model was saved: searches that cannot be streamed, values that
mean "off" in another program, unknown names. None of them may make every reply fail.
"""

import logging
import math
from collections.abc import Callable
from typing import Any

from transformers import GenerationConfig, PreTrainedTokenizerBase

from qwen_tui.engine.local.loading.tokenizer import token_ids

log = logging.getLogger(__name__)

LEAST_TEMPERATURE = 1e-4
"""Below this the most likely token is chosen: dividing scores by less would overflow."""

LEAST_PENALTY = 0.01
"""Lower limit of the repetition penalty, for the same reason."""


def with_token_ids(config: GenerationConfig, tokenizer: PreTrainedTokenizerBase) -> GenerationConfig:
    """Look up tokens that are named by their text, and return the same config."""
    for name in _TOKENS:
        if isinstance(value := getattr(config, name), str | list):
            ids = token_ids(value, tokenizer)
            setattr(config, name, ids if isinstance(value, list) else next(iter(ids), None))
    return config


def followed(config: GenerationConfig) -> GenerationConfig:
    """Return the settings that replies follow, without neutral ones; log those that they do not."""
    said = config.to_diff_dict()
    kept: dict[str, Any] = {name: said.pop(name) for name in _TOKENS if name in said}
    for name, (usable, neutral) in _FOLLOWED.items():
        value = said.get(name)
        try:
            known = usable(value)
        except (TypeError, ValueError, OverflowError):
            continue
        said.pop(name, None)
        if known != neutral:
            kept[name] = known
    left_out = {name: value for name, value in said.items() if _OFF.get(name) != value and name not in _FACTS}
    if left_out:
        log.info("settings of the generation_config that replies do not follow: %s", left_out)
    return GenerationConfig(**kept)


def _number(low: float, high: float = math.inf) -> Callable[[Any], float]:
    def usable(value: Any) -> float:
        number = float(value)
        if isinstance(value, bool) or not low <= number <= high or math.isinf(number):
            raise ValueError(value)
        return number

    return usable


def _count(value: Any) -> int:
    """Convert a count; other programs write "off" as a number below 0."""
    if isinstance(value, bool) or int(value) != float(value):
        raise ValueError(value)
    return max(0, int(value))


def _ids(value: Any) -> list[int]:
    return [_count(each) for each in value]


def _lists_of_ids(value: Any) -> list[list[int]]:
    return [_ids(each) for each in value if each]


_FOLLOWED: dict[str, tuple[Callable[[Any], Any], Any]] = {
    "do_sample": (bool, False),
    "temperature": (_number(0), None),
    "top_k": (_count, None),
    "top_p": (_number(0, 1), None),
    "min_p": (_number(0, 1), None),
    "repetition_penalty": (_number(LEAST_PENALTY), None),
    "presence_penalty": (_number(-2, 2), None),
    "frequency_penalty": (_number(-2, 2), None),
    "typical_p": (_number(1e-6, 1), 1),
    "epsilon_cutoff": (_number(0, 0.999), 0),
    "eta_cutoff": (_number(0, 0.999), 0),
    "no_repeat_ngram_size": (_count, 0),
    "min_new_tokens": (_count, 0),
    "suppress_tokens": (_ids, []),
    "begin_suppress_tokens": (_ids, []),
    "bad_words_ids": (_lists_of_ids, []),
    "renormalize_logits": (bool, False),
}
"""By name: a function that returns a usable value or raises, and the neutral value.

Settings displayed to the user have no neutral value: the checkpoint's value is shown even if it means off.
"""

_TOKENS = ("eos_token_id", "bos_token_id", "pad_token_id")

_FACTS = ("transformers_version", "_from_model_config", "max_length", "max_new_tokens", "use_cache")
"""Entries that are not preferences, or that only the user decides: how long a reply may be."""

_OFF: dict[str, Any] = {
    "num_beams": 1, "num_beam_groups": 1, "num_return_sequences": 1, "length_penalty": 1.0, "min_length": 0,
    "early_stopping": False, "output_attentions": False, "output_hidden_states": False, "output_scores": False,
    "return_dict_in_generate": False, "remove_invalid_values": False, "diversity_penalty": 0.0,
    "encoder_repetition_penalty": 1.0, "encoder_no_repeat_ngram_size": 0, "penalty_alpha": 0.0,
}  # fmt: skip
"""Default values that older libraries wrote into the file."""
