"""The sampling of a reply: its seed, and what repeats it."""

import secrets
from collections.abc import Mapping
from typing import Any

from qwen_tui.chat.messages import Json, Run
from qwen_tui.engine.base import PENALTIES, SAMPLING_FIELDS, ModelInfo, Sampling, Thinking

NEUTRAL_PENALTIES: dict[str, Json] = {
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
"""The values of `PENALTIES` that change nothing."""


_THINKING_TOP_P, _THINKING_TOP_K = 0.95, 20
_WITHOUT_THINKING: dict[str, Json] = {"temperature": 0.7, "top_p": 0.8, "top_k": 20}
_WITHOUT_LONG_THINKING: dict[str, Json] = {**_WITHOUT_THINKING, "presence_penalty": 1.5}


def defaults_for(info: ModelInfo, thinking: Thinking) -> Mapping[str, Json]:
    """Return the model's own sampling values for replies with or without thinking.

    A generation_config has one set. Where it is the one that Qwen recommends for thinking (top-p 0.95, top-k 20;
    temperature 0.6 in Qwen3, 1.0 in later models) and thinking can be turned off, replies without thinking use
    the other set of the same model cards.
    """
    own = info.sampling_defaults
    is_for_thinking = own.get("top_p") == _THINKING_TOP_P and own.get("top_k") == _THINKING_TOP_K
    if thinking is not False or not info.can_think or not own.get("do_sample") or not is_for_thinking:
        return own
    is_later = (own.get("temperature") or 1.0) >= 1.0
    return {**own, **(_WITHOUT_LONG_THINKING if is_later else _WITHOUT_THINKING)}


def sampling_of(run: Run) -> Sampling:
    """Return the sampling that reproduces this run's tokens from the same prompt, and generates no more.

    A value that was not in effect becomes its neutral value, since None would select the checkpoint's own. A
    value that is not a number (runs are read from files) becomes None.
    """
    tokens = max(1, len(run.token_ids))
    if "do_sample" not in run.sampling:
        return Sampling(seed=run.seed, max_new_tokens=tokens)
    nothing: dict[str, Json] = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, **NEUTRAL_PENALTIES}
    is_sampled = bool(run.sampling["do_sample"])
    names = SAMPLING_FIELDS if is_sampled else PENALTIES
    values = {name: run.sampling.get(name, nothing.get(name)) for name in names}
    numbers: dict[str, Any] = {
        name: value for name, value in values.items() if isinstance(value, int | float)
    }
    if "top_k" in numbers:
        numbers["top_k"] = int(numbers["top_k"])
    return Sampling(greedy=not is_sampled, seed=run.seed, max_new_tokens=tokens, **numbers)


def seed_for(sampling: Sampling) -> int:
    """Return the requested seed, or a new one short enough for a person to retype."""
    return secrets.randbelow(2**31) if sampling.seed is None else sampling.seed
