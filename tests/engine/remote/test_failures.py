"""What goes wrong in a reply from a server: refused, broken off, tried again, strange."""

import socket
import struct
import threading
from collections.abc import Callable

import pytest
from loopback_server import (
    Script,
    delta,
    end,
    event,
    one_after_the_other,
    with_events,
    with_json,
)
from remote_requests import HELLO, failure, reply

from qwen_tui.engine.base import TextDelta, TriesAgain
from qwen_tui.engine.remote.engine import RemoteEngine

Connect = Callable[..., RemoteEngine]


def test_a_reply_that_breaks_off_keeps_what_came(connect: Connect, script: Script) -> None:
    script.replies(with_events(delta("Once"), delta(" upon")))
    text, error = failure(connect())
    assert (text, error.code) == ("Once upon", "server.broke_off")
    assert len(script.bodies()) == 1


def test_an_error_in_mid_stream_is_told(connect: Connect, script: Script) -> None:
    script.replies(
        with_events(delta("Once"), event({"error": {"message": "CUDA out of memory", "code": 500}}))
    )
    text, error = failure(connect())
    assert (text, error.code) == ("Once", "server.error")
    assert "CUDA out of memory" in str(error)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "server.refused"),
        (401, "server.key_wanted"),
        (403, "server.forbidden"),
        (404, "server.not_found"),
        (500, "server.failed"),
    ],
)
def test_a_refusal_is_explained_and_not_tried_again(
    connect: Connect, script: Script, status: int, code: str
) -> None:
    script.replies(with_json({"error": {"message": "the reason\x1b[31m"}}, status))
    text, error = failure(connect())
    assert (text, error.code) == ("", code)
    assert "the reason" in str(error)
    assert "\x1b" not in str(error)
    assert len(script.bodies()) == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_what_may_pass_is_tried_again_before_the_first_token(
    connect: Connect, script: Script, status: int
) -> None:
    refused = with_json({"error": "later"}, status, Retry_After="0")
    script.replies(one_after_the_other(refused, refused, with_events(delta("Now."), end())))
    events = list(connect().stream(HELLO, threading.Event()))
    assert [each for each in events if isinstance(each, TextDelta)] == [TextDelta("Now.")]
    told = [each for each in events if isinstance(each, TriesAgain)]
    assert [(each.attempt, each.attempts, each.status) for each in told] == [(2, 5, status), (3, 5, status)]
    assert len(script.bodies()) == 3


def test_a_connection_that_is_cut_before_the_first_token_is_tried_again(
    connect: Connect, script: Script
) -> None:
    def cut(handler, _) -> None:
        handler.connection.shutdown(socket.SHUT_RDWR)
        handler.close_connection = True

    script.replies(one_after_the_other(cut, with_events(delta("Now."), end())))
    assert reply(connect())[0] == "Now."


def test_a_wait_that_is_too_long_is_left_to_the_person(connect: Connect, script: Script) -> None:
    script.replies(with_json({"detail": "come back tomorrow"}, 429, Retry_After="86400"))
    assert failure(connect())[1].code == "server.busy"


def test_a_server_that_falls_silent_in_mid_reply_leaves_what_came(connect: Connect, script: Script) -> None:
    def answer(handler, _) -> None:
        handler.begin()
        handler.write(delta("Once"))
        handler.wait_for_the_drop()

    script.replies(answer)
    text, error = failure(connect())
    assert (text, error.code) == ("Once", "server.stalled")


def test_a_server_that_stays_silent_is_given_up(connect: Connect, script: Script) -> None:
    script.replies(lambda handler, _: handler.wait_for_the_drop())
    engine = connect()
    text, error = failure(engine)
    assert (text, error.code) == ("", "server.silent")
    assert len(script.bodies()) == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"data: {not json\n\n",
        b"data: [1, 2]\n\n",
        b'data: {"object": "something else"}\n\n',
        b"\xff\xfe\x00\x01" * 100 + b"\n\n",
        b"data: " + b"[" * 100_000 + b"\n\n",
    ],
)
def test_garbage_is_named(connect: Connect, script: Script, garbage: bytes) -> None:
    script.replies(with_events(delta("Once"), garbage))
    text, error = failure(connect())
    assert text == "Once"
    assert error.code in ("server.garbled", "server.broke_off")


