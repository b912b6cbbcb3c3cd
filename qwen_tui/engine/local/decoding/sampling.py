"""Choosing the next token on the device, without the processor having to look: so a graph can hold it.

The order and the meaning are those of transformers: suppressed tokens, repetition penalty, temperature, top-k,
top-p, min-p. What is drawn comes from a generator of one's own, so that a seed repeats a reply whatever else has
drawn in between.
"""

from typing import NamedTuple

import torch
from transformers import GenerationConfig

from qwen_tui.engine.base import SAMPLING_FIELDS

CANDIDATES = 1024
"""With a top-k of at most so many, only so many of the likeliest tokens are looked at."""


class Values(NamedTuple):
    """The values of one reply; what is off has the value that changes nothing."""

    is_greedy: bool = True
    temperature: float = 1.0
    top_k: int = 0
    """0 keeps all."""
    top_p: float = 1.0
    min_p: float = 0.0
    repetition_penalty: float = 1.0


_HOUSEKEEPING = (
    "max_new_tokens", "max_length", "eos_token_id", "bos_token_id", "pad_token_id", "use_cache",
    "return_dict_in_generate", "cache_implementation", "transformers_version", "_from_model_config",
)  # fmt: skip

PLAIN = frozenset(("do_sample", *SAMPLING_FIELDS, "suppress_tokens", *_HOUSEKEEPING))
"""Of a generation_config, what is done here or does not matter."""


def beyond(config: GenerationConfig) -> frozenset[str]:
    """By name, what a generation_config asks for that is not done here."""
    return frozenset(config.to_diff_dict()) - PLAIN


def fast_values(config: GenerationConfig) -> Values | None:
    """What a generation_config asks for; None when it is more than this module does."""
    if beyond(config):
        return None
    penalty = config.repetition_penalty or 1.0
    if not config.do_sample:
        return Values(repetition_penalty=penalty)
    return Values(
        is_greedy=False,
        temperature=config.temperature or 1.0,
        top_k=config.top_k or 0,
        top_p=1.0 if config.top_p is None else config.top_p,
        min_p=config.min_p or 0.0,
        repetition_penalty=penalty,
    )


class Sampler:
    """The tensors that sampling reads: `begin` sets them for a reply, a captured `choose` finds them again."""

    def __init__(self, vocabulary: int, device: torch.device) -> None:
        ones = torch.ones(4, 1, dtype=torch.float32, device=device)
        self._temperature, self._top_p, self._min_p, self._penalty = ones.unbind()
        self._last_kept = torch.tensor([vocabulary - 1], device=device)
        self._suppressed = torch.zeros(vocabulary, dtype=torch.bool, device=device)
        self.seen = torch.zeros(vocabulary, dtype=torch.bool, device=device)
        """Which tokens there were, in the prompt and since: changed by `choose`."""
        self.score = torch.zeros(1, dtype=torch.float32, device=device)
        """The score of the token chosen last: not finite where any of the logits is no number."""
        self._noise = torch.ones(vocabulary, dtype=torch.float32, device=device)
        self._generator = torch.Generator(device)
        self._vocabulary = vocabulary
        self.is_greedy = True
        self._looked_at = vocabulary

    @property
    def kind(self) -> tuple[bool, int]:
        """What `choose` does; what was captured with another one chooses in another way."""
        return self.is_greedy, self._looked_at

    def begin(self, values: Values, seed: int, prompt: torch.Tensor, suppressed: torch.Tensor | None) -> None:
        """Set up for a reply to these prompt ids (T), without the ids (N) that are `suppressed`."""
        self.is_greedy = values.is_greedy
        self._temperature.fill_(values.temperature)
        # At 1 nothing is left out, however the sum of all is rounded.
        self._top_p.fill_(values.top_p if values.top_p < 1.0 else torch.inf)
        self._min_p.fill_(values.min_p)
        self._penalty.fill_(values.repetition_penalty)
        kept = min(values.top_k, self._vocabulary) if values.top_k else self._vocabulary
        self._last_kept.fill_(kept - 1)
        self._looked_at = min(CANDIDATES, self._vocabulary) if kept <= CANDIDATES else self._vocabulary
        self._suppressed.fill_(False)
        if suppressed is not None:
            # A checkpoint may name ids that it has no row for; to index with -1 would be the last one.
            is_there = (suppressed >= 0) & (suppressed < self._vocabulary)
            self._suppressed[suppressed[is_there]] = True
        self.seen.fill_(False)
        self.seen[prompt] = True
        self._generator.manual_seed(seed)

    def draw(self) -> None:
        """Draw for the next `choose`. Not part of it, since a graph would repeat what it was captured with."""
        if not self.is_greedy:
            self._noise[: self._looked_at].exponential_(generator=self._generator)

    def choose(self, logits: torch.Tensor) -> torch.Tensor:
        """The next token's id (1), of logits (V) in float32."""
        penalised = torch.where(logits > 0, logits / self._penalty, logits * self._penalty)
        scores = torch.where(self.seen, penalised, logits).masked_fill(self._suppressed, -torch.inf)
        if self.is_greedy:
            token = scores.argmax(dim=-1, keepdim=True)
        else:
            # All of them: on a H200 this takes 56 us for 152,064, and `topk` of 64 takes 62.
            ordered = (scores / self._temperature).sort(descending=True)
            likeliest, ids = (part[: self._looked_at] for part in ordered)
            kept = kept_scores(likeliest, self._last_kept, self._top_p, self._min_p)
            # The largest of p / Exp(1) is a draw from p.
            drawn = (kept.softmax(-1) / self._noise[: self._looked_at]).argmax(dim=-1, keepdim=True)
            token = ids.gather(0, drawn)
        torch.gather(scores, 0, token, out=self.score)  # NaN is the largest, to `argmax` and to `sort`
        self.seen.index_fill_(0, token, True)
        return token


def kept_scores(
    scores: torch.Tensor, last_kept: torch.Tensor, top_p: torch.Tensor, min_p: torch.Tensor
) -> torch.Tensor:
    """Sorted scores (V), the largest first, with -inf for what top-k, top-p and min-p leave out.

    `last_kept` (1) is top-k less one: what is as likely as the last one that is kept is kept, too.
    """
    scores = scores.masked_fill(scores < scores.gather(0, last_kept), -torch.inf)
    chances = scores.softmax(-1)
    before = chances.cumsum(-1) - chances
    is_out = before >= top_p
    is_out |= chances < min_p * chances[:1]
    is_out[:1] = False
    return scores.masked_fill(is_out, -torch.inf)
