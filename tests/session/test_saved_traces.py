"""Traces are saved next to the conversation when asked, found again, and removed with it."""

import threading
from pathlib import Path

import pytest
from doubles import Reply, ScriptedEngine

from qwen_tui.chat.codec import decode
from qwen_tui.chat.exchange.formats import Format, export
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import Request, TextDelta
from qwen_tui.engine.trace import Candidate, TokenTrace, Traced
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings

TRACE = TokenTrace(Candidate(3, b"\xe5", -0.5), 1, 0.5, 1.0, 2.0, (Candidate(3, b"\xe5", -0.5),), ())


class TracedEngine(ScriptedEngine):
    """Traces a token of each delta, if asked, after one that the program wrote."""

    def stream(self, request: Request, stop: threading.Event):  # type: ignore[no-untyped-def,override]
        for event in super().stream(request, stop):
            if isinstance(event, TextDelta) and request.trace:
                yield Traced((None, TRACE))
            yield event


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations")


def answered(store: ConversationStore, settings: Settings) -> ChatSession:
    session = ChatSession(store.create(), store)
    engine = TracedEngine(replies=[Reply(["Hi"])])
    assert list(session.send("hello", settings, engine, threading.Event()))
    return session


def test_traces_are_there_again_when_the_conversation_is_opened_again(store: ConversationStore) -> None:
    session = answered(store, Settings(save_traces=True))
    reply_id = session.conversation.head
    assert reply_id is not None
    again = ChatSession(store.load(store.list()[0]), store)
    assert again.traces.of(reply_id) == session.traces.of(reply_id)
    none, trace = again.traces.of(reply_id)
    assert none is None
    assert trace is not None
    assert trace.chosen.text == b"\xe5"
    store.traces.remove(again.conversation.id)
    assert not ChatSession(again.conversation, store).traces.of(reply_id)


def test_without_the_setting_nothing_is_traced_or_saved(store: ConversationStore) -> None:
    session = answered(store, Settings())
    assert not session.traces.of(session.conversation.head or "")
    assert not (store.path / "traces").exists()


def test_a_damaged_trace_is_as_none(store: ConversationStore) -> None:
    session = answered(store, Settings(save_traces=True))
    for file in (store.path / "traces").rglob("*.trace"):
        file.write_bytes(file.read_bytes()[:-3])
    assert not ChatSession(session.conversation, store).traces.of(session.conversation.head or "")


def test_traces_are_exported_with_the_conversation_and_imported_again(
    store: ConversationStore, tmp_path: Path
) -> None:
    session = answered(store, Settings(save_traces=True))
    reply_id = session.conversation.head or ""
    data = export(store.traces.attached(session.conversation), Format.JSON, "")
    other = ConversationStore(tmp_path / "other")
    (entry,) = other.add([decode(data, Path("exported.json"))])
    imported = other.load(entry)
    assert "traces" not in imported.extra
    assert ChatSession(imported, other).traces.of(reply_id) == session.traces.of(reply_id)
