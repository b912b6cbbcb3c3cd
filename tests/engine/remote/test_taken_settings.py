"""What is sent of the settings, by each server's names, and what becomes of what it does not take."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from loopback_server import (
    Script,
    delta,
    end,
    with_events,
    with_json,
)
from remote_requests import HELLO, failure, reply

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import (
    NotTaken,
    PromptMessage,
    Sampling,
)
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.request_body import asking
from qwen_tui.engine.remote.server_kinds import TRANSFORMERS

Connect = Callable[..., RemoteEngine]


ALL = Sampling(
    seed=1, temperature=0.5, top_p=0.9, top_k=20, min_p=0.1, repetition_penalty=1.1, max_new_tokens=9
)


def notes(engine: RemoteEngine, request) -> list[NotTaken]:
    return [each for each in engine.stream(request, threading.Event()) if isinstance(each, NotTaken)]


@pytest.mark.parametrize(
    ("model", "wanted", "missing"),
    [
        ({"owned_by": "vllm"}, {"top_k": 20, "min_p": 0.1, "repetition_penalty": 1.1}, ""),
        ({"owned_by": "sglang"}, {"top_k": 20, "min_p": 0.1, "repetition_penalty": 1.1}, ""),
        ({"owned_by": "llamacpp"}, {"top_k": 20, "min_p": 0.1, "repeat_penalty": 1.1}, ""),
        ({"owned_by": "library"}, {}, "top_k, min_p, repetition_penalty"),
    ],
)
def test_each_server_gets_what_it_takes_by_its_own_names(
    connect: Connect, script: Script, model, wanted, missing: str
) -> None:
    script.serves({"id": "m"} | model)
    if model["owned_by"] == "library":
        script.answers["/api/version"] = with_json({"version": "0.12.0"})
    engine = connect()
    request = replace(HELLO, sampling=ALL)
    told = notes(engine, request)
    body = script.bodies()[-1]
    assert wanted.items() <= body.items()
    assert (body["temperature"], body["top_p"]) == (0.5, 0.9)
    assert not {"top_k", "min_p", "repetition_penalty", "repeat_penalty"} & (body.keys() - wanted.keys())
    assert [", ".join(each.names) for each in told] == ([missing] if missing else [])
    run = reply(engine, request)[2]
    assert run.not_taken == missing
    assert ("top_k" in run.sampling) is not bool(missing)
    assert notes(engine, request) == []  # said once


def test_penalties_and_stop_strings_are_the_protocols_own(connect: Connect, script: Script) -> None:
    request = replace(
        HELLO,
        sampling=Sampling(greedy=True, presence_penalty=1.5, frequency_penalty=0.2, stop=("###", "\n\n")),
    )
    script.serves({"id": "m", "owned_by": "vllm"})
    assert notes(connect(), request) == []
    asked = {"presence_penalty": 1.5, "frequency_penalty": 0.2, "stop": ["###", "\n\n"], "temperature": 0.0}
    assert asked.items() <= script.bodies()[-1].items()
    script.serves({"id": "m"})
    paths = {"/v1/chat/completions": {}, "/load_model": {}}
    script.answers["/openapi.json"] = with_json({"paths": paths})
    assert [each.names for each in notes(connect(), request)] == [("presence_penalty", "frequency_penalty")]
    assert script.bodies()[-1]["stop"] == ["###", "\n\n"]
    assert not {"presence_penalty", "frequency_penalty"} & script.bodies()[-1].keys()


@pytest.mark.parametrize(
    ("owner", "name"),
    [("vllm", "thinking_token_budget"), ("llamacpp", "reasoning_budget_tokens"), ("sglang", "")],
)
def test_effort_and_budget_of_thinking_have_the_servers_names(
    connect: Connect, script: Script, owner: str, name: str
) -> None:
    script.serves({"id": "m", "owned_by": owner})
    request = replace(HELLO, thinking="low", thinking_budget=300)
    missing = [] if name else [("thinking_budget",)]
    assert [each.names for each in notes(connect(), request)] == missing
    body = script.bodies()[-1]
    assert body["chat_template_kwargs"] == {"enable_thinking": True, "reasoning_effort": "low"}
    assert body.get(name) == (300 if name else None)
    assert body["max_tokens"] == 50 + 300


def test_a_thought_does_not_use_up_the_answer(connect: Connect, script: Script) -> None:
    thought = [delta(reasoning_content="hm ")] * 60
    script.replies(with_events(*thought, *map(delta, ["a "] * 70), end("length")))
    engine = connect()
    text, thinking, run = reply(engine, replace(HELLO, thinking=True))
    assert (thinking.count("hm"), text.count("a"), run.stop_reason) == (60, 50, "length")
    # From now on it is known that this model thinks unless it is asked not to.
    reply(engine, HELLO)
    assert script.bodies()[-1]["max_tokens"] > 50
    reply(engine, replace(HELLO, thinking=False))
    assert script.bodies()[-1]["max_tokens"] == 50


def test_a_parameter_that_is_refused_by_name_is_left_out_from_then_on(
    connect: Connect, script: Script
) -> None:
    def picky(handler, body) -> None:
        if "top_k" in body:
            detail = [{"loc": ["body", "top_k"], "msg": "Extra inputs are not permitted"}]
            with_json({"detail": detail}, 422)(handler, body)
        else:
            with_events(delta("Fine."), end())(handler, body)

    script.replies(picky)
    engine = connect()
    request = replace(HELLO, sampling=replace(ALL, min_p=None))
    text, _, run = reply(engine, request)
    assert (text, run.not_taken) == ("Fine.", "top_k")
    assert "top_k" not in run.sampling
    assert run.sampling["repetition_penalty"] == 1.1
    before = len(script.bodies())
    reply(engine, request)
    assert len(script.bodies()) == before + 1


def test_a_value_that_is_refused_is_told_and_another_one_is_sent_again(
    connect: Connect, script: Script
) -> None:
    def mild(handler, body) -> None:
        if body.get("temperature", 0) > 2:
            with_json({"error": {"message": "temperature must be in [0, 2]"}}, 400)(handler, body)
        else:
            with_events(delta("Fine."), end())(handler, body)

    script.replies(mild)
    engine = connect()
    hot = replace(HELLO, sampling=Sampling(temperature=5.0))
    events = list(engine.stream(hot, threading.Event()))
    assert [each.names for each in events if isinstance(each, NotTaken)] == [("temperature",)]
    assert events[-1].run.not_taken == "temperature"
    run = reply(engine, replace(HELLO, sampling=Sampling(temperature=0.5)))[2]
    assert (run.not_taken, run.sampling["temperature"]) == ("", 0.5)


def test_a_reply_is_not_begun_anew_where_it_cannot_be_continued(connect: Connect, script: Script) -> None:
    script.replies(with_json({"error": {"message": "continue_final_message is not supported"}}, 400))
    half = (*HELLO.messages, PromptMessage(Role.ASSISTANT, "Once upon"))
    assert failure(connect(), replace(HELLO, messages=half, continues=True))[1].code == "server.refused"
    assert len(script.bodies()) == 1


@pytest.mark.parametrize(
    "told",
    [
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (3000 in the",
        "The input (5000 tokens) is longer than the model's context length (4096 tokens).",
        "the request exceeds the available context size (4,096 tokens), try increasing it",
        "the model is loaded with context length of only 4096 tokens",
    ],
)
def test_a_window_that_a_server_tells_when_it_refuses_is_heeded_from_then_on(
    connect: Connect, script: Script, told: str
) -> None:
    script.replies(with_json({"error": {"message": told}}, 400))
    engine = connect()
    error = failure(engine)[1]
    assert error.code == "server.too_long"
    assert "4096" in str(error).replace(",", "")
    assert engine.info.context_window == 4096


def test_a_prompt_that_is_too_long_for_the_server_is_estimated_longer_from_then_on(
    connect: Connect, script: Script
) -> None:
    script.replies(with_json({"error": {"message": "prompt is too long"}}, 400))
    engine = connect()
    long = (PromptMessage(Role.USER, "word " * 1000),)
    before = engine.count(long).total
    assert failure(engine, replace(HELLO, messages=long))[1].code == "server.too_long"
    assert engine.count(long).total > 1.2 * before
    script.replies(with_events(delta("Now."), end(prompt_tokens=before)))
    reply(engine, replace(HELLO, messages=long))
    assert engine.count(long).total > 1.2 * before  # its window is smaller than assumed, whatever it counts


def test_a_server_that_nobody_knows_is_sent_all_and_the_doubt_is_told(
    connect: Connect, script: Script
) -> None:
    script.serves({"id": "m", "owned_by": "somebody"})
    (told,) = notes(connect(), replace(HELLO, sampling=ALL))
    assert not told.is_certain
    assert script.bodies()[-1]["top_k"] == 20


def test_no_more_is_asked_for_than_the_window_has_room_for(connect: Connect, script: Script) -> None:
    script.serves({"id": "m", "owned_by": "vllm", "max_model_len": 4096})
    script.answers["/tokenize"] = with_json({"count": 2900})
    engine = connect()
    run = reply(engine, replace(HELLO, sampling=Sampling(max_new_tokens=2048)))[2]
    assert script.bodies()[-1]["max_tokens"] == run.sampling["max_new_tokens"] == 1196
    script.answers["/tokenize"] = with_json({"count": 12})
    reply(engine, replace(HELLO, sampling=Sampling(max_new_tokens=2048)))
    assert script.bodies()[-1]["max_tokens"] == 2048


def test_greedy_is_temperature_0(connect: Connect, script: Script) -> None:
    reply(connect(), replace(HELLO, sampling=replace(ALL, greedy=True)))
    body = script.bodies()[-1]
    assert (body["temperature"], body["repetition_penalty"]) == (0.0, 1.1)
    assert "top_k" not in body


def test_thinking_is_asked_of_the_template(connect: Connect, script: Script) -> None:
    reply(connect(), replace(HELLO, thinking=False))
    assert script.bodies()[-1]["chat_template_kwargs"] == {"enable_thinking": False}


def test_no_key_means_no_header_and_a_key_is_in_none_of_what_is_kept(
    connect: Connect, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    reply(connect())
    assert "Authorization" not in script.seen[-1][3]
    monkeypatch.setenv("QWEN_TUI_API_KEY", "secret-key-of-the-server")
    engine = connect()
    _, _, run = reply(engine)
    assert script.seen[-1][3]["Authorization"] == "Bearer secret-key-of-the-server"
    assert "secret-key" not in repr(run) + repr(engine.info)
    script.replies(with_json({"error": {"message": "bad key: secret-key-of-the-server"}}, 401))
    assert "secret-key" not in json.dumps(failure(engine)[1].as_json())


@pytest.mark.parametrize(
    ("sampling", "told"),
    [
        (Sampling(temperature=0.7, seed=1), {"do_sample": True}),
        (Sampling(temperature=0.7, top_k=5), {"do_sample": True, "top_k": 5}),
        (Sampling(greedy=False), {"do_sample": True}),
        (Sampling(temperature=0.0, top_k=5), {"top_k": 5}),
        (Sampling(temperature=0.7, greedy=True), None),
        (Sampling(top_p=0.5, seed=1), None),
    ],
)
def test_a_temperature_makes_transformers_sample_whatever_the_checkpoint_does(
    sampling: Sampling, told: dict[str, object] | None
) -> None:
    body = asking(replace(HELLO, sampling=sampling), "m", TRANSFORMERS, 1, {}, 9).body
    assert json.loads(str(body.get("generation_config", "null"))) == told
