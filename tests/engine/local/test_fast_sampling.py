"""Sampling on the device against transformers' own processors."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from qwen_tui.engine.local.decoding.sampling import Sampler, Values, cuts, fast_values

CPU = torch.device("cpu")


def by_transformers(values: Values, prompt: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """The probabilities (V) that tokens are drawn by."""
    processors = LogitsProcessorList()
    if values.repetition_penalty != 1.0:
        processors.append(RepetitionPenaltyLogitsProcessor(values.repetition_penalty))
    processors.append(TemperatureLogitsWarper(values.temperature))
    if values.top_k:
        processors.append(TopKLogitsWarper(values.top_k))
    if values.top_p < 1.0:
        processors.append(TopPLogitsWarper(values.top_p))
    if values.min_p:
        processors.append(MinPLogitsWarper(values.min_p))
    return processors(prompt[None], logits[None].clone())[0].softmax(-1)


def drawn(values: Values, prompt: torch.Tensor, logits: torch.Tensor, times: int) -> torch.Tensor:
    """How often (V) each token was drawn."""
    sampler = Sampler(len(logits), CPU)
    sampler.begin(values, 3, prompt, None)
    counts = torch.zeros(len(logits))
    seen = sampler.seen.clone()
    for _ in range(times):
        sampler.draw()
        counts[sampler.choose(logits)] += 1
        sampler.seen.copy_(seen)
    return counts


VALUES = st.builds(
    Values,
    is_greedy=st.just(False),
    temperature=st.floats(0.2, 3.0),
    top_k=st.sampled_from([0, 1, 2, 20, 500]),
    top_p=st.sampled_from([0.0, 0.3, 0.8, 0.95, 1.0]),
    min_p=st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    repetition_penalty=st.sampled_from([1.0, 1.05, 2.0, 0.7]),
)


@settings(max_examples=60, deadline=None)
@given(values=VALUES, seed=st.integers(0, 10**6), size=st.sampled_from([3, 50, 3000]))
def test_the_tokens_that_are_left_are_those_of_transformers(values: Values, seed: int, size: int) -> None:
    torch.manual_seed(seed)
    logits = 3 * torch.randn(size)
    prompt = torch.randint(0, size, (10,))
    expected = by_transformers(values, prompt, logits)
    penalised = torch.where(
        torch.zeros(size, dtype=torch.bool).index_fill(0, prompt, True),
        torch.where(logits > 0, logits / values.repetition_penalty, logits * values.repetition_penalty),
        logits,
    )
    ordered = (penalised / values.temperature).sort(descending=True)
    top_p = values.top_p if values.top_p < 1.0 else math.inf
    last = torch.tensor([min(values.top_k or size, size) - 1])
    kept = cuts(ordered.values, last, torch.tensor([top_p]), torch.tensor([values.min_p])).kept
    got = torch.zeros(size).scatter(0, ordered.indices, kept.softmax(-1))
    # A token at the very edge of top-p may fall on either side of it, by how sums are rounded.
    differs = (got > 0) != (expected > 0)
    assert int(differs.sum()) <= 1
    if not differs.any():
        assert torch.allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize(
    "values",
    [
        Values(False, 0.8, 20, 0.9, 0.0, 1.2),
        Values(False, 1.5, 0, 0.7),
        Values(False, 1.0, 0, 1.0, 0.1, 1.05),
        Values(False, 2.0),
    ],
)
def test_tokens_are_drawn_as_often_as_they_are_likely(values: Values) -> None:
    torch.manual_seed(1)
    logits, prompt, times = 2 * torch.randn(40), torch.tensor([1, 5, 7]), 10_000
    expected = by_transformers(values, prompt, logits)
    shares = drawn(values, prompt, logits, times) / times
    assert (shares[expected == 0] == 0).all()
    # Three and a half standard deviations of a share, which is a mean of so many draws.
    assert ((shares - expected).abs() <= 3.5 * (expected * (1 - expected) / times).sqrt() + 1e-9).all()


def test_greedy_takes_the_likeliest_after_the_penalty_and_what_was_said_is_seen() -> None:
    logits = torch.tensor([1.0, 2.0, 1.9, -1.0])
    sampler = Sampler(4, CPU)
    sampler.begin(Values(repetition_penalty=1.5), 0, torch.tensor([1]), None)
    assert [int(sampler.choose(logits)) for _ in range(3)] == [2, 1, 1]


def test_presence_is_subtracted_once_and_frequency_each_time_for_the_replys_own_tokens() -> None:
    logits, prompt = torch.tensor([3.0, 2.0, 1.0]), torch.tensor([1, 0])
    sampler = Sampler(3, CPU)

    def chosen(written: int = 0, **penalties: float) -> list[int]:
        sampler.begin(Values(**penalties), 0, prompt, None, written)
        return [int(sampler.choose(logits)) for _ in range(4)]

    assert chosen() == [0, 0, 0, 0]
    assert chosen(presence_penalty=1.5) == [0, 1, 0, 0]  # then 1.5, 0.5 and 1.0
    assert chosen(frequency_penalty=0.7) == [0, 0, 1, 0]
    assert chosen(frequency_penalty=-1.0, presence_penalty=-1.0) == [0, 0, 0, 0]
    assert chosen(written=1, presence_penalty=1.5)[0] == 1  # the prompt's last token is the reply's own


def test_a_suppressed_token_is_never_chosen() -> None:
    logits = torch.tensor([9.0, 2.0, 1.0])
    sampler = Sampler(3, CPU)
    sampler.begin(Values(), 0, torch.tensor([1]), torch.tensor([0]))
    assert int(sampler.choose(logits)) == 1
    for nowhere in (-1, 3):
        sampler.begin(Values(), 0, torch.tensor([1]), torch.tensor([0, nowhere]))
        assert int(sampler.choose(logits)) == 1
        assert int(sampler.choose(-logits)) == 2
    sampler.begin(Values(), 0, torch.tensor([1]), None)
    assert int(sampler.choose(logits)) == 0


def test_a_generation_config_with_something_else_is_not_taken() -> None:
    plain = {"do_sample": True, "temperature": 0.7, "top_k": 20, "top_p": 0.8, "repetition_penalty": 1.05}
    assert fast_values(GenerationConfig(**plain)) == Values(False, 0.7, 20, 0.8, 0.0, 1.05)
    assert fast_values(GenerationConfig(do_sample=False)) == Values()
    for other in ({"typical_p": 0.9}, {"no_repeat_ngram_size": 3}, {"num_beams": 2}, {"penalty_alpha": 0.6}):
        assert fast_values(GenerationConfig(**plain, **other)) is None
