"""Measure how a token was chosen, without a host sync, so that a graph can contain it.

All numbers of a token are one row of float32, which is copied to the processor along with the token: ids and counts
are exact up to 16 million.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import torch

from qwen_tui.engine.trace import CANDIDATES, STAGES, Cut

CHUNK = 1024
"""Two rounds of `topk`, within and across chunks of this size, are faster on a GPU than one over all tokens."""

_HEAD = 5
_CUTS = 2 * len(STAGES)


class Measured(NamedTuple):
    """The numbers of one token's choice, as in `TokenTrace`."""

    logprob: float
    rank: int
    chance: float
    entropy: float
    log_total: float
    ids: Sequence[int]
    logprobs: Sequence[float]
    """Of the likeliest tokens, likeliest first."""
    funnel: tuple[Cut, ...]


def row_length(vocabulary: int) -> int:
    """Return the length of a row of numbers."""
    return _HEAD + _CUTS + 2 * min(CANDIDATES, vocabulary)


def measured_row(
    logits: torch.Tensor,
    token: torch.Tensor,
    ordered: torch.Tensor,
    kept: Sequence[torch.Tensor],
    score: torch.Tensor,
) -> torch.Tensor:
    """Return the numbers (see `row_length`) of the choice of `token` (1).

    `logits` (V) are the model's own, with -inf for suppressed tokens. `ordered` (V) are the scores after penalties
    and temperature, in any order. `kept` are those that are left after top-k, top-p and min-p, with -inf for the
    others, and `score` (1) is that of the token. If the likeliest was always to be chosen, `kept` is empty and
    `ordered` has the scores after penalties.
    """
    log_total = logits.logsumexp(0, keepdim=True)
    chances = (logits - log_total).exp()
    # The logits are finite, or their probability is 0: 0 times -inf would be NaN.
    expected = (chances * logits.clamp(min=torch.finfo(torch.float32).min)).sum(0, keepdim=True)
    entropy = (log_total - expected) / math.log(2)
    own = logits.gather(0, token)
    rank = (logits > own).sum(0, keepdim=True) + 1
    best, ids = _likeliest(logits, min(CANDIDATES, logits.shape[0]))
    number, one = logits.isfinite().sum(0, keepdim=True), torch.ones_like(log_total)
    total = ordered.logsumexp(0, keepdim=True)
    cuts = [number, one] * 3
    if kept:
        for scores in kept:
            cuts += [
                scores.isfinite().sum(0, keepdim=True),
                (scores.logsumexp(0, keepdim=True) - total).exp(),
            ]
        chance = (score - kept[-1].logsumexp(0, keepdim=True)).exp()
    else:
        cuts += [one, (score - total).exp()] * 3
        chance = one
    head = (own - log_total, rank, chance, entropy, log_total)
    return torch.cat([part.float() for part in (*head, *cuts, ids, best - log_total)])


def measured(row: Sequence[float]) -> Measured:
    """Return the numbers of a row."""
    logprob, rank, chance, entropy, log_total = row[:_HEAD]
    cuts = row[_HEAD : _HEAD + _CUTS]
    funnel = tuple(Cut(int(count), share) for count, share in zip(cuts[::2], cuts[1::2], strict=True))
    rest = row[_HEAD + _CUTS :]
    half = len(rest) // 2
    ids = [int(each) for each in rest[:half]]
    return Measured(logprob, int(rank), chance, entropy, log_total, ids, rest[half:], funnel)


def _likeliest(logits: torch.Tensor, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the largest logits, in order, and their ids."""
    size = logits.shape[0]
    if size <= CHUNK:
        best, ids = logits.topk(count)
        return best, ids
    padded = torch.nn.functional.pad(logits, (0, -size % CHUNK), value=-torch.inf).view(-1, CHUNK)
    best, within = padded.topk(count)
    starts = torch.arange(0, padded.numel(), CHUNK, device=logits.device)
    best, places = best.flatten().topk(count)
    return best, (within + starts[:, None]).flatten().gather(0, places)
