"""A conversation that is opened is read ahead: its next reply begins as soon as in the middle of the talk."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from doubles import INFO, QWEN, Reply, ScriptedEngine
from waiting import HANGS, wait_for

from qwen_tui.chat.messages import Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import StopFlag, TextDelta, TokenCounts
from qwen_tui.errors import QwenTuiError
from qwen_tui.session import turn_queue as turns
from qwen_tui.session.requests import Send
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import Turn, TurnEnded, TurnQueue
from qwen_tui.settings.options import Settings


class Watched(ScriptedEngine):
    """Counts how often the queue looks whether it is alive: each time that it decides what is next."""

    looks = 0

    @property
    def alive(self) -> bool:
        self.looks += 1
        return True

    @alive.setter
    def alive(self, _: bool) -> None:
        pass


class Clock:
    """The time that a queue sees: it passes when a test says so."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


class Stage(NamedTuple):
    """A queue and its clock."""

    queue: TurnQueue
    clock: Clock

    def passes(self, seconds: float, engine: Watched) -> None:
        """Let time pass, and the queue do what is due then.

        If it decides to read, it decides about the next thing only when that is done.
        """
        for elapsed in (seconds, 0.0):
            with self.queue._changed:
                looks = engine.looks
                self.clock.now += elapsed
                self.queue._changed.notify_all()
            wait_for(lambda before=looks: engine.looks > before)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setattr(turns, "time", clock := Clock())
    stage = Stage(TurnQueue(), clock)
    yield stage
    stage.queue.close(HANGS)


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations")


def talked(store: ConversationStore, *texts: str) -> ChatSession:
    session = ChatSession(store.create(), store)
    for text in texts:
        engine = ScriptedEngine([Reply([f"re: {text}"])])
        list(session.send(text, Settings(), engine, threading.Event()))
    return session


def contents(engine: ScriptedEngine) -> list[list[str]]:
    return [[message.content for message in each] for each in engine.prepared]


def test_what_was_said_is_read_once_when_it_has_been_shown_for_a_moment(
    stage: Stage, store: ConversationStore
) -> None:
    engine = Watched(info=QWEN)
    stage.queue.use(engine)
    stage.queue.read_ahead(talked(store, "a", "b"), Settings)
    stage.passes(0.9 * turns.REST_SECONDS, engine)
    assert engine.prepared == []
    for seconds in (0.2, 100.0):
        stage.passes(seconds * turns.REST_SECONDS, engine)
        assert contents(engine) == [["a", "re: a", "b", "re: b"]]


def test_those_that_are_only_walked_past_are_not_read(stage: Stage, store: ConversationStore) -> None:
    engine = Watched(info=QWEN)
    stage.queue.use(engine)
    for name in ("one", "two", "three"):
        stage.queue.read_ahead(talked(store, name), Settings)
        stage.passes(0.9 * turns.REST_SECONDS, engine)
        assert engine.prepared == []
    stage.passes(100.0, engine)
    assert contents(engine) == [["three", "re: three"]]


def test_it_waits_for_an_engine(stage: Stage, store: ConversationStore) -> None:
    stage.queue.read_ahead(talked(store, "a"), Settings)
    stage.clock.now += 100.0
    engine = Watched(info=QWEN)
    stage.queue.use(engine)
    stage.passes(100.0, engine)
    assert contents(engine) == [["a", "re: a"]]


def test_a_cpu_reads_what_is_shown_only_once_a_message_is_written(
    stage: Stage, store: ConversationStore
) -> None:
    engine, one, other = Watched(info=INFO), talked(store, "one"), talked(store, "other")
    stage.queue.use(engine)
    for shown, read in (
        (one, [["one", "re: one"]]),
        (other, [["one", "re: one"], [], ["other", "re: other"]]),
    ):
        before = contents(engine)
        stage.queue.read_ahead(shown, Settings)
        stage.queue.note_writing(is_new=False)  # only its draft was restored
        stage.passes(100.0, engine)
        assert [each for each in contents(engine) if each] == before
        stage.queue.note_writing()
        stage.passes(100.0, engine)
        assert contents(engine) == read


