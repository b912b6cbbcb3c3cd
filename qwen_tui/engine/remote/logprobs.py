"""Read how tokens were chosen from a server's `logprobs`, as far as the protocol tells it."""

import math
from collections.abc import Iterator, Sequence

from qwen_tui.chat.messages import Json
from qwen_tui.engine.trace import CANDIDATES, Candidate, TokenTrace

ASKED: dict[str, Json] = {"logprobs": True, "top_logprobs": CANDIDATES}
"""What a request asks for."""

UNKNOWN_ID = -1


def traces(choice: Json) -> tuple[TokenTrace, ...]:
    """Return the traces in one choice of a response; anything that is not as the protocol says is left out."""
    logprobs = choice.get("logprobs") if isinstance(choice, dict) else None
    content = logprobs.get("content") if isinstance(logprobs, dict) else None
    return tuple(_traced(content)) if isinstance(content, list) else ()


def _traced(content: Sequence[Json]) -> Iterator[TokenTrace]:
    for each in content:
        chosen = _candidate(each)
        if chosen is None:
            continue
        top = each.get("top_logprobs")
        told = [_candidate(one) for one in top] if isinstance(top, list) else []
        candidates = sorted((one for one in told if one is not None), key=lambda one: -one.logprob)[
            :CANDIDATES
        ]
        yield TokenTrace(
            chosen=chosen,
            rank=1 + sum(one.logprob > chosen.logprob for one in candidates),
            chance=min(1.0, math.exp(chosen.logprob)),
            entropy=_entropy(candidates),
            log_total=0.0,
            candidates=tuple(candidates),
            funnel=(),
        )


def _candidate(value: Json) -> Candidate | None:
    if not isinstance(value, dict):
        return None
    token, logprob, raw = value.get("token"), value.get("logprob"), value.get("bytes")
    if not isinstance(token, str) or not isinstance(logprob, int | float) or math.isnan(logprob):
        return None
    told = raw if isinstance(raw, list) else []
    is_raw = bool(told) and all(isinstance(each, int) and 0 <= each < 256 for each in told)
    token_id = value.get("id")
    return Candidate(
        id=token_id if isinstance(token_id, int) and 0 <= token_id < 2**31 else UNKNOWN_ID,
        text=bytes(told) if is_raw else token.encode("utf-8", "replace"),
        logprob=max(-1e4, min(0.0, float(logprob))),  # a token that cannot be chosen is sent as -9999
    )


def _entropy(candidates: Sequence[Candidate]) -> float:
    """Return the entropy in bits, as if everything that was not told were one token: the least it can be."""
    chances = [math.exp(one.logprob) for one in candidates]
    chances.append(max(0.0, 1 - sum(chances)))
    return -sum(chance * math.log2(chance) for chance in chances if chance > 0)
