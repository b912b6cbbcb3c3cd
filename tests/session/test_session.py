"""The life of a turn, on a scripted engine and a real folder."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from doubles import Reply, ScriptedEngine

from qwen_tui.chat.branches import siblings
from qwen_tui.chat.messages import Conversation, Role, Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import TextDelta, ThinkingDelta
from qwen_tui.errors import QwenTuiError
from qwen_tui.session import Accepted, ChatSession, Refused, Replied, ReplyStarted
from qwen_tui.settings import Settings


@pytest.fixture
def store(tmp_path: Path) -> ConversationStore:
    return ConversationStore(tmp_path / "conversations")


@pytest.fixture
def session(store: ConversationStore) -> ChatSession:
    return ChatSession(store.create(), store)


DEFAULTS = Settings()


def say(session, text, engine, settings=DEFAULTS):
    return list(session.send(text, settings, engine, threading.Event()))


def saved(store: ConversationStore, session: ChatSession) -> Conversation:
    entry = next(e for e in store.list() if e.id == session.conversation.id)
    return store.load(entry)


def test_a_turn_is_question_and_reply_in_order(session) -> None:
    events = say(session, "hello there", ScriptedEngine([Reply(["Good ", "day."], thinking=["Hm."])]))
    kinds = [type(e) for e in events]
    assert kinds[:2] == [Accepted, ReplyStarted]
    assert kinds[-1] is Replied
    assert [e.text for e in events if isinstance(e, ThinkingDelta)] == ["Hm."]
    assert "".join(e.text for e in events if isinstance(e, TextDelta)) == "Good day."
    question, reply = session.conversation.path()
    assert (question.content, reply.content, reply.thinking) == ("hello there", "Good day.", "Hm.")
    assert reply.status is Status.COMPLETE
    assert reply.receipt[0].new_tokens == 3


def test_the_question_is_on_disk_before_the_model_is_asked(session, store) -> None:
    seen = []
    engine = ScriptedEngine(on_ask=lambda request: seen.append(saved(store, session).path()[-1].content))
    say(session, "first things first", engine)
    assert seen == ["first things first"]


def test_the_conversation_is_named_by_its_first_message(session, store) -> None:
    say(session, "What is a token?", ScriptedEngine())
    say(session, "Something else entirely", ScriptedEngine())
    assert session.conversation.name == "What is a token?"
    assert [entry.name for entry in store.list()] == ["What is a token?"]


def test_the_whole_history_is_sent(session) -> None:
    engine = ScriptedEngine([Reply(["one"]), Reply(["two"])])
    say(session, "a", engine)
    say(session, "b", engine)
    assert [m.content for m in engine.asked[1].messages] == ["a", "one", "b"]


def test_a_system_prompt_stands_first_and_overrides_of_the_conversation_win(session) -> None:
    session.change(lambda c: replace(c, overrides={"system_prompt": "Be brief."}))
    engine = ScriptedEngine()
    say(session, "a", engine, Settings(system_prompt="Be long.", temperature=0.3))
    assert engine.asked[0].messages[0].role is Role.SYSTEM
    assert engine.asked[0].messages[0].content == "Be brief."
    assert engine.asked[0].sampling.temperature == 0.3


def test_without_memory_only_the_newest_message_is_sent(session) -> None:
    engine = ScriptedEngine()
    say(session, "a", engine, Settings(memory=False))
    say(session, "b", engine, Settings(memory=False))
    assert [m.content for m in engine.asked[1].messages] == ["b"]


def test_old_turns_are_left_out_when_the_window_is_full(session) -> None:
    engine = ScriptedEngine()
    for number in range(6):
        events = say(session, f"{number} " + "word " * 40, engine)
    started = next(e for e in events if isinstance(e, ReplyStarted))
    sent = engine.asked[-1].messages
    assert started.window.older == len(session.conversation.path()) - 1 - len(sent)
    assert started.window.older > 0
    assert engine.count(sent).total == started.window.used_tokens <= started.window.budget_tokens
    assert started.first_sent == session.conversation.path()[started.window.older].id


def test_a_message_larger_than_the_window_is_refused_with_both_numbers(session, store) -> None:
    engine = ScriptedEngine()
    text = "word " * 500
    (refused,) = say(session, text, engine)
    assert isinstance(refused, Refused)
    assert refused.text == text
    assert refused.error.code == "chat.message_too_long"
    assert refused.error.parameters == {"tokens": 505, "limit": 300}
    assert not session.conversation.messages
    assert not store.list()


def test_stopping_keeps_the_partial_reply(session, store) -> None:
    stop = threading.Event()
    engine = ScriptedEngine([Reply(["kept ", "text ", "never"], gate=threading.Event())])
    for event in session.send("go", Settings(), engine, stop):
        if isinstance(event, TextDelta) and event.text == "text ":
            stop.set()
    reply = saved(store, session).path()[-1]
    assert (reply.content, reply.status) == ("kept text ", Status.STOPPED)


def test_an_error_stands_beside_the_reply_and_never_in_the_history(session, store) -> None:
    engine = ScriptedEngine([Reply(["so far"], fails=QwenTuiError("engine.out_of_memory"))])
    say(session, "go", engine)
    reply = saved(store, session).path()[-1]
    assert (reply.content, reply.status) == ("so far", Status.FAILED)
    assert reply.error is not None
    assert reply.error.code == "engine.out_of_memory"
    engine.replies.append(Reply([], fails=QwenTuiError("engine.out_of_memory")))
    say(session, "again", engine)
    say(session, "and again", engine)
    assert [m.content for m in engine.asked[-1].messages] == ["go", "so far", "again", "and again"]


def test_regenerating_makes_a_sibling_and_leaves_the_old_answer(session) -> None:
    engine = ScriptedEngine([Reply(["first"]), Reply(["second"])])
    say(session, "go", engine)
    list(session.regenerate(Settings(), engine, threading.Event()))
    assert [m.content for m in engine.asked[1].messages] == ["go"]
    shown = session.conversation.path()
    assert [m.content for m in shown] == ["go", "second"]
    assert [m.content for m in siblings(session.conversation, shown[-1].id)] == ["first", "second"]


def test_a_reply_that_nobody_waits_for_any_more_is_kept(session, store) -> None:
    events = session.send("go", Settings(), ScriptedEngine([Reply(["some", "thing"])]), threading.Event())
    for event in events:
        if isinstance(event, TextDelta):
            break
    events.close()
    reply = saved(store, session).path()[-1]
    assert (reply.content, reply.status) == ("some", Status.INTERRUPTED)


def test_escape_sequences_of_a_reply_are_cleaned_even_when_split(session) -> None:
    engine = ScriptedEngine([Reply(["red \x1b", "]52;c;aGk=", "\x07 text\x9b31m"])])
    events = say(session, "go\x1b[31m", engine)
    question, reply = session.conversation.path()
    assert question.content == "go"
    assert reply.content == "red  text"
    assert "\x1b" not in "".join(e.text for e in events if isinstance(e, TextDelta))


def test_a_folder_that_cannot_be_written_is_said_and_nothing_is_lost(tmp_path) -> None:
    folder = tmp_path / "conversations"
    store = ConversationStore(folder)
    session = ChatSession(store.create(), store)
    folder.write_text("a file stands where the folder should be")
    events = say(session, "hello", ScriptedEngine([Reply(["Hi."])]))
    assert "store." in next(e for e in events if type(e).__name__ == "NotSaved").error.code
    assert [m.content for m in session.conversation.path()] == ["hello", "Hi."]
    folder.unlink()
    say(session, "again", ScriptedEngine())
    (file,) = folder.glob("*.json")
    assert [m["content"] for m in json.loads(file.read_text())["messages"]][:2] == ["hello", "Hi."]
