"""What other sampling values would have made of a token: from its recorded candidates, without the model.

The tokens that were not recorded are known only together: their number, the probability they hold, and that none is
likelier than the last candidate. That is often enough; `Reshaped.is_enough` says when it is not.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

from qwen_tui.chat.messages import Json
from qwen_tui.engine.trace import Candidate, Cut, TokenTrace

TOLERANCE = 0.01
"""How far a probability may be off."""

LEAST_TEMPERATURE = 0.01
"""Below it, the likeliest token is always chosen."""


class Dials(NamedTuple):
    """Sampling values; one that is off has its neutral value."""

    is_greedy: bool = False
    temperature: float = 1.0
    top_k: int = 0
    """0 keeps all."""
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0


class Reshaped(NamedTuple):
    """The candidates of a token under other sampling values."""

    chances: tuple[float, ...]
    """With what probability each of the token's candidates would be drawn, in the order of its candidates; 0 for
    those cut off."""
    funnel: tuple[Cut, ...]
    """As in `TokenTrace`; where unrecorded tokens survive, `survivors` is the most there can be."""
    others: float
    """With what probability a token that was not recorded would be drawn."""
    is_enough: bool
    """False if too few candidates were recorded to know these chances to a hundredth, or how many survive."""


def dials(sampling: Mapping[str, Json]) -> Dials:
    """Return the sampling of a receipt (`Run.sampling`) as dials."""
    told = {name: sampling[name] for name in Dials._fields[1:] if isinstance(sampling.get(name), int | float)}
    temperature = told.get("temperature", 1.0)
    return Dials(is_greedy=not sampling.get("do_sample", True) or temperature <= 0, **told)


def reshaped(token: TokenTrace, values: Dials) -> Reshaped:
    """Return what these values make of a token's candidates."""
    scores = [_penalised(candidate, token.log_total, values) for candidate in token.candidates]
    if not scores:
        return Reshaped((), (), 1.0, False)
    order = sorted(range(len(scores)), key=lambda place: -scores[place])
    ceiling = token.candidates[-1].logprob
    """No token that was not recorded scores more, unless a penalty below its neutral value raised it."""
    is_known = _raises_nothing(values) and (token.log_total != 0 or values.repetition_penalty == 1)
    if values.is_greedy:
        values = values._replace(temperature=1.0, top_k=1, top_p=1.0, min_p=0.0)
    temperature = max(values.temperature, LEAST_TEMPERATURE)
    best = scores[order[0]]
    weights = [math.exp((scores[place] - best) / temperature) for place in order]
    others = _others(token, values, temperature, best)
    total = sum(weights) + others.middle
    all_tokens = token.funnel[0].survivors if token.funnel else len(scores)
    funnel = [Cut(all_tokens, 1.0)] * 3
    # Of the recorded ones, those that no other token can outdo.
    sure = sum(1 for place in order if scores[place] >= ceiling) if others.most else len(scores)
    limit = math.exp((ceiling - best) / temperature)
    kept = len(weights)
    if values.top_k:
        kept = _with_ties(weights, values.top_k)
        if values.top_k <= sure:
            others = _NONE
        else:
            others = others.up_to(values.top_k - len(weights), all_tokens - len(weights), limit)
    funnel.append(_cut(weights, kept, others, total, min(values.top_k or all_tokens, all_tokens)))
    if values.top_p < 1:
        is_known &= _first(weights, kept, others.least, values.top_p) == _first(
            weights, kept, others.most, values.top_p
        )
        within = sum(weights[:kept]) + others.middle
        reach = values.top_p * within - sum(weights[:kept])
        kept = _first(weights, kept, others.middle, values.top_p)
        others = others.between(reach, reach + limit) if reach > 0 else _NONE
    funnel.append(_cut(weights, kept, others, total, funnel[-1].survivors))
    if values.min_p > 0:
        kept = sum(1 for weight in weights[:kept] if weight >= values.min_p * weights[0])
        others = _NONE if limit < values.min_p else _Others(0.0, others.most)
    funnel.append(_cut(weights, kept, others, total, funnel[-1].survivors))
    within = sum(weights[:kept])
    spread = 1 / (within + others.least) - 1 / (within + others.most)
    chances = [0.0] * len(scores)
    for place, weight in zip(order[:kept], weights, strict=False):
        chances[place] = weight / (within + others.middle)
    is_counted = (values.top_p >= 1 and values.min_p <= 0) or others.most <= TOLERANCE * within
    is_enough = is_known and is_counted and spread <= TOLERANCE and (sure > 0 or not others.most)
    drawn_elsewhere = others.middle / (within + others.middle)
    return Reshaped(tuple(chances), tuple(funnel), drawn_elsewhere, is_enough)


