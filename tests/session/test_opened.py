"""A conversation that is opened is read ahead: its next reply begins as soon as in the middle of the talk."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doubles import QWEN, Reply, ScriptedEngine
from waiting import wait_for

from qwen_tui.chat.messages import Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import StopFlag, TextDelta, TokenCounts
from qwen_tui.errors import QwenTuiError
from qwen_tui.session import turn_queue as turns
from qwen_tui.session.requests import Send
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import Shown, Turn, TurnEnded, TurnQueue
from qwen_tui.settings.options import Settings


@pytest.fixture
def queue(monkeypatch: pytest.MonkeyPatch) -> Iterator[TurnQueue]:
    monkeypatch.setattr(turns, "REST_SECONDS", 0.1)
    queue = TurnQueue()
    yield queue
    queue.close(1.0)


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations")


def talked(store: ConversationStore, *texts: str) -> ChatSession:
    session = ChatSession(store.create(), store)
    for text in texts:
        engine = ScriptedEngine([Reply([f"re: {text}"])])
        list(session.send(text, Settings(), engine, threading.Event()))
    return session


def test_what_was_said_is_read_when_it_has_been_shown_for_a_moment(
    queue: TurnQueue, store: ConversationStore
) -> None:
    engine = ScriptedEngine(info=QWEN)
    queue.use(engine)
    began = time.monotonic()
    queue.read_ahead(talked(store, "a", "b"), Settings)
    wait_for(lambda: engine.prepared)
    assert time.monotonic() - began >= 0.1
    assert [message.content for message in engine.prepared[0]] == ["a", "re: a", "b", "re: b"]
    time.sleep(0.3)
    assert len(engine.prepared) == 1


def test_those_that_are_only_walked_past_are_not_read(queue: TurnQueue, store: ConversationStore) -> None:
    engine = ScriptedEngine(info=QWEN)
    queue.use(engine)
    for name in ("one", "two", "three"):
        queue.read_ahead(talked(store, name), Settings)
    wait_for(lambda: engine.prepared)
    time.sleep(0.2)
    assert [[message.content for message in each] for each in engine.prepared] == [["three", "re: three"]]


def test_it_waits_for_an_engine(queue: TurnQueue, store: ConversationStore) -> None:
    queue.read_ahead(talked(store, "a"), Settings)
    time.sleep(0.2)
    engine = ScriptedEngine(info=QWEN)
    queue.use(engine)
    wait_for(lambda: engine.prepared)


def test_a_cpu_reads_what_is_shown_once_a_message_is_written(
    queue: TurnQueue, store: ConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    began: list[ChatSession] = []
    monkeypatch.setattr(turns, "_read_ahead", lambda shown, *_: began.append(shown.session))
    slow, fast = ScriptedEngine(), ScriptedEngine(info=QWEN)
    one, other = talked(store, "one"), talked(store, "other")
    queue.use(slow)
    queue.read_ahead(one, Settings)
    queue.note_writing()
    wait_for(lambda: began == [one])
    queue.read_ahead(other, Settings)  # looking at another is free
    assert not Shown(other, Settings).is_read_by(slow)
    assert Shown(other, Settings).is_read_by(fast)
    queue.note_writing()
    wait_for(lambda: began == [one, other])


def contents(engine: ScriptedEngine) -> list[list[str]]:
    return [[message.content for message in each] for each in engine.prepared]


def test_another_engine_reads_what_is_shown_too(queue: TurnQueue, store: ConversationStore) -> None:
    first, second = ScriptedEngine(info=QWEN), ScriptedEngine(info=QWEN)
    queue.use(first)
    queue.read_ahead(talked(store, "a"), Settings)
    wait_for(lambda: first.prepared)
    queue.use(None)
    queue.use(first)
    time.sleep(0.3)
    assert contents(first) == [["a", "re: a"]]
    queue.use(second)
    wait_for(lambda: second.prepared)
    assert contents(second) == [["a", "re: a"]]


def test_what_is_not_looked_at_any_more_is_given_up_at_once(
    queue: TurnQueue, store: ConversationStore
) -> None:
    engine = ScriptedEngine(info=QWEN)
    queue.use(engine)
    shown = talked(store, "a")
    queue.read_ahead(shown, Settings)
    wait_for(lambda: engine.prepared)
    queue.read_ahead(shown, Settings)
    assert contents(engine) == [["a", "re: a"]]
    queue.read_ahead(talked(store), Settings)
    assert contents(engine)[-1] == []


def test_other_settings_are_read_with(queue: TurnQueue, store: ConversationStore) -> None:
    engine, shown = ScriptedEngine(info=QWEN), talked(store, "a")
    queue.use(engine)
    queue.read_ahead(shown, Settings)
    wait_for(lambda: engine.prepared)
    queue.read_ahead(shown, lambda: Settings(system_prompt="Be brief."))
    wait_for(lambda: len(engine.prepared) == 2)
    assert contents(engine)[-1] == ["Be brief.", "a", "re: a"]


def test_a_reply_that_was_stopped_is_read_when_it_is_opened(
    queue: TurnQueue, store: ConversationStore
) -> None:
    session, gate, stop = ChatSession(store.create(), store), threading.Event(), threading.Event()
    for event in session.send("a", Settings(), ScriptedEngine([Reply(["so ", "far"], gate=gate)]), stop):
        if isinstance(event, TextDelta):
            stop.set()
    assert session.conversation.path()[-1].status is Status.STOPPED
    engine = ScriptedEngine(info=QWEN)
    queue.use(engine)
    queue.read_ahead(session, Settings)
    wait_for(lambda: engine.prepared)
    assert contents(engine) == [["a", "so "]]


def test_a_message_does_not_wait_until_a_long_history_is_counted(
    queue: TurnQueue, store: ConversationStore
) -> None:
    counting = threading.Event()

    class Slow(ScriptedEngine):
        def count(self, *messages: Any, stop: StopFlag | None = None, **asked: Any) -> TokenCounts:
            if not counting.is_set():
                counting.set()
                assert stop is not None
                wait_for(stop.is_set)
                raise QwenTuiError("engine.stopped_early")
            return super().count(*messages, stop=stop, **asked)

    session, engine = talked(store, "a"), Slow([Reply(["yes"])], info=QWEN)
    queue.use(engine)
    queue.read_ahead(session, Settings)
    assert counting.wait(5)
    queue.submit(Turn(session, Send("b"), Settings))
    wait_for(lambda: any(isinstance(each.event, TurnEnded) for each in queue.drain()))
    assert session.conversation.path()[-1].content == "yes"


def test_a_message_comes_first_and_is_all_that_is_read_ahead_of(
    queue: TurnQueue, store: ConversationStore
) -> None:
    session, engine = talked(store, "a"), ScriptedEngine([Reply(["yes"])])
    queue.use(engine)
    queue.read_ahead(session, Settings)
    queue.submit(Turn(session, Send("b"), Settings))
    wait_for(lambda: any(isinstance(each.event, TurnEnded) for each in queue.drain()))
    time.sleep(0.3)
    assert [[message.content for message in each] for each in engine.prepared] == [["a", "re: a", "b", "yes"]]


def test_where_nothing_was_answered_there_is_nothing_to_read(
    queue: TurnQueue, store: ConversationStore
) -> None:
    engine = ScriptedEngine(info=QWEN)
    queue.use(engine)
    queue.read_ahead(talked(store), Settings)
    time.sleep(0.3)
    assert engine.prepared == []


def test_an_engine_that_fails_at_it_answers_all_the_same(queue: TurnQueue, store: ConversationStore) -> None:
    class Failing(ScriptedEngine):
        def prepare(self, *_: object) -> None:
            raise OSError("the pipe is gone")

    session, engine = talked(store, "a"), Failing([Reply(["yes"])])
    queue.use(engine)
    queue.read_ahead(session, Settings)
    time.sleep(0.3)
    queue.submit(Turn(session, Send("b"), Settings))
    wait_for(lambda: any(isinstance(each.event, TurnEnded) for each in queue.drain()))
