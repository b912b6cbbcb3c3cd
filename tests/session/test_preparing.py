"""What the model will be asked next is known before it is asked, and most turns only add to it."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from doubles import INFO, Reply, ScriptedEngine

from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import TextDelta, TokenCounts
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.prompt_plan import prompt_messages
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings


@pytest.fixture
def session(tmp_path: Path) -> ChatSession:
    store = ConversationStore(tmp_path / "conversations")
    return ChatSession(store.create(), store)


def say(session: ChatSession, text: str, engine: ScriptedEngine) -> None:
    list(session.send(text, Settings(), engine, threading.Event()))


def test_after_a_reply_the_engine_is_told_what_comes_before_the_next_message(session: ChatSession) -> None:
    engine = ScriptedEngine([Reply(["one"]), Reply(["two"])])
    say(session, "a", engine)
    assert [m.content for m in engine.prepared[-1]] == ["a", "one"]
    assert engine.prepared[-1][-1].token_ids == session.conversation.path()[-1].receipt[0].token_ids
    say(session, "b", engine)
    assert [m.content for m in engine.prepared[-1]] == ["a", "one", "b", "two"]
    assert engine.asked[-1].messages[:2] == engine.prepared[0]


def test_nothing_is_prepared_after_a_reply_that_may_go_on(session: ChatSession) -> None:
    engine = ScriptedEngine([Reply(["so far"], fails=QwenTuiError("engine.out_of_memory"))])
    say(session, "a", engine)
    engine.replies.append(Reply(["so ", "far"], gate=threading.Event()))
    stop = threading.Event()
    for event in session.send("b", Settings(), engine, stop):
        if isinstance(event, TextDelta):
            stop.set()
    assert engine.prepared == []


def test_an_engine_that_does_not_read_ahead_is_not_even_asked_to_count(session: ChatSession) -> None:
    class Counting(ScriptedEngine):
        counts = 0

        def count(self, *messages: Any, **asked: Any) -> TokenCounts:
            self.counts += 1
            return super().count(*messages, **asked)

    engine, other = Counting(), Counting(reads_ahead=False)
    say(session, "a", engine)
    say(session, "b", other)
    assert (len(engine.prepared), len(other.prepared)) == (1, 0)
    assert other.counts < engine.counts


def test_a_reply_is_asked_after_with_its_tokens_but_not_a_whole_long_conversation(
    session: ChatSession,
) -> None:
    engine = ScriptedEngine(info=replace(INFO, context_window=100))
    for _ in range(4):
        engine.replies.append(Reply(["word "] * 150))
        list(session.send("go", Settings(memory_turns=None), engine, threading.Event()))
    path = session.conversation.path()
    sent = prompt_messages(path, 100)
    assert [len(message.token_ids) for message in sent] == [0, 0, 0, 0, 0, 150, 0, 150]
    assert [message.content for message in sent] == [message.content for message in path]
    assert [len(message.token_ids) for message in prompt_messages(path, 150)][1::2] == [150] * 4


def test_when_the_window_is_full_most_turns_still_only_add_to_the_prompt(session: ChatSession) -> None:
    """And where old messages are left out, that is prepared before the next one comes."""
    turns = 60
    engine = ScriptedEngine(info=replace(INFO, context_window=2000))
    for number in range(turns):
        engine.replies.append(Reply([f"{number} " + "reply " * (number * 7 % 90)]))
        say(session, f"{number} " + "word " * (number * 11 % 12), engine)
    cut = foreseen = 0
    for before, ahead, after in zip(engine.asked, engine.prepared, engine.asked[1:], strict=False):
        is_cut = after.messages[: len(before.messages)] != before.messages
        cut += is_cut
        foreseen += is_cut and after.messages[: len(ahead)] == ahead
        assert is_cut or after.messages[:-1] == ahead
    assert len(engine.asked[-1].messages) < 2 * turns - 1
    assert 2 < cut <= turns / 6
    assert foreseen > 1
