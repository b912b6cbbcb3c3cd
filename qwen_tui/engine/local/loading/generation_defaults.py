"""A checkpoint's generation_config, as far as a reply that is streamed can follow it.

Such a file holds whatever stood in a library when the model was saved: searches that cannot be streamed, values by
which another program switches something off, names that nobody knows. None of them may cost every reply.
"""

import logging
import math
from collections.abc import Callable
from typing import Any

from transformers import GenerationConfig

log = logging.getLogger(__name__)

LEAST_TEMPERATURE = 1e-4
"""Below this the likeliest token is taken: divided by less, scores overflow."""

LEAST_PENALTY = 0.01
"""The same of the repetition penalty."""


def followed(config: GenerationConfig) -> GenerationConfig:
    """What of it holds for a reply, and nothing that changes nothing; the log says what does not."""
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
        log.info("of its generation_config, replies do not follow %s", left_out)
    return GenerationConfig(**kept)


def _number(low: float, high: float = math.inf) -> Callable[[Any], float]:
    def usable(value: Any) -> float:
        number = float(value)
        if isinstance(value, bool) or not low <= number <= high or math.isinf(number):
            raise ValueError(value)
        return number

    return usable


def _count(value: Any) -> int:
    """Below 0 is how other programs say 0: off."""
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
"""By name: what makes a usable value of it, or raises; and the value that changes nothing.

Those that are shown to the person have none: what a checkpoint says of them is told, also where it is off.
"""

_TOKENS = ("eos_token_id", "bos_token_id", "pad_token_id")

_FACTS = ("transformers_version", "_from_model_config", "max_length", "max_new_tokens", "use_cache")
"""What is nobody's wish, or the person's: how long a reply may be."""

_OFF: dict[str, Any] = {
    "num_beams": 1, "num_beam_groups": 1, "num_return_sequences": 1, "length_penalty": 1.0, "min_length": 0,
    "early_stopping": False, "output_attentions": False, "output_hidden_states": False, "output_scores": False,
    "return_dict_in_generate": False, "remove_invalid_values": False, "diversity_penalty": 0.0,
    "encoder_repetition_penalty": 1.0, "encoder_no_repeat_ngram_size": 0, "penalty_alpha": 0.0,
}  # fmt: skip
"""What older libraries wrote into the file without being asked."""
