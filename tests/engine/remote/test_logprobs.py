"""Servers that tell how likely tokens were: their `logprobs` become traces, in whatever shape they come."""

import math
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from loopback_server import Script, delta, end, event, with_events
from remote_requests import HELLO

from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.logprobs import traces
from qwen_tui.engine.trace import Traced, packed, unpacked
from qwen_tui.errors import QwenTuiError

Connect = Callable[..., RemoteEngine]


def told(token: str, logprob: object, **more: object) -> dict[str, object]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode()), **more}


def piece(text: str, *top: dict[str, object]) -> bytes:
    choice = {"delta": {"content": text}, "logprobs": {"content": [{**top[0], "top_logprobs": list(top)}]}}
    return event({"choices": [choice]})


def test_a_traced_reply_asks_for_logprobs_and_sends_them_before_the_text(
    connect: Connect, script: Script
) -> None:
    half = {"token": "\\xe5", "logprob": -0.5, "bytes": [0xE5]}
    script.replies(with_events(piece("Hi", told("Hi", -0.1), told("Ho", -3.0, id=7)), piece("", half), end()))
    events = list(connect().stream(replace(HELLO, trace=True), threading.Event()))
    traced = [trace for each in events if isinstance(each, Traced) for trace in each.tokens]
    assert [trace.chosen.text for trace in traced] == [b"Hi", b"\xe5"]
    assert [one.id for one in traced[0].candidates] == [-1, 7]
    assert (traced[0].rank, traced[0].chance) == (1, pytest.approx(math.exp(-0.1)))
    assert not traced[0].is_measured
    assert 0 < traced[0].entropy < 1
    assert unpacked(packed(traced))[0].candidates[1].id == 7
    (body,) = script.bodies()
    assert (body["logprobs"], body["top_logprobs"]) == (True, 20)


def test_an_untraced_reply_asks_for_nothing(connect: Connect, script: Script) -> None:
    script.replies(with_events(piece("Hi", told("Hi", -0.1)), end()))
    events = list(connect().stream(HELLO, threading.Event()))
    assert not any(isinstance(each, Traced) for each in events)
    assert "logprobs" not in script.bodies()[0]


@pytest.mark.parametrize(
    "choice",
    [
        None,
        {},
        {"logprobs": None},
        {"logprobs": {"content": None}},
        {"logprobs": {"content": [None, 3, {"token": 3}, {"token": "a", "logprob": "b"}]}},
        {"logprobs": {"content": [told("a", math.nan)]}},
    ],
)
def test_what_is_not_as_the_protocol_says_is_left_out(choice: object) -> None:
    assert traces(choice) == ()


def test_an_odd_candidate_does_not_cost_the_others() -> None:
    (trace,) = traces(
        {"logprobs": {"content": [{**told("a", -9999), "top_logprobs": [told("b", 0.0), None]}]}}
    )
    assert trace.rank == 2
    assert trace.chance == 0
    assert [one.text for one in trace.candidates] == [b"b"]


def test_a_server_is_not_asked_to_begin_with_tokens(connect: Connect, script: Script) -> None:
    script.replies(with_events(delta("Hi"), end()))
    with pytest.raises(QwenTuiError) as raised:
        list(connect().stream(replace(HELLO, given_ids=(3,)), threading.Event()))
    assert raised.value.code == "server.cannot_branch"
