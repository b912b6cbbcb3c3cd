"""Measure how transformers' own loop chooses each token, from outside of it.

The model's logits are picked up as the forward pass returns them, and the scores after penalties by a logits
processor that changes nothing. Everything runs on small sorted parts: sorting a whole vocabulary takes a CPU longer
than a small model's forward pass.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import accumulate
from typing import Any

import torch
from transformers import LogitsProcessor, PreTrainedModel

from qwen_tui.engine.local.decoding.measuring import Measured
from qwen_tui.engine.local.decoding.sampling import Values
from qwen_tui.engine.trace import CANDIDATES, Cut

FIRST_LOOK = 256
"""How many of the likeliest tokens are sorted at first where only top-p limits them."""


class Tap(LogitsProcessor):  # type: ignore[misc]  # transformers is not typed
    """The last processor before temperature: keeps the scores (1, V) as they are, for `measured`."""

    def __init__(self, values: Values, suppressed: torch.Tensor) -> None:
        """`suppressed` (N) are ids that cannot be chosen, whatever the model says."""
        self._values = values
        self._suppressed = suppressed if len(suppressed) else None
        self._logits = self._scores = torch.empty(0)

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Return the scores unchanged."""
        self._scores = scores[0]
        return scores

    @contextmanager
    def watching(self, model: PreTrainedModel) -> Iterator[None]:
        """Pick up the logits of every forward pass."""

        def keep(_module: object, _inputs: object, output: Any) -> None:
            self._logits = output.logits[0, -1]

        handle = model.register_forward_hook(keep)
        try:
            yield
        finally:
            handle.remove()

    def measured(self, token: int) -> Measured:
        """Return how this token was chosen in the latest step."""
        logits = self._logits.float()
        if self._suppressed is not None:
            logits = logits.index_fill(0, self._suppressed, -torch.inf)
        return measured_choice(logits, self._scores.float(), token, self._values)


def measured_choice(logits: torch.Tensor, scores: torch.Tensor, token: int, values: Values) -> Measured:
    """Return the numbers of a token's choice.

    `logits` (V) are the model's own, `scores` (V) those after penalties; both have -inf for suppressed tokens.
    """
    chances = logits.softmax(0)
    best, ids = (part.tolist() for part in logits.topk(min(CANDIDATES, logits.shape[0])))
    log_total = best[0] - math.log(float(chances[ids[0]]))
    expected = float(chances @ logits)
    number = logits.shape[0]
    if math.isnan(expected):  # a suppressed token's 0 times -inf
        number = int(logits.isfinite().count_nonzero())
        expected = float(chances @ logits.clamp(min=torch.finfo(torch.float32).min))
    own = float(logits[token])
    rank = best.index(own) + 1 if own in best else int((logits > own).count_nonzero()) + 1
    cuts, chance = _greedy(scores, token) if values.is_greedy else _sampled(scores, token, values, number)
    return Measured(
        logprob=own - log_total,
        rank=rank,
        chance=chance,
        entropy=(log_total - expected) / math.log(2),
        log_total=log_total,
        ids=ids,
        logprobs=[each - log_total for each in best],
        funnel=(Cut(number, 1.0), Cut(number, 1.0), Cut(number, 1.0), *cuts),
    )


def _greedy(scores: torch.Tensor, token: int) -> tuple[list[Cut], float]:
    return [Cut(1, float(scores.softmax(0)[token]))] * 3, 1.0


def _sampled(scores: torch.Tensor, token: int, values: Values, number: int) -> tuple[list[Cut], float]:
    """Return what top-k, top-p and min-p leave, and the chance of the token."""
    scores = scores / values.temperature
    chances = scores.softmax(0)
    likeliest = _by_top_k(scores, values.top_k) if values.top_k else []
    is_open = not likeliest
    if is_open and values.top_p < 1:
        likeliest = _enough(scores, chances, values.top_p)
    if is_open and not likeliest:
        return _by_min_p_alone(scores, chances, token, values.min_p, number)
    first = float(chances.amax())
    shares = [first * math.exp(each - likeliest[0]) for each in likeliest]
    by_top_k = Cut(number, 1.0) if is_open else Cut(len(shares), sum(shares))
    before = accumulate(shares, initial=0.0)
    limit = values.top_p * by_top_k.probability if values.top_p < 1 else math.inf
    shares = [
        share for share, sum_before in zip(shares, before, strict=False) if sum_before < limit
    ] or shares[:1]
    by_top_p = Cut(len(shares), sum(shares))
    shares = [share for share in shares if share >= values.min_p * first] or shares[:1]
    by_min_p = Cut(len(shares), sum(shares))
    return [by_top_k, by_top_p, by_min_p], float(chances[token]) / by_min_p.probability


def _by_top_k(scores: torch.Tensor, top_k: int) -> list[float]:
    """Return the scores that top-k keeps, with those as high as the last of them."""
    size = scores.shape[0]
    best: list[float] = scores.topk(min(top_k + 1, size)).values.tolist()
    kept = best[:top_k]
    if len(best) > top_k and best[top_k] == kept[-1]:
        kept += [kept[-1]] * (int((scores >= kept[-1]).count_nonzero()) - top_k)
    return [each for each in kept if each > -math.inf]


def _enough(scores: torch.Tensor, chances: torch.Tensor, top_p: float) -> list[float]:
    """Return the highest scores, as many as have a probability of `top_p` and more."""
    count = FIRST_LOOK
    while count < scores.shape[0]:
        best, ids = scores.topk(count)
        if float(chances[ids].sum()) > top_p:
            return list(best.tolist())
        count *= 8
    best = scores.sort(descending=True).values
    return list(best[best > -torch.inf].tolist())


def _by_min_p_alone(
    scores: torch.Tensor, chances: torch.Tensor, token: int, min_p: float, number: int
) -> tuple[list[Cut], float]:
    everything = Cut(number, 1.0)
    if min_p <= 0:
        return [everything] * 3, float(chances[token])
    is_in = chances >= min_p * chances.amax()
    last = Cut(int(is_in.count_nonzero()), float(chances[is_in].sum()))
    return [everything, everything, last], float(chances[token]) / last.probability
