"""What is measured of a token's choice agrees with transformers' own processors, and changes no token."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from loaded_models import with_decoder
from test_fast_sampling import CPU, VALUES
from test_generation import SEED, asking, reply, run_of, text_of
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from qwen_tui.engine.base import Event
from qwen_tui.engine.local.decoding.measuring import Measured, measured
from qwen_tui.engine.local.decoding.sampling import Sampler, Values
from qwen_tui.engine.local.generation.tap import measured_choice
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.trace import TokenTrace, Traced
from qwen_tui.engine.what_if import dials, reshaped


def stages_of(
    values: Values, prompt: torch.Tensor, logits: torch.Tensor, suppressed: torch.Tensor
) -> list[torch.Tensor]:
    """The scores (V) after each stage, by transformers' processors one after another."""
    each = [
        [SuppressTokensLogitsProcessor(suppressed.tolist(), device="cpu")],
        [RepetitionPenaltyLogitsProcessor(values.repetition_penalty)],
        [TemperatureLogitsWarper(values.temperature)],
        [TopKLogitsWarper(values.top_k)] if values.top_k else [],
        [TopPLogitsWarper(values.top_p)] if values.top_p < 1.0 else [],
        [MinPLogitsWarper(values.min_p)] if values.min_p else [],
    ]
    stages, scores = [], logits[None].clone()
    for processors in each:
        scores = LogitsProcessorList(processors)(prompt[None], scores)
        stages.append(scores[0])
    return stages


def by_graph(
    values: Values, prompt: torch.Tensor, logits: torch.Tensor, suppressed: torch.Tensor
) -> tuple[int, Measured]:
    sampler = Sampler(len(logits), CPU)
    sampler.begin(values, 3, prompt, suppressed)
    sampler.measures = True
    sampler.draw()
    return int(sampler.choose(logits)), measured(sampler.row.tolist())


def by_tap(
    values: Values, prompt: torch.Tensor, logits: torch.Tensor, suppressed: torch.Tensor
) -> tuple[int, Measured]:
    stages = stages_of(values, prompt, logits, suppressed)
    torch.manual_seed(3)
    token = int(stages[-1].argmax() if values.is_greedy else stages[-1].softmax(-1).multinomial(1))
    own = logits.index_fill(0, suppressed, -torch.inf)
    return token, measured_choice(own, stages[1], token, values)


@pytest.mark.parametrize("measure", [by_graph, by_tap])
@settings(max_examples=60, deadline=None)
@given(values=VALUES, seed=st.integers(0, 10**6), size=st.sampled_from([3, 50, 3000]), greedy=st.booleans())
def test_every_number_is_that_of_transformers_on_the_same_logits(
    measure: object, values: Values, seed: int, size: int, greedy: bool
) -> None:
    torch.manual_seed(seed)
    logits = 3 * torch.randn(size)
    prompt, suppressed = (
        torch.randint(0, size, (10,)),
        torch.tensor([size - 1] if seed % 2 else [], dtype=torch.long),
    )
    values = values._replace(presence_penalty=0.0, frequency_penalty=0.0)
    if greedy:
        values = Values(repetition_penalty=values.repetition_penalty)
    token, got = measure(values, prompt, logits, suppressed)  # type: ignore[operator]
    stages = stages_of(values, prompt, logits, suppressed)
    own, tempered = stages[0], stages[2].softmax(-1)
    logprobs = own.log_softmax(-1)
    assert got.ids == own.topk(min(20, size)).indices.tolist()[: len(got.ids)]
    assert got.logprobs == pytest.approx(logprobs[list(got.ids)].tolist(), abs=1e-4)
    assert got.logprob == pytest.approx(float(logprobs[token]), abs=1e-4)
    assert got.rank == int((own > own[token]).sum()) + 1
    entropy = torch.distributions.Categorical(logits=own.double()).entropy() if not len(suppressed) else None
    if entropy is not None:
        assert got.entropy == pytest.approx(float(entropy) / math.log(2), abs=1e-3)
    number = size - len(suppressed)
    assert [cut.survivors for cut in got.funnel[:3]] == [number] * 3
    if greedy:
        assert token == int(stages[1].argmax())
        assert got.chance == 1
        assert {cut.survivors for cut in got.funnel[3:]} == {1}
        assert got.funnel[5].probability == pytest.approx(float(stages[1].softmax(-1)[token]), abs=1e-4)
        return
    for scores, cut in zip(stages[3:], got.funnel[3:], strict=True):
        left = scores.isfinite()
        share = float(tempered[left].sum())
        # A token at the very edge of top-p may fall on either side of it, by how sums are rounded.
        edge = float(tempered[left].amin())
        assert abs(cut.survivors - int(left.sum())) <= 1 or abs(cut.probability - share) < 1e-3
        assert abs(cut.probability - share) <= edge * 1.01 + 1e-4
    assert got.chance == pytest.approx(float(tempered[token]) / got.funnel[5].probability, rel=1e-3)


