"""The sampling of a reply: its seed, and what repeats it."""

import secrets
from typing import Any

from qwen_tui.chat.messages import Json, Run
from qwen_tui.engine.base import PENALTIES, SAMPLING_FIELDS, Sampling

NEUTRAL_PENALTIES: dict[str, Json] = {
    "repetition_penalty": 1.0,
    "presence_penalty": 0.0,
    "frequency_penalty": 0.0,
}
"""The values of `PENALTIES` that change nothing."""


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
