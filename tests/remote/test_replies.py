"""Replies from a server: streamed, stopped, broken off, refused, tried again."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import replace

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
from remote_requests import HELLO

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import (
    Finished,
    NotTaken,
    PromptMessage,
    PromptReady,
    Sampling,
    TextDelta,
    ThinkingDelta,
)
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.errors import QwenTuiError

Connect = Callable[..., RemoteEngine]


def reply(engine: RemoteEngine, request=HELLO, stop: threading.Event | None = None):
    """The text, the thinking and the run of a reply."""
    events = list(engine.stream(request, stop or threading.Event()))
    text = "".join(each.text for each in events if isinstance(each, TextDelta))
    thinking = "".join(each.text for each in events if isinstance(each, ThinkingDelta))
    assert isinstance(events[-1], Finished)
    return text, thinking, events[-1].run


def failure(engine: RemoteEngine, request=HELLO) -> tuple[str, QwenTuiError]:
    """What came before a reply failed, and why it did."""
    text = ""
    try:
        for each in engine.stream(request, threading.Event()):
            text += each.text if isinstance(each, TextDelta) else ""
    except QwenTuiError as error:
        return text, error
    raise AssertionError("it did not fail")


def test_a_reply_arrives_with_its_figures(connect: Connect, script: Script) -> None:
    engine = connect()
    events = list(engine.stream(HELLO, threading.Event()))
    assert isinstance(events[0], PromptReady)
    assert [each.text for each in events if isinstance(each, TextDelta)] == ["Hello", " there", "."]
    run = events[-1].run
    assert (run.prompt_tokens, run.new_tokens, run.stop_reason, run.seed) == (21, 3, "eos", 3)
    assert (run.model, run.decode_path, run.token_ids) == ("Qwen/Qwen2.5-72B-Instruct", "server", ())
    (body,) = script.bodies()
    assert body["messages"] == [{"role": "user", "content": "hello"}]
    assert (body["stream"], body["seed"], body["max_tokens"]) == (True, 3, 50)


@pytest.mark.parametrize("piece", [1, 2, 3, 7])
def test_the_pieces_of_the_stream_may_be_cut_anywhere(connect: Connect, script: Script, piece: int) -> None:
    said = [b": a comment\r\n\r\n", delta("你好"), delta("，🙂"), delta(" a\u2028b"), end()]
    script.replies(with_events(*said, piece=piece))
    assert reply(connect())[0] == "你好，🙂 a\u2028b"


def test_lines_may_end_in_carriage_returns_and_the_end_be_only_the_reason(
    connect: Connect, script: Script
) -> None:
    last = event({"choices": [{"delta": {}, "finish_reason": "length"}]})
    script.replies(with_events(delta("a").replace(b"\n", b"\r\n"), last.replace(b"\n", b"\r\n")))
    text, _, run = reply(connect())
    assert (text, run.stop_reason, run.new_tokens) == ("a", "length", 1)


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning"])
def test_reasoning_is_kept_apart(connect: Connect, script: Script, key: str) -> None:
    script.replies(with_events(delta(**{key: "Let me"}), delta(**{key: " see."}), delta("Yes."), end()))
    assert reply(connect())[:2] == ("Yes.", "Let me see.")


def test_thinking_in_the_text_is_kept_apart_too(connect: Connect, script: Script) -> None:
    script.replies(with_events(delta("<thi"), delta("nk>\nLet me see.\n</th"), delta("ink>\n\nYes."), end()))
    assert reply(connect())[:2] == ("Yes.", "Let me see.")


def test_a_server_that_does_not_stream_answers_in_one_piece(connect: Connect, script: Script) -> None:
    whole = {"choices": [{"message": {"content": "All at once."}, "finish_reason": "stop"}]}
    script.replies(with_json(whole))
    assert reply(connect())[0] == "All at once."


# --- Stopping -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", [b"", delta("Once upon")], ids=["silent", "in the middle"])
def test_a_stop_drops_the_request_at_once(connect: Connect, script: Script, says: bytes) -> None:
    def answer(handler, _) -> None:
        if says:
            handler.begin()
            handler.write(says)
        handler.wait_for_the_drop()

    script.replies(answer)
    engine, stop = connect(), threading.Event()
    stopped_at: list[float] = []

    def stop_soon() -> None:
        time.sleep(0.4)
        stopped_at.append(time.monotonic())
        stop.set()

    threading.Thread(target=stop_soon).start()
    text, _, run = reply(engine, stop=stop)
    assert time.monotonic() - stopped_at[0] < 0.2
    assert (text, run.stop_reason) == ("Once upon" if says else "", "stopped")
    assert script.gone.wait(2)
    script.replies(with_events(delta("Next."), end()))
    assert reply(engine)[0] == "Next."


def test_closing_the_iterator_drops_the_request(connect: Connect, script: Script) -> None:
    def answer(handler, _) -> None:
        handler.begin()
        handler.write(delta("one"))
        handler.wait_for_the_drop()

    script.replies(answer)
    events = connect().stream(HELLO, threading.Event())
    while not isinstance(next(events), TextDelta):
        pass
    events.close()
    assert script.gone.wait(2)


def test_a_stop_ends_the_wait_for_the_next_attempt(connect: Connect, script: Script) -> None:
    script.replies(with_json({"error": {"message": "slow down"}}, 429, Retry_After="20"))
    engine, stop = connect(), threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    assert reply(engine, stop=stop)[2].stop_reason == "stopped"
    assert time.monotonic() - began < 1.5


# --- What goes wrong ----------------------------------------------------------------------------------------


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
    assert reply(connect())[0] == "Now."
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
    began = time.monotonic()
    assert failure(connect())[1].code == "server.busy"
    assert time.monotonic() - began < 2


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
    began = time.monotonic()
    text, error = failure(engine)
    assert (text, error.code) == ("", "server.silent")
    assert time.monotonic() - began < 3
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


# --- What a server takes ------------------------------------------------------------------------------------

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


def test_a_closed_engine_says_so(connect: Connect) -> None:
    engine = connect()
    engine.close()
    engine.close()
    assert not engine.alive
    with pytest.raises(QwenTuiError, match="unloaded"):
        list(engine.stream(HELLO, threading.Event()))
