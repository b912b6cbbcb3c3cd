"""Replaying replies against their receipts, on a scripted engine."""

import threading
from dataclasses import replace

import pytest
from doubles import INFO, Reply, ScriptedEngine

from qwen_tui.chat.branches import without
from qwen_tui.chat.store import ConversationStore
from qwen_tui.session.library import Library
from qwen_tui.session.replay import NotReplayed, Replayed, Replaying, replay
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings
from qwen_tui.wording.replay import replay_words


@pytest.fixture
def session(tmp_path) -> ChatSession:
    store = ConversationStore(tmp_path / "conversations")
    return ChatSession(store.create(), store)


def again(session: ChatSession, engine: ScriptedEngine, stop: threading.Event | None = None) -> list[object]:
    return list(
        replay(session.conversation, session.conversation.head or "", engine, stop or threading.Event())
    )


def talked(session: ChatSession, *replies: Reply, settings: Settings | None = None) -> ScriptedEngine:
    engine = ScriptedEngine(list(replies))
    for number in range(len(replies)):
        list(session.send(f"question {number}", settings or Settings(), engine, threading.Event()))
    return engine


def test_the_same_tokens_are_said_to_be_the_same(session) -> None:
    engine = talked(
        session, Reply(["a", "b"]), Reply(["c", "d ", "e"]), settings=Settings(system_prompt="Be kind.")
    )
    engine.replies = [Reply(["c", "d ", "e"])]
    before = session.conversation
    *progress, ended = again(session, engine)
    head = before.head or ""
    assert progress == [Replaying(head, 1, 3), Replaying(head, 2, 3), Replaying(head, 3, 3)]
    assert ended == Replayed(head, 3, 3)
    assert session.conversation is before
    first, second = engine.asked[-2:]
    assert (first.messages, first.thinking) == (second.messages, second.thinking)
    assert (second.sampling.seed, second.sampling.max_new_tokens, second.sampling.temperature) == (7, 3, 0.7)


def test_the_first_token_that_differs_is_named_with_what_it_became(session) -> None:
    engine = talked(session, Reply(["one ", "two ", "three"]))
    engine.replies = [Reply(["one ", "zwei ", "three"])]
    assert again(session, engine)[-1] == Replayed(
        session.conversation.head or "", 1, 3, differs_at=2, was="two three", became="zwei three"
    )


def test_a_reply_that_had_its_prompt_from_the_cache_is_read_anew_and_may_differ_for_it(session) -> None:
    engine = talked(session, Reply(["one ", "two "]))
    head = session.conversation.message(session.conversation.head or "")
    run = replace(head.receipt[0], reused_tokens=1100)
    session.change(lambda it: it.with_message(replace(head, receipt=(run,))))
    engine.replies = [Reply(["one ", "zwei "])]
    ended = again(session, engine)[-1]
    assert ended.reused_tokens == 1100
    assert "1,100 prompt tokens came from the cache" in replay_words(ended)
    assert "cache" not in replay_words(ended._replace(reused_tokens=0))
    assert (engine.asked[0].reuse, engine.asked[-1].reuse) == (True, False)


def test_a_reply_that_ends_earlier_differs_where_it_ends(session) -> None:
    engine = talked(session, Reply(["one ", "two"]))
    engine.replies = [Reply(["one "])]
    assert again(session, engine)[-1] == Replayed(
        session.conversation.head or "", 1, 2, differs_at=2, was="two", became=""
    )


def test_a_reply_in_two_runs_is_replayed_run_by_run(session) -> None:
    stop = threading.Event()
    engine = ScriptedEngine([Reply(["one ", "two "], gate=threading.Event()), Reply(["three ", "four"])])
    for event in session.send("go", Settings(), engine, stop):
        if getattr(event, "text", "") == "one ":
            stop.set()
    head = session.conversation.head or ""
    list(session.continue_reply(head, Settings(), engine, threading.Event()))
    engine.replies = [Reply(["one "]), Reply(["three ", "vier"])]
    assert again(session, engine)[-1] == Replayed(head, 2, 3, differs_at=3, was="four", became="vier")
    assert [m.content for m in engine.asked[-1].messages] == ["go", "one "]
    assert engine.asked[-1].continues


def test_stopping_a_replay_tells_how_far_it_went(session) -> None:
    engine = talked(session, Reply(["one ", "two ", "three"]))
    engine.replies = [Reply(["one ", "two ", "three"], gate=threading.Event())]
    stop = threading.Event()
    seen = []
    for event in replay(session.conversation, session.conversation.head or "", engine, stop):
        seen.append(event)
        if isinstance(event, Replaying) and event.done == 2:
            stop.set()
    assert seen[-1] == Replayed(session.conversation.head or "", 2, 3)


def test_another_model_is_not_blamed(session) -> None:
    engine = talked(session, Reply(["a"]))
    engine.info = replace(INFO, model="other")
    (ended,) = again(session, engine)
    assert isinstance(ended, NotReplayed)
    assert ended.error.code == "replay.other_model"


def test_a_prompt_that_has_changed_is_said(session) -> None:
    engine = talked(session, Reply(["a"]), Reply(["b"]))
    session.change(lambda it: without(it, it.path()[0].id))
    ended = again(session, engine)[-1]
    assert isinstance(ended, NotReplayed)
    assert ended.error.code == "replay.prompt_changed"


def test_a_reply_without_a_receipt_cannot_be_replayed(session) -> None:
    engine = talked(session, Reply(["a"]))
    Library(session._store).rewrite(session, session.conversation.head or "", "mine")
    ended = again(session, engine)[-1]
    assert isinstance(ended, NotReplayed)
    assert ended.error.code == "replay.no_receipt"


def test_a_thought_that_was_ended_is_ended_at_the_same_token_again(session) -> None:
    engine = talked(session, Reply(["answer"], thinking=["hm ", "hm "]))
    reply = session.conversation.message(session.conversation.head or "")
    run = replace(reply.receipt[0], thought_closed_at=2, thinking=True, effort="low")
    session.change(lambda it: it.with_message(replace(reply, receipt=(run,))))
    engine.replies = [Reply(["answer"], thinking=["hm ", "hm "])]
    assert again(session, engine)[-1] == Replayed(reply.id, 3, 3)
    request = engine.asked[-1]
    assert (request.thinking, request.thinking_budget, request.most_tokens) == ("low", 2, 3)