def test_an_event_without_an_end_does_not_fill_the_memory(connect: Connect, script: Script) -> None:
    def answer(handler, _) -> None:
        handler.begin()
        handler.write(b"data: ")
        for _ in range(40):
            handler.write(b"x" * (1 << 20))

    script.replies(answer)
    assert failure(connect())[1].code == "server.garbled"


def test_a_web_page_is_no_reply(connect: Connect, script: Script) -> None:
    script.replies(lambda handler, _: handler.send(200, "text/html", b"<html>Welcome!</html>"))
    assert failure(connect())[1].code == "server.garbled"


@pytest.mark.parametrize("first", [b"\xef\xbb\xbf", b"retry: 3000\n\n", b"event: ping\ndata:\n\n"])
def test_what_stands_before_the_first_text_takes_nothing_from_it(
    connect: Connect, script: Script, first: bytes
) -> None:
    script.replies(with_events(first, delta("Hello"), end()))
    assert reply(connect())[0] == "Hello"


@pytest.mark.parametrize("between", [{"type": "ping"}, {}, {"timings": {"predicted_ms": 3}}])
def test_objects_of_other_kinds_in_between_end_nothing(connect: Connect, script: Script, between) -> None:
    script.replies(with_events(delta("Hel"), event(between), delta("lo"), end()))
    assert reply(connect())[0] == "Hello"


def test_the_end_may_come_without_a_reason(connect: Connect, script: Script) -> None:
    script.replies(with_events(delta("All of it"), b"data: [DONE]\n\n"))
    text, _, run = reply(connect())
    assert (text, run.stop_reason) == ("All of it", "eos")


@pytest.mark.parametrize("is_cut", [True, False], ids=["cut", "kept open"])
def test_a_reply_with_its_end_is_whole_however_the_connection_ends(
    connect: Connect, script: Script, is_cut: bool
) -> None:
    def answer(handler, _) -> None:
        handler.begin()
        handler.write(delta("All of it") + end().replace(b"data: [DONE]\n\n", b""))
        if is_cut:
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.shutdown(socket.SHUT_RD)
        else:
            handler.wait_for_the_drop()

    script.replies(answer)
    text, _, run = reply(connect())
    assert (text, run.stop_reason) == ("All of it", "eos")


@pytest.mark.parametrize("reason", ["abort", "error"])
def test_a_reply_that_the_server_gave_up_can_be_continued(
    connect: Connect, script: Script, reason: str
) -> None:
    script.replies(with_events(delta("Once"), end(reason)))
    text, error = failure(connect())
    assert (text, error.code) == ("Once", "server.broke_off")


def test_an_error_may_stand_by_itself_in_the_stream(connect: Connect, script: Script) -> None:
    told = {"object": "error", "message": "CUDA out of memory", "code": 500}
    script.replies(with_events(delta("Once"), event(told), b"data: [DONE]\n\n"))
    text, error = failure(connect())
    assert (text, error.code) == ("Once", "server.error")
    assert "CUDA out of memory" in str(error)


def test_impossible_figures_are_taken_for_none(connect: Connect, script: Script) -> None:
    script.replies(with_events(delta("a"), end(prompt_tokens=10**400, completion_tokens=10**400)))
    run = reply(connect())[2]
    assert (run.prompt_tokens, run.new_tokens) == (0, 1)


def test_a_wait_in_strange_digits_is_no_number(connect: Connect, script: Script) -> None:
    busy = with_json({"error": "later"}, 503, Retry_After="\xb2")
    script.replies(one_after_the_other(busy, with_events(delta("Now."), end())))
    assert reply(connect())[0] == "Now."


def test_strange_values_in_the_protocol_are_taken_for_nothing(connect: Connect, script: Script) -> None:
    strange = [
        event({"choices": []}),
        event({"choices": [None]}),
        event({"choices": [{"delta": None}]}),
        event({"choices": [{"delta": {"content": 7}, "finish_reason": 3}]}),
        event({"choices": [{"delta": {"content": "a"}}], "usage": None}),
        event({"choices": [], "usage": {"prompt_tokens": -5, "completion_tokens": True}}),
    ]
    script.replies(with_events(*strange, end(completion_tokens=1)))
    text, _, run = reply(connect())
    assert (text, run.new_tokens) == ("a", 1)