class _Others(NamedTuple):
    """What all tokens that were not recorded weigh together: at least, and at most."""

    least: float
    most: float

    @property
    def middle(self) -> float:
        return (self.least + self.most) / 2

    def between(self, least: float, most: float) -> "_Others":
        """Return these bounds tightened."""
        return _Others(min(max(self.least, least), self.most), min(self.most, most))

    def up_to(self, count: int, of: int, limit: float) -> "_Others":
        """Return the weight of the heaviest `count` of them, none of which weighs more than `limit`."""
        if count <= 0:
            return _Others(0.0, min(self.most, limit))
        return _Others(self.least * min(1.0, count / max(of, 1)), min(self.most, count * limit))


_NONE = _Others(0.0, 0.0)


def _others(token: TokenTrace, values: Dials, temperature: float, best: float) -> _Others:
    """Return what the other tokens weigh at a temperature, where a token with score `best` weighs 1.

    Their probabilities add up to a known number. Raised to a power, such a sum is extreme where they are all alike
    and where as few as possible of them hold it all.
    """
    held = max(0.0, 1 - sum(math.exp(each.logprob) for each in token.candidates))
    number = (token.funnel[0].survivors if token.funnel else 1 << 18) - len(token.candidates)
    if number <= 0 or held < 1e-9:
        return _NONE
    ceiling = token.candidates[-1].logprob
    few = max(1.0, held / math.exp(ceiling))
    alike = number * math.exp((math.log(held / number) - best) / temperature)
    together = few * math.exp((math.log(held / few) - best) / temperature)
    least, most = sorted((alike, together))
    has_penalty = values.repetition_penalty != 1 or values.presence_penalty or values.frequency_penalty
    return _Others(0.0 if has_penalty else least, most)


def _penalised(candidate: Candidate, log_total: float, values: Dials) -> float:
    """Return a candidate's score, as a logarithm on the scale of its `logprob`."""
    logit = candidate.logprob + log_total
    if candidate.is_seen:
        penalty = values.repetition_penalty
        logit = logit / penalty if logit > 0 else logit * penalty
    if candidate.times:
        logit -= values.presence_penalty + values.frequency_penalty * candidate.times
    return logit - log_total


def _raises_nothing(values: Dials) -> bool:
    return values.repetition_penalty >= 1 and values.presence_penalty >= 0 and values.frequency_penalty >= 0


def _with_ties(weights: Sequence[float], top_k: int) -> int:
    """Return how many of the weights, largest first, are as large as the last that top-k keeps."""
    if top_k >= len(weights):
        return len(weights)
    return sum(1 for weight in weights if weight >= weights[top_k - 1])


def _first(weights: Sequence[float], kept: int, others: float, top_p: float) -> int:
    """Return how many of the first `kept` weights top-p keeps, given what the other tokens weigh."""
    total = sum(weights[:kept]) + others
    before = accumulate(weights[:kept], initial=0.0)
    return max(1, sum(1 for _, share in zip(range(kept), before, strict=False) if share < top_p * total))


def _cut(weights: Sequence[float], kept: int, others: _Others, total: float, survivors: int) -> Cut:
    """Return a stage; `survivors` is how many there may be if other tokens are among them."""
    share = (sum(weights[:kept]) + others.middle) / total
    return Cut(survivors if others.most else kept, min(1.0, share))
