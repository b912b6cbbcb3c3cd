"""Thinking and answer have rooms of their own: a thought ends in time, and the answer follows on every path."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
import tiny_models
import torch
from loaded_models import loaded_from, with_decoder
from test_generation import ids_of, reply, run_of, saying, text_of, thinking_of
from transformers import GenerationConfig

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Event, PromptMessage, Request, Sampling, ThinkingDelta
from qwen_tui.engine.local.generation.generate import generate
from qwen_tui.engine.local.loading.load import Loaded

QUESTION = PromptMessage(Role.USER, "What is a token?")
CLOSING = "\n</think>\n\n"


@pytest.fixture(scope="module", params=["generate", "decoder", "hybrid"])
def thinker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    make = tiny_models.qwen3_5 if request.param == "hybrid" else tiny_models.qwen3
    loaded = loaded_from(make(tmp_path_factory.mktemp("rooms") / "model"))
    return loaded if request.param == "generate" else with_decoder(loaded)


def thinking_on(tokens: int = 8, **how: object) -> Request:
    """A request that begins inside a thought, so that any model thinks."""
    messages = (QUESTION, PromptMessage(Role.ASSISTANT, "", "Hm"))
    sampling = Sampling(greedy=True, max_new_tokens=tokens)
    return Request(messages=messages, continues=True, sampling=sampling, **how)  # type: ignore[arg-type]


def begun(loaded: Loaded) -> int:
    return len(loaded.prompts.build(thinking_on().messages, continues=True).begun_ids)


def within(loaded: Loaded, window: int) -> Loaded:
    return replace(loaded, info=replace(loaded.info, context_window=window))


def test_after_its_budget_the_thought_is_closed_and_the_answer_goes_on_as_the_model_would(
    thinker: Loaded,
) -> None:
    request = thinking_on(thinking_budget=begun(thinker) + 6)
    events = reply(thinker, request)
    run = run_of(events)
    closing = tuple(thinker.prompts.encode(CLOSING))
    assert run.thought_closed_at == begun(thinker) + 6
    assert run.token_ids[6 : 6 + len(closing)] == closing
    assert thinking_of(events)
    assert run.new_tokens == len(run.token_ids) <= 6 + len(closing) + 8
    prompt = thinker.prompts.build(request.messages, continues=True).ids
    whole = torch.tensor([[*prompt, *run.token_ids]])
    with torch.no_grad():
        likeliest = thinker.model(whole).logits[0].argmax(-1)
    answer = range(len(prompt) + 6 + len(closing), whole.shape[1])
    assert [int(likeliest[place - 1]) for place in answer] == whole[0, answer].tolist()
    again = replace(
        request, thinking_budget=run.thought_closed_at, most_tokens=len(run.token_ids), reuse=False
    )
    assert run_of(reply(thinker, again)).token_ids == run.token_ids


def test_a_thought_may_use_the_window_but_for_the_answers_room(thinker: Loaded) -> None:
    prompt = len(thinker.prompts.build(thinking_on().messages, continues=True).ids)
    small = within(thinker, prompt + 40)
    run = run_of(reply(small, thinking_on(tokens=7)))
    closing = len(thinker.prompts.encode(CLOSING))
    assert run.thought_closed_at == begun(thinker) + 40 - 7 - closing
    assert run.prompt_tokens + run.new_tokens <= prompt + 40


def test_an_answer_is_as_long_as_it_may_be_however_long_the_thought_was(thinker: Loaded) -> None:
    ids = ids_of(thinker, ", well.\n</think>\n\n")
    reply(thinker, thinking_on(tokens=1, thinking_budget=1))  # so that only tokens are chosen below
    with saying(thinker, [*ids, *[60] * 40]):
        events = reply(thinker, thinking_on(tokens=9))
    assert thinking_of(events).endswith(" well.")
    assert run_of(events).stop_reason == "length"
    assert text_of(events) == thinker.tokenizer.decode([60] * run_of(events).token_ids.count(60))
    assert 7 <= run_of(events).token_ids.count(60) <= 9  # the mark and its newlines may count as the answer's


def test_asked_for_the_answer_the_model_stops_thinking(thinker: Loaded) -> None:
    events: list[Event] = []

    def has_thought() -> bool:
        return any(isinstance(event, ThinkingDelta) for event in events)

    generate(thinker, thinking_on(), events.append, lambda: False, time.monotonic(), has_thought)
    run = run_of(events)
    assert begun(thinker) < run.thought_closed_at <= begun(thinker) + 8
    assert text_of(events)


def test_a_model_that_does_not_think_keeps_its_limit(thinker: Loaded) -> None:
    sampling = Sampling(greedy=True, max_new_tokens=5)
    run = run_of(reply(thinker, Request(messages=(QUESTION,), sampling=sampling, thinking=False)))
    assert run.new_tokens <= 5
    assert not run.thought_closed_at


EFFORT = (
    "{%- if reasoning_effort is defined %}{{- '<|im_start|>system\\nThink '"
    " + {'low': 'little', 'high': 'long'}.get(reasoning_effort, 'on') + '.<|im_end|>\\n' }}{%- endif %}"
)
"""As Qwen3.8's: an effort becomes a system message."""


def test_an_effort_changes_the_first_tokens_and_a_switch_at_the_end_does_not(tmp_path: Path) -> None:
    folder = tiny_models.qwen3(tmp_path / "model")
    template = folder / "chat_template.jinja"
    template.write_text(EFFORT + template.read_text())
    info = loaded_from(folder).info
    assert info.rereads == ("effort",)
    assert info.chat_format is not None
    assert {"low", "high"} <= set(info.chat_format.efforts)
    prompts = loaded_from(folder).prompts
    assert prompts.count((QUESTION,), "low").total > prompts.count((QUESTION,)).total


def test_without_thinking_a_reply_has_the_sampling_values_of_that_mode(thinker: Loaded) -> None:
    own = {"do_sample": True, "temperature": 1.0, "top_p": 0.95, "top_k": 20}
    loaded = replace(
        thinker,
        info=replace(thinker.info, sampling_defaults=own, can_think=True),
        defaults=GenerationConfig(**own),
    )
    sampling = Sampling(max_new_tokens=2, top_k=7)
    request = Request(messages=(QUESTION,), sampling=sampling)
    assert run_of(reply(loaded, request)).sampling == {**own, "top_k": 7, "max_new_tokens": 2}
    assert run_of(reply(loaded, replace(request, thinking=False))).sampling == {
        "do_sample": True,
        "temperature": 0.7,
        "top_p": 0.8,
        "top_k": 7,
        "presence_penalty": 1.5,
        "max_new_tokens": 2,
    }
