"""Replies from a server: streamed, stopped, broken off, refused, tried again."""

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
    with_events,
    with_json,
)
from remote_requests import HELLO, reply
from waiting import HANGS, wait_for

from qwen_tui.engine.base import (
    PromptReady,
    Sampling,
    TextDelta,
)
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.errors import QwenTuiError

Connect = Callable[..., RemoteEngine]


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


def test_newlines_after_reasoning_belong_to_it_and_what_was_held_back_before_is_not_lost(
    connect: Connect, script: Script
) -> None:
    pieces = [delta("\n"), delta("<"), delta(reasoning="a"), delta(reasoning="b"), delta("\n\nYes."), end()]
    script.replies(with_events(*pieces))
    assert reply(connect())[:2] == ("\n<Yes.", "ab")
    script.replies(with_events(delta("\n"), delta(reasoning="a"), delta("\n"), delta("\nYes.\n"), end()))
    assert reply(connect())[:2] == ("Yes.\n", "a")


def test_thinking_in_the_text_is_kept_apart_too(connect: Connect, script: Script) -> None:
    script.replies(with_events(delta("<thi"), delta("nk>\nLet me see.\n</th"), delta("ink>\n\nYes."), end()))
    assert reply(connect())[:2] == ("Yes.", "Let me see.")


@pytest.mark.parametrize("begins", ["", "<think>\n", "\n"])
def test_a_model_that_always_thinks_may_close_what_its_template_opened(
    connect: Connect, script: Script, begins: str
) -> None:
    script.serves({"id": "Qwen/Qwen3-4B-Thinking-2507", "owned_by": "vllm"})
    script.replies(with_events(delta(f"{begins}Let me"), delta(" see.\n</th"), delta("ink>\n\nYes."), end()))
    assert reply(connect())[:2] == ("Yes.", "Let me see.")
    script.replies(with_events(delta(reasoning="Let me see."), delta("Yes."), end()))
    assert reply(connect())[:2] == ("Yes.", "Let me see.")


def test_a_closing_tag_alone_on_its_line_ends_a_thought_that_nothing_opened(
    connect: Connect, script: Script
) -> None:
    script.replies(with_events(delta("17 * 3 = 51.\n</th"), delta("ink>\n\n**51**"), end()))
    assert reply(connect())[:2] == ("**51**", "17 * 3 = 51.")
    about_the_tag = "<think> is a tag that models write."
    script.replies(with_events(delta(about_the_tag), end()))
    assert reply(connect())[:2] == (about_the_tag, "")


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
    began = threading.Event()

    def stop_when_it_has_begun() -> None:
        wait_for(script.bodies)
        assert not says or began.wait(HANGS)
        stop.set()

    threading.Thread(target=stop_when_it_has_begun).start()
    text, _, run = reply(engine, stop=stop, began=began)
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
    script.replies(with_json({"error": {"message": "slow down"}}, 429, Retry_After="30"))
    engine, stop = connect(), threading.Event()
    threading.Timer(0.3, stop.set).start()
    began = time.monotonic()
    assert reply(engine, stop=stop)[2].stop_reason == "stopped"
    assert time.monotonic() - began < 30  # what the server asked for


def test_a_closed_engine_says_so(connect: Connect) -> None:
    engine = connect()
    engine.close()
    engine.close()
    assert not engine.alive
    with pytest.raises(QwenTuiError, match="unloaded"):
        list(engine.stream(HELLO, threading.Event()))


@pytest.mark.parametrize(
    "parts", [["One. Two. Thr", "ee."], ["One", ". T", "wo", ". Three."], list("One. Two. Three.")]
)
def test_a_server_that_sends_the_stop_string_too_is_cut_before_it(
    connect: Connect, script: Script, parts: list[str]
) -> None:
    """As `transformers serve` does, and one that goes on regardless."""
    script.replies(with_events(*map(delta, parts), end()))
    request = replace(HELLO, sampling=Sampling(stop=("Two", "Three")))
    text, _, run = reply(connect(), request)
    assert (text, run.stop_reason) == ("One. ", "eos")
    script.replies(with_events(delta("One. T"), end()))
    assert reply(connect(), request)[0] == "One. T"
