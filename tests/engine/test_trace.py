"""What is recorded of a token's choice, on its way through the pipe, and what other sampling values make of it."""

import math
import pickle
import random

import pytest

from qwen_tui.engine.trace import Candidate, Cut, TokenTrace, packed, unpacked
from qwen_tui.engine.what_if import Dials, dials, reshaped


def a_trace(logits: list[float], seen: frozenset[int] = frozenset(), recorded: int = 20) -> TokenTrace:
    """Return the trace of a greedy token from these logits."""
    log_total = math.log(sum(math.exp(each) for each in logits))
    order = sorted(range(len(logits)), key=lambda token: -logits[token])
    told = tuple(
        Candidate(token, f"t{token}".encode(), logits[token] - log_total, token in seen) for token in order
    )
    funnel = (Cut(len(logits), 1.0),) * 6
    return TokenTrace(told[0], 1, 1.0, 2.5, log_total, told[:recorded], funnel)


def test_a_trace_comes_out_of_the_pipe_as_it_went_in_and_is_small():
    trace = a_trace([float(number) / 8 for number in range(40)])
    data = packed([trace, trace])
    back = unpacked(data)
    assert len(back) == 2
    assert back[0].chosen.text == b"t39"
    assert [each.id for each in back[1].candidates] == [each.id for each in trace.candidates]
    assert back[0].log_total == pytest.approx(trace.log_total)
    assert pickle.loads(pickle.dumps(trace)).funnel == trace.funnel
    assert len(data) / 2 < 400


def test_bytes_that_are_no_trace_are_refused():
    data = packed([a_trace([1.0, 2.0])])
    for broken in (data[:-3], data[:5], b"\xff" * 40):
        with pytest.raises(ValueError, match="not a trace"):
            unpacked(broken)


def plain_chances(logits: list[float], values: Dials, seen: frozenset[int]) -> dict[int, float]:
    """Compute the distribution over all tokens, step by step."""
    scores = {}
    for token, logit in enumerate(logits):
        if token in seen:
            logit = logit / values.repetition_penalty if logit > 0 else logit * values.repetition_penalty
        scores[token] = logit / values.temperature
    order = sorted(scores, key=lambda token: -scores[token])
    if values.top_k:
        order = order[: values.top_k]
    weights = {token: math.exp(scores[token] - scores[order[0]]) for token in order}
    total, before, kept = sum(weights.values()), 0.0, []
    for token in order:
        if not kept or before < values.top_p * total:
            kept.append(token)
        before += weights[token]
    kept = [token for token in kept if weights[token] >= values.min_p]
    left = sum(weights[token] for token in kept)
    return {token: weights[token] / left for token in kept}


@pytest.mark.parametrize("seed", range(60))
def test_what_if_gives_the_true_chances_or_says_that_too_few_are_known(seed):
    draw = random.Random(seed)
    logits = [draw.gauss(0, draw.choice((1, 3, 6))) for _ in range(300)]
    seen = frozenset(draw.sample(range(300), 40)) if seed % 3 == 0 else frozenset()
    values = Dials(
        temperature=draw.choice((0.2, 0.7, 1.0, 1.5)),
        top_k=draw.choice((0, 5, 20, 50)),
        top_p=draw.choice((0.5, 0.8, 0.95, 1.0)),
        min_p=draw.choice((0.0, 0.05, 0.3)),
        repetition_penalty=draw.choice((1.0, 1.1)),
    )
    trace = a_trace(logits, seen)
    found = reshaped(trace, values)
    if found.is_enough:
        true = plain_chances(logits, values, seen)
        for candidate, chance in zip(trace.candidates, found.chances, strict=True):
            assert chance == pytest.approx(true.get(candidate.id, 0.0), abs=0.011)


def test_twenty_are_enough_for_what_a_checkpoint_asks_for():
    sharp = [10.0 - number / 2 for number in range(1000)]
    assert reshaped(a_trace(sharp), Dials(temperature=0.7, top_k=20, top_p=0.8)).is_enough
    flat = [0.0] * 1000
    assert not reshaped(a_trace(flat), Dials(top_p=0.9)).is_enough


def test_greedy_is_certain_of_the_likeliest_after_penalties():
    found = reshaped(
        a_trace([2.0, 1.9, -1.0], seen=frozenset({0})), Dials(is_greedy=True, repetition_penalty=1.5)
    )
    assert found.chances == (0.0, 1.0, 0.0)


def test_the_dials_of_a_receipt_are_its_values():
    assert dials({"do_sample": False, "repetition_penalty": 1.1}) == Dials(True, repetition_penalty=1.1)
    assert dials({"do_sample": True, "temperature": 0.7, "top_k": 20}) == Dials(temperature=0.7, top_k=20)