@pytest.fixture(scope="module", params=["generate", "decoder"])
def model(request: pytest.FixtureRequest, qwen2: Loaded) -> Loaded:
    return qwen2 if request.param == "generate" else with_decoder(qwen2)


def traces_of(events: list[Event]) -> list[TokenTrace]:
    return [
        trace for event in events if isinstance(event, Traced) for trace in event.tokens if trace is not None
    ]


@pytest.mark.parametrize(
    "sampling",
    [
        {"seed": 3},
        {"greedy": True, "repetition_penalty": 1.3},
        {"seed": 5, "top_k": 0, "top_p": 1.0, "temperature": 1.4},
    ],
)
def test_a_traced_reply_is_the_same_reply_with_a_trace_for_each_token(model: Loaded, sampling: dict) -> None:
    plain = reply(model, asking(**sampling))
    events = reply(model, replace(asking(**sampling), trace=True))
    assert run_of(events).token_ids == run_of(plain).token_ids
    assert text_of(events) == text_of(plain)
    traces = traces_of(events)
    assert tuple(trace.chosen.id for trace in traces) == run_of(plain).token_ids
    assert not any(isinstance(event, Traced) for event in plain)
    prompt = model.prompts.build(asking().messages).ids
    with torch.no_grad():
        logits = model.model(torch.tensor([[*prompt, *run_of(plain).token_ids]])).logits[0]
    if model.padded_ids is not None:
        logits = logits.index_fill(1, model.padded_ids, -torch.inf)
    for place, trace in enumerate(traces):
        logprobs = logits[len(prompt) - 1 + place].log_softmax(-1)
        assert trace.chosen.logprob == pytest.approx(float(logprobs[trace.chosen.id]), abs=1e-3)
        before = {*prompt, *run_of(plain).token_ids[:place]}
        assert all(each.is_seen == (each.id in before) for each in trace.candidates)
        assert len(trace.candidates) == 20


def test_what_if_with_the_replys_own_values_gives_the_chance_that_was_measured(qwen2: Loaded) -> None:
    events = reply(qwen2, replace(asking(seed=3, repetition_penalty=1.2), trace=True))
    values = dials(run_of(events).sampling)
    checked = 0
    for trace in traces_of(events):
        found = reshaped(trace, values)
        places = [place for place, each in enumerate(trace.candidates) if each.id == trace.chosen.id]
        if found.is_enough and places:
            checked += 1
            assert found.chances[places[0]] == pytest.approx(trace.chance, abs=0.02)
    assert checked > 5


def test_a_reply_begins_with_the_tokens_it_is_given_and_goes_on_as_the_model_would(model: Loaded) -> None:
    whole = run_of(reply(model, asking(seed=SEED)))
    other = traces_of(reply(model, replace(asking(seed=SEED), trace=True)))[5].candidates[3].id
    given = (*whole.token_ids[:5], other)
    events = reply(model, replace(asking(seed=SEED), given_ids=given, trace=True))
    run = run_of(events)
    assert run.token_ids[:6] == given
    assert run.given_tokens == 6
    assert len(run.token_ids) > 6
    assert text_of(events) == model.tokenizer.decode(run.token_ids, skip_special_tokens=True)
    assert [trace for event in events if isinstance(event, Traced) for trace in event.tokens][:6] == [
        None
    ] * 6
    cold = run_of(reply(model, replace(asking(seed=SEED), given_ids=given, reuse=False)))
    assert cold.token_ids == run.token_ids


def test_a_branch_at_half_a_character_continues_it(model: Loaded) -> None:
    wide = model.tokenizer.encode("鑫", add_special_tokens=False)
    assert len(wide) > 1
    events = reply(model, replace(asking(seed=SEED), given_ids=tuple(wide[:1]), trace=True))
    assert run_of(events).token_ids[0] == wide[0]
    assert text_of(events) == model.tokenizer.decode(run_of(events).token_ids, skip_special_tokens=True)


def test_a_reply_that_is_given_its_end_is_over(model: Loaded) -> None:
    events = reply(model, replace(asking(greedy=True), given_ids=(model.end_ids[0],)))
    assert run_of(events).stop_reason == "eos"
    assert run_of(events).token_ids == (model.end_ids[0],)