def test_another_engine_reads_what_is_shown_too(stage: Stage, store: ConversationStore) -> None:
    first, second = Watched(info=QWEN), Watched(info=QWEN)
    stage.queue.use(first)
    stage.queue.read_ahead(talked(store, "a"), Settings)
    stage.passes(100.0, first)
    stage.queue.use(None)
    stage.queue.use(first)
    stage.passes(100.0, first)
    assert contents(first) == [["a", "re: a"]]
    stage.queue.use(second)
    stage.passes(100.0, second)
    assert contents(second) == [["a", "re: a"]]


def test_what_is_not_looked_at_any_more_is_given_up_at_once(stage: Stage, store: ConversationStore) -> None:
    engine, queue = Watched(info=QWEN), stage.queue
    queue.use(engine)
    shown = talked(store, "a")
    queue.read_ahead(shown, Settings)
    stage.passes(100.0, engine)
    queue.read_ahead(shown, Settings)
    assert contents(engine) == [["a", "re: a"]]
    queue.read_ahead(talked(store), Settings)
    assert contents(engine)[-1] == []


def test_other_settings_are_read_with(stage: Stage, store: ConversationStore) -> None:
    engine, shown = Watched(info=QWEN), talked(store, "a")
    stage.queue.use(engine)
    for settings in (Settings(), Settings(system_prompt="Be brief.")):
        stage.queue.read_ahead(shown, lambda settings=settings: settings)
        stage.passes(100.0, engine)
    assert contents(engine)[-1] == ["Be brief.", "a", "re: a"]


def test_a_reply_that_was_stopped_is_read_when_it_is_opened(stage: Stage, store: ConversationStore) -> None:
    session, gate, stop = ChatSession(store.create(), store), threading.Event(), threading.Event()
    for event in session.send("a", Settings(), ScriptedEngine([Reply(["so ", "far"], gate=gate)]), stop):
        if isinstance(event, TextDelta):
            stop.set()
    assert session.conversation.path()[-1].status is Status.STOPPED
    engine = Watched(info=QWEN)
    stage.queue.use(engine)
    stage.queue.read_ahead(session, Settings)
    stage.passes(100.0, engine)
    assert contents(engine) == [["a", "so "]]


def test_a_message_does_not_wait_until_a_long_history_is_counted(
    stage: Stage, store: ConversationStore
) -> None:
    counting, queue = threading.Event(), stage.queue

    class Slow(Watched):
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
    stage.clock.now += 100.0
    queue.use(engine)
    assert counting.wait(HANGS)
    queue.submit(Turn(session, Send("b"), Settings))
    wait_for(lambda: any(isinstance(each.event, TurnEnded) for each in queue.drain()))
    assert session.conversation.path()[-1].content == "yes"


def test_a_message_comes_first_and_is_all_that_is_read_ahead_of(
    stage: Stage, store: ConversationStore
) -> None:
    session, engine, queue = talked(store, "a"), Watched([Reply(["yes"])]), stage.queue
    queue.use(engine)
    queue.read_ahead(session, Settings)
    queue.submit(Turn(session, Send("b"), Settings))
    wait_for(lambda: any(isinstance(each.event, TurnEnded) for each in queue.drain()))
    stage.passes(100.0, engine)
    assert contents(engine) == [["a", "re: a", "b", "yes"]]


def test_where_nothing_was_answered_there_is_nothing_to_read(stage: Stage, store: ConversationStore) -> None:
    engine = Watched(info=QWEN)
    stage.queue.use(engine)
    stage.queue.read_ahead(talked(store), Settings)
    stage.passes(100.0, engine)
    assert engine.prepared == []


def test_an_engine_that_fails_at_it_answers_all_the_same(stage: Stage, store: ConversationStore) -> None:
    failures = 0

    class Failing(Watched):
        def prepare(self, *_: object) -> None:
            nonlocal failures
            failures += 1
            raise OSError("the pipe is gone")

    session, engine, queue = talked(store, "a"), Failing([Reply(["yes"])], info=QWEN), stage.queue
    queue.use(engine)
    queue.read_ahead(session, Settings)
    stage.passes(100.0, engine)
    assert failures == 1
    queue.submit(Turn(session, Send("b"), Settings))
    wait_for(lambda: any(isinstance(each.event, TurnEnded) for each in queue.drain()))
