"""Turns in order, on one engine."""

import threading

import pytest
from doubles import Reply, ScriptedEngine
from waiting import wait_for

from qwen_tui.chat.messages import Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.events import Accepted, Refused, Replied
from qwen_tui.session.library import Library
from qwen_tui.session.requests import Regenerate, Send
from qwen_tui.session.turn_queue import Turn, TurnEnded, TurnQueue
from qwen_tui.settings.options import Settings


@pytest.fixture
def library(tmp_path):
    return Library(ConversationStore(tmp_path / "conversations"))


@pytest.fixture
def queue():
    queue = TurnQueue()
    yield queue
    queue.close(5)


def ask(queue, session, text):
    turn = Turn(session, Regenerate() if text is None else Send(text), Settings)
    queue.submit(turn)
    return turn


def happened(queue, kind, count):
    """Drain the inbox until this kind of event has come so often; returns all that came."""
    seen = []

    def enough():
        seen.extend(queue.drain())
        return sum(isinstance(h.event, kind) for h in seen) >= count

    wait_for(enough)
    return seen


def test_turns_wait_for_an_engine_and_then_run_in_order(queue, library) -> None:
    session = library.new()
    for text in ("one", "two", "three"):
        ask(queue, session, text)
    assert [turn.text for turn in queue.waiting(session.conversation.id)] == ["one", "two", "three"]
    queue.use(ScriptedEngine())
    seen = happened(queue, TurnEnded, 3)
    assert [h.event.message.content for h in seen if isinstance(h.event, Accepted)] == ["one", "two", "three"]
    assert [m.content for m in session.conversation.path()][::2] == ["one", "two", "three"]


def test_replies_of_two_conversations_never_run_at_once(queue, library) -> None:
    running = []
    most = []

    def note(request) -> None:
        running.append(request)
        most.append(len(running))

    engine = ScriptedEngine([Reply(["a"]), Reply(["b"]), Reply(["c"])], on_ask=note)
    sessions = [library.new(), library.new(), library.new()]
    for session in sessions:
        ask(queue, session, "go")
    queue.use(engine)
    for number, h in enumerate([h for h in happened(queue, TurnEnded, 3) if isinstance(h.event, Replied)]):
        assert h.turn.session is sessions[number]
    assert [s.conversation.path()[-1].content for s in sessions] == ["a", "b", "c"]


def test_a_waiting_message_can_be_taken_back(queue, library) -> None:
    session = library.new()
    ask(queue, session, "one")
    ask(queue, session, "two")
    assert queue.take_back(session.conversation.id).text == "two"
    assert queue.take_back(session.conversation.id).text == "one"
    assert queue.take_back(session.conversation.id) is None


def test_stop_ends_the_reply_of_its_own_conversation_only(queue, library) -> None:
    session, other = library.new(), library.new()
    engine = ScriptedEngine([Reply(["so ", "far ", "never"], gate=threading.Event())])
    queue.use(engine)
    ask(queue, session, "go")
    wait_for(lambda: engine.asked)
    assert not queue.stop(other.conversation.id)
    assert queue.stop(session.conversation.id)
    happened(queue, TurnEnded, 1)
    reply = session.conversation.path()[-1]
    assert (reply.content, reply.status) == ("so far ", Status.STOPPED)


def test_a_defect_in_a_turn_is_told_and_the_next_turn_runs(queue, library) -> None:
    class Broken(ScriptedEngine):
        def count(self, messages, thinking=None, *, continues=False, stop=None):
            raise RuntimeError("a defect")

    session = library.new()
    queue.use(Broken())
    ask(queue, session, "one")
    refused = next(h.event for h in happened(queue, TurnEnded, 1) if isinstance(h.event, Refused))
    assert "a defect" in str(refused.error)
    queue.use(ScriptedEngine())
    ask(queue, session, "two")
    happened(queue, TurnEnded, 1)
    assert session.conversation.path()[0].content == "two"


