"""What the model considered for each token of a reply: its likeliest candidates, and what sampling left of them.

A trace is measured in the pass that generated the token, from the full logits, and changes no token.
`engine/what_if.py` computes from it what other sampling values would have done.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

CANDIDATES = 20
"""How many of the likeliest tokens are recorded."""

STAGES = ("all", "penalties", "temperature", "top_k", "top_p", "min_p")
"""The steps from all tokens to the one that is drawn, in the order in which sampling applies them."""


class Candidate(NamedTuple):
    """A token that could have come next."""

    id: int
    text: bytes
    """Its bytes, which may be a part of a character; for a special token its name, such as `<|im_end|>`."""
    logprob: float
    """Natural logarithm of its probability as the model said it: before penalties and temperature. 0 is certain."""
    is_seen: bool = False
    """Whether it occurs in the prompt or earlier in the reply, which the repetition penalty counts."""
    times: int = 0
    """How often it occurs earlier in the reply; 255 also stands for more."""


class Cut(NamedTuple):
    """What is left after one of the `STAGES`."""

    survivors: int
    """How many tokens can still be drawn."""
    probability: float
    """The share that they had before the cuts: for `all` and `penalties` of the model's own probabilities, from
    `temperature` on of those after penalties and temperature."""


class TokenTrace(NamedTuple):
    """How one token was chosen."""

    chosen: Candidate
    rank: int
    """Its place among all tokens as the model ranked them; 1 is the likeliest."""
    chance: float
    """The probability with which it was drawn, after all stages; 1 if the likeliest is always chosen."""
    entropy: float
    """Entropy of the model's own probabilities of all tokens, in bits: 0 is certain, 1 is a coin toss."""
    log_total: float
    """Added to a `logprob` it gives the logit, whose sign the repetition penalty depends on. 0 if a server does not
    say."""
    candidates: tuple[Candidate, ...]
    """The likeliest tokens, likeliest first: `CANDIDATES`, or as many as a server gives."""
    funnel: tuple[Cut, ...]
    """One for each of the `STAGES`; empty for a server's reply, whose full logits nobody sees."""

    @property
    def is_measured(self) -> bool:
        """Whether entropy, rank and funnel come from the full logits; False for a server's reply."""
        return bool(self.funnel)

    def __reduce__(self) -> tuple[object, tuple[bytes]]:
        return _one, (packed([self]),)


class Traced(NamedTuple):
    """Event: the traces of more tokens, sent before the text they belong to.

    There is one for each of the reply's token ids, in order, the end of turn included.
    """

    tokens: tuple[TokenTrace | None, ...]
    """None for a token that the model did not choose: given by the person, or written by the program."""


def packed(tokens: Iterable[TokenTrace]) -> bytes:
    """Return traces as bytes, about 0.3 kB each; numbers are rounded to 32 bits."""
    return b"".join(_packed(token) for token in tokens)


def unpacked(data: bytes) -> tuple[TokenTrace, ...]:
    """Return the traces in these bytes. Raises ValueError for anything else."""
    try:
        return tuple(_unpacked(data))
    except (struct.error, IndexError) as error:
        raise ValueError(f"not a trace: {error}") from error


_HEAD = struct.Struct("<IfffBB")
"""Rank, chance, entropy, log_total, number of candidates, number of cuts."""
_CANDIDATE = struct.Struct("<IfBBB")
"""Id, logprob, seen, count, bytes of text."""
_CUT = struct.Struct("<If")


def _packed(token: TokenTrace) -> bytes:
    numbers = (token.rank, token.chance, token.entropy, token.log_total)
    parts = [_HEAD.pack(*numbers, len(token.candidates), len(token.funnel))]
    for token_id, text, logprob, is_seen, times in (token.chosen, *token.candidates):
        text = text[:255]
        parts.append(_CANDIDATE.pack(token_id, logprob, is_seen, min(times, 255), len(text)) + text)
    parts += [_CUT.pack(*cut) for cut in token.funnel]
    return b"".join(parts)


def _unpacked(data: bytes) -> Iterator[TokenTrace]:
    at = 0
    while at < len(data):
        rank, chance, entropy, log_total, count, cuts = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        told = []
        for _ in range(count + 1):
            token_id, logprob, is_seen, times, length = _CANDIDATE.unpack_from(data, at)
            at += _CANDIDATE.size
            if at + length > len(data):
                raise IndexError("cut off")
            told.append(Candidate(token_id, data[at : at + length], logprob, bool(is_seen), times))
            at += length
        funnel = tuple(Cut(*_CUT.unpack_from(data, at + place * _CUT.size)) for place in range(cuts))
        at += cuts * _CUT.size
        yield TokenTrace(told[0], rank, chance, entropy, log_total, tuple(told[1:]), funnel)


def _one(data: bytes) -> TokenTrace:
    return unpacked(data)[0]
