"""The same request with the same seed gives the same tokens: here, later, and in another process."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from loaded_models import loaded_from
from test_generation import reply, run_of

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import Finished, ModelSpec, PromptMessage, Request, Sampling, TextDelta
from qwen_tui.engine.client import LocalEngine
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.opening import open_engine
from qwen_tui.engine.sampling import sampling_of
from qwen_tui.guide import model_folder

QUESTION = (PromptMessage(Role.USER, "What is a token? " * 40),)
"""Long enough to be read in more than one chunk."""

SAMPLINGS: list[dict[str, Any]] = [
    {},
    {"greedy": True},
    {"greedy": True, "repetition_penalty": 1.3},
    {"temperature": 0.0, "top_p": 0.5},
    {"temperature": 1.7, "top_p": 1.0, "top_k": 0},
    {"temperature": 1.2, "min_p": 0.05, "top_k": 7, "repetition_penalty": 1.1},
]


@pytest.fixture(scope="module")
def guide() -> Loaded:
    return loaded_from(model_folder())


def asking(**sampling: Any) -> Request:
    return Request(messages=QUESTION, sampling=Sampling(max_new_tokens=24, **sampling))


def finished(engine: LocalEngine, request: Request) -> Run:
    (*_, event) = engine.stream(request, threading.Event())
    assert isinstance(event, Finished)
    return event.run


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("model", ["qwen2", "qwen3", "guide"])
def test_a_receipt_holds_all_that_repeats_its_reply(
    model: str, sampling: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    loaded: Loaded = request.getfixturevalue(model)
    run = run_of(reply(loaded, asking(**sampling)))
    reply(loaded, asking(seed=run.seed + 1, temperature=2.0))
    again = run_of(reply(loaded, Request(messages=QUESTION, sampling=sampling_of(run))))
    assert again.token_ids == run.token_ids
    assert again.prompt_digest == run.prompt_digest
    assert again.stop_reason == run.stop_reason
    assert sampling_of(again) == sampling_of(run)


def test_a_stopped_reply_is_repeated_up_to_where_it_was_stopped(qwen2: Loaded) -> None:
    # At random it could say that it has finished before it is stopped.
    request = replace(asking(), sampling=Sampling(max_new_tokens=400, temperature=1.5), ignores_end=True)
    run = run_of(reply(qwen2, request, lambda seen: sum(isinstance(e, TextDelta) for e in seen) > 1))
    assert run.stop_reason == "stopped"
    again = run_of(reply(qwen2, replace(request, sampling=sampling_of(run))))
    assert again.token_ids == run.token_ids


def test_a_continued_run_is_repeated_from_what_it_continued(qwen2: Loaded) -> None:
    cut = PromptMessage(Role.ASSISTANT, "A token is")
    request = Request(messages=(*QUESTION, cut), continues=True, sampling=Sampling(max_new_tokens=20))
    run = run_of(reply(qwen2, request))
    again = run_of(reply(qwen2, replace(request, sampling=sampling_of(run))))
    assert (again.token_ids, again.prompt_digest) == (run.token_ids, run.prompt_digest)


@pytest.mark.usefixtures("plain_start")
def test_another_process_gives_the_same_tokens(log_file: Path, guide: Loaded) -> None:
    here = [run_of(reply(guide, asking(seed=5, **sampling))).token_ids for sampling in SAMPLINGS]
    spec = ModelSpec(model="guide", device="cpu")
    engine = open_engine(spec, log_file, lambda _: None, threading.Event())
    assert isinstance(engine, LocalEngine)
    there = [finished(engine, asking(seed=5, **sampling)).token_ids for sampling in SAMPLINGS]
    backwards = [finished(engine, asking(seed=5, **sampling)).token_ids for sampling in SAMPLINGS[::-1]]
    engine.close()
    assert there == backwards[::-1] == here


def test_a_receipt_from_a_file_that_someone_changed_does_no_harm() -> None:
    changed = {"do_sample": True, "temperature": "hot", "top_k": None, "top_p": [1], "unknown": 3}
    sampling = sampling_of(Run(model="x", seed=3, sampling=changed))
    assert (sampling.temperature, sampling.top_k, sampling.top_p) == (None, None, None)
    assert sampling_of(Run(model="x", seed=3)) == Sampling(seed=3, max_new_tokens=1)