def test_leaving_saves_the_running_reply(queue, library, tmp_path) -> None:
    session = library.new()
    engine = ScriptedEngine([Reply(["so ", "far ", "never"], gate=threading.Event())])
    queue.use(engine)
    ask(queue, session, "go")
    wait_for(lambda: engine.asked)
    queue.close(5)
    (entry,) = Library(ConversationStore(tmp_path / "conversations")).entries()
    again = Library(ConversationStore(tmp_path / "conversations")).open(entry.id)
    assert again.conversation.path()[-1].content == "so far "


def test_a_conversation_is_needed_from_the_moment_its_message_is_sent(queue, library) -> None:
    session, other = library.new(), library.new()
    gate = threading.Event()
    engine = ScriptedEngine([Reply(["a", "b"], gate=gate)])
    ask(queue, session, "go")
    assert queue.has(session.conversation.id)
    queue.use(engine)
    wait_for(lambda: engine.asked)
    assert queue.has(session.conversation.id)
    assert not queue.has(other.conversation.id)
    gate.set()
    wait_for(lambda: not queue.has(session.conversation.id))


def test_what_waits_is_not_given_to_an_engine_that_has_died(queue, library) -> None:
    dead, alive = ScriptedEngine(alive=False), ScriptedEngine()
    session = library.new()
    ask(queue, session, "important text")
    queue.use(dead)
    queue.use(alive)
    happened(queue, TurnEnded, 1)
    assert not dead.asked
    assert session.conversation.path()[0].content == "important text"


class Dying(ScriptedEngine):
    """Dies while it counts what it is asked."""

    def count(self, messages, thinking=None, *, continues=False, stop=None):
        self.alive = False
        raise QwenTuiError("engine.worker_died", how="SIGKILL")


def test_what_an_engine_died_over_is_answered_by_the_next_one(queue, library) -> None:
    session = library.new()
    ask(queue, session, "important text")
    queue.use(Dying())
    happened(queue, TurnEnded, 1)
    assert [turn.text for turn in queue.waiting(session.conversation.id)] == ["important text"]
    assert [each.text for each in queue.unsaved(session.conversation.id)] == ["important text"]
    queue.use(ScriptedEngine())
    assert not [h for h in happened(queue, TurnEnded, 1) if isinstance(h.event, Refused)]
    assert [m.content for m in session.conversation.path()] == ["important text", "echo: important text"]


def test_what_two_engines_died_over_comes_back(queue, library) -> None:
    session = library.new()
    ask(queue, session, "important text")
    queue.use(Dying())
    happened(queue, TurnEnded, 1)
    queue.use(Dying())
    (refused,) = [h.event for h in happened(queue, TurnEnded, 1) if isinstance(h.event, Refused)]
    assert refused.text == "important text"
    assert not queue.has(session.conversation.id)


def test_a_text_that_a_defect_kept_from_being_accepted_comes_back(queue, library) -> None:
    class Broken(ScriptedEngine):
        def count(self, messages, thinking=None, *, continues=False, stop=None):
            raise RuntimeError("a defect")

    queue.use(Broken())
    ask(queue, library.new(), "important text")
    refused = next(h.event for h in happened(queue, TurnEnded, 1) if isinstance(h.event, Refused))
    assert refused.text == "important text"


def test_it_is_quiet_from_the_end_of_the_last_turn_or_the_last_key_on(queue, library) -> None:
    assert queue.quiet_seconds() is not None
    gate = threading.Event()
    engine = ScriptedEngine(replies=[Reply(["so ", "far"], gate=gate)])
    ask(queue, library.new(), "hello")
    assert queue.quiet_seconds() is None
    assert not queue.is_answering(engine)
    queue.use(engine)
    wait_for(lambda: queue.running)
    assert queue.is_answering(engine)
    assert not queue.is_answering(ScriptedEngine(alive=False))
    assert queue.quiet_seconds() is None
    gate.set()
    quiet = wait_for(queue.quiet_seconds)
    assert quiet < 5
    assert not queue.is_answering(engine)
    wait_for(lambda: queue.quiet_seconds() > 0.05)
    queue.note_writing()
    assert queue.quiet_seconds() < 0.05
