"""The life of a turn, on a scripted engine and a real folder."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest
from doubles import Reply, ScriptedEngine

from qwen_tui.chat.branches import Variant, siblings, variants, without
from qwen_tui.chat.messages import Conversation, Role, Status
from qwen_tui.chat.partial import recover
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import TextDelta, ThinkingDelta
from qwen_tui.engine.thinking import Reread
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.events import Accepted, Refused, Replied, ReplyStarted
from qwen_tui.session.library import Library
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings


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


def test_a_reply_that_was_divided_wrongly_is_saved_as_its_end_shows(session, store) -> None:
    thought = Reply(["17 * 3 = 51.\n</think>\n\n", "51"], reread=Reread("17 * 3 = 51.", "51"))
    say(session, "17 * 3?", ScriptedEngine([thought]))
    about_the_tag = Reply([], thinking=["a tag", " of models"], reread=Reread("", "<think>a tag of models"))
    say(session, "What is <think>?", ScriptedEngine([about_the_tag]))
    _, first, _, second = saved(store, session).path()
    assert (first.thinking, first.content) == ("17 * 3 = 51.", "51")
    assert (second.thinking, second.content) == ("", "<think>a tag of models")


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
    assert started.window.start == len(session.conversation.path()) - 1 - len(sent)
    assert started.window.start > 0
    assert engine.count(sent).total == started.window.used_tokens <= started.window.budget_tokens
    assert started.first_sent == session.conversation.path()[started.window.start].id


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


def run(events) -> list[object]:
    return list(events)


def test_a_save_that_is_under_way_has_not_failed(tmp_path) -> None:
    seen = []

    class WatchedStore(ConversationStore):
        def save(self, conversation: Conversation) -> Conversation:
            seen.append(session.has_failed_to_save)
            return super().save(conversation)

    store = WatchedStore(tmp_path)
    session = ChatSession(store.create(), store)
    say(session, "hi", ScriptedEngine())
    assert seen == [False, False]


def test_an_older_reply_is_answered_again_in_a_branch_of_its_own(session) -> None:
    engine = ScriptedEngine([Reply(["one"]), Reply(["two"]), Reply(["other"])])
    say(session, "first", engine)
    say(session, "second", engine)
    first_reply = session.conversation.path()[1]
    run(session.regenerate(Settings(), engine, threading.Event(), first_reply.id))
    assert [m.content for m in session.conversation.path()] == ["first", "other"]
    session.turn(session.conversation.head or "", -1)
    assert [m.content for m in session.conversation.path()] == ["first", "one", "second", "two"]


def test_an_edited_question_is_walked_back_from_to_the_answer_that_was_chosen(session) -> None:
    engine = ScriptedEngine([Reply(["one"]), Reply(["two"]), Reply(["other"])])
    say(session, "first", engine)
    run(session.regenerate(Settings(), engine, threading.Event()))
    question, answer = session.conversation.path()
    session.turn(answer.id, -1)
    run(session.edit(question.id, "better", Settings(), engine, threading.Event()))
    session.turn(session.conversation.path()[0].id, -1)
    assert [m.content for m in session.conversation.path()] == ["first", "one"]
    session.turn(session.conversation.path()[1].id, 1)
    session.turn(session.conversation.path()[0].id, 1)
    assert [m.content for m in session.conversation.path()] == ["better", "other"]
    session.show(question.id)
    assert [m.content for m in session.conversation.path()] == ["first", "two"]


def test_where_a_variant_goes_the_one_beside_it_is_shown_as_it_was(session) -> None:
    engine = ScriptedEngine([Reply([word]) for word in ("one", "two", "new two", "other")])
    say(session, "first", engine)
    say(session, "second", engine)
    run(session.regenerate(Settings(), engine, threading.Event()))
    session.turn(session.conversation.head or "", -1)
    as_it_was = [m.content for m in session.conversation.path()]
    assert as_it_was == ["first", "one", "second", "two"]
    run(session.regenerate(Settings(), engine, threading.Event(), session.conversation.path()[1].id))
    session.delete(session.conversation.head or "")
    assert [m.content for m in session.conversation.path()] == as_it_was


def test_an_edited_question_is_a_branch_and_the_other_one_stays(session, store) -> None:
    engine = ScriptedEngine([Reply(["one"]), Reply(["two"]), Reply(["new two"])])
    say(session, "first", engine)
    say(session, "second", engine)
    question = session.conversation.path()[2]
    events = run(session.edit(question.id, "better", Settings(), engine, threading.Event()))
    assert isinstance(events[0], Accepted)
    assert [m.content for m in engine.asked[-1].messages] == ["first", "one", "better"]
    kept = saved(store, session)
    assert [m.content for m in kept.path()] == ["first", "one", "better", "new two"]
    assert [(m.content, m.edited) for m in siblings(kept, kept.path()[2].id)] == [
        ("second", False),
        ("better", True),
    ]
    assert variants(kept) == {kept.path()[2].id: Variant(2, 2)}


def test_a_rewritten_reply_stands_beside_the_one_of_the_model(session, store) -> None:
    say(session, "go", ScriptedEngine([Reply(["model"])]))
    Library(session._store).rewrite(session, session.conversation.head or "", "person\x1b[31m")
    kept = saved(store, session)
    reply = kept.path()[-1]
    assert (reply.content, reply.edited, reply.receipt) == ("person", True, ())
    assert [m.content for m in siblings(kept, reply.id)] == ["model", "person"]


def test_a_stopped_reply_goes_on_in_the_same_message(session, store) -> None:
    stop = threading.Event()
    engine = ScriptedEngine(
        [Reply(["one ", "two ", "never"], gate=threading.Event()), Reply(["three ", "four"])]
    )
    for event in session.send("go", Settings(), engine, stop):
        if isinstance(event, TextDelta) and event.text == "two ":
            stop.set()
    reply_id = session.conversation.head or ""
    events = run(session.continue_reply(reply_id, Settings(), engine, threading.Event()))
    started = events[0]
    assert isinstance(started, ReplyStarted)
    assert (started.reply.id, started.reply.content) == (reply_id, "one two ")
    assert engine.asked[-1].continues
    assert [m.content for m in engine.asked[-1].messages] == ["go", "one two "]
    question, reply = saved(store, session).path()
    assert (question.content, reply.content, reply.status) == ("go", "one two three four", Status.COMPLETE)
    assert [(r.content_start, r.stop_reason) for r in reply.receipt] == [(0, "stopped"), (8, "eos")]
    assert not run(session.continue_reply(reply_id, Settings(), engine, threading.Event())), "it has ended"


def test_a_reply_that_is_cut_while_it_goes_on_is_there_after_a_crash(session, store) -> None:
    engine = ScriptedEngine([Reply(["one "], fails=QwenTuiError("engine.closed")), Reply(["two ", "three"])])
    say(session, "go", engine)
    going_on = session.continue_reply(session.conversation.head or "", Settings(), engine, threading.Event())
    for event in going_on:
        if isinstance(event, TextDelta):
            break
    partials = list(store.path.glob("*.partial"))
    recovered = recover(partials[0].read_bytes())
    going_on.close()
    assert recovered is not None
    assert (recovered.reply.content, recovered.reply.status) == ("one two ", Status.INTERRUPTED)
    assert len(recovered.reply.receipt) == 0


def test_a_reply_cut_inside_its_thinking_goes_on_thinking(session) -> None:
    engine = ScriptedEngine(
        [Reply([], thinking=["hm "], fails=QwenTuiError("engine.closed")), Reply(["so"], thinking=["ah"])]
    )
    say(session, "go", engine)
    run(session.continue_reply(session.conversation.head or "", Settings(), engine, threading.Event()))
    assert engine.asked[-1].messages[-1].thinking == "hm "
    reply = session.conversation.path()[-1]
    assert (reply.thinking, reply.content, reply.error) == ("hm ah", "so", None)


def test_a_conversation_that_is_open_elsewhere_is_only_read(session, store) -> None:
    say(session, "go", ScriptedEngine())
    reader = ChatSession(session.conversation, store, read_only=True)
    engine = ScriptedEngine()
    (refused,) = say(reader, "more", engine)
    assert isinstance(refused, Refused)
    assert (refused.text, refused.error.code) == ("more", "session.read_only")
    with pytest.raises(QwenTuiError, match="another qwen-tui"):
        Library(reader._store).rewrite(reader, reader.conversation.head or "", "x")
    reader.adjust(lambda it: replace(it, overrides={"temperature": 1.0}))
    reader.save()
    assert saved(store, session).overrides == {}
    assert not engine.asked


def test_a_conversation_whose_turns_were_all_deleted_is_saved_empty(session, store) -> None:
    say(session, "secret", ScriptedEngine())
    session.change(lambda it: without(it, it.path()[0].id))
    assert saved(store, session).messages == ()


def test_a_receipt_tells_what_the_prompt_was_made_of(session) -> None:
    engine = ScriptedEngine()
    settings = Settings(system_prompt="Be brief.", thinking=False)
    list(session.send("go", settings, engine, threading.Event()))
    question, reply = session.conversation.path()
    (receipt,) = reply.receipt
    assert (receipt.system_prompt, receipt.thinking, receipt.first_sent) == ("Be brief.", False, question.id)


def test_what_is_changed_while_it_is_being_saved_is_kept_and_saved_next(session, store, monkeypatch) -> None:
    say(session, "one", ScriptedEngine())
    disk, is_saving = threading.Event(), threading.Event()
    save = store.save

    def slow(conversation: Conversation) -> Conversation:
        is_saving.set()
        assert disk.wait(10)
        return save(replace(conversation, name="mine 2"))  # another has the name

    monkeypatch.setattr(store, "save", slow)
    session.adjust(lambda it: replace(it, name="mine"))
    saving = threading.Thread(target=session.save)
    saving.start()
    assert is_saving.wait(10)
    session.adjust(lambda it: replace(it, overrides={"top_k": 5}))  # waits for nobody
    disk.set()
    saving.join(10)
    assert (session.conversation.name, session.conversation.overrides) == ("mine 2", {"top_k": 5})
    assert not session.is_saved
    session.save()
    assert session.is_saved
    assert saved(store, session).overrides == {"top_k": 5}
    assert len(saved(store, session).messages) == 2


def test_what_the_disk_has_already_is_not_saved_again(session, store, monkeypatch) -> None:
    say(session, "one", ScriptedEngine())
    monkeypatch.setattr(store, "save", lambda conversation: pytest.fail("saved again"))
    session.save()


def test_a_reply_that_runs_when_its_conversation_is_closed_keeps_its_file(session, store) -> None:
    turn = session.send("hello", DEFAULTS, ScriptedEngine([Reply(["Good ", "day."])]), threading.Event())
    next(event for event in turn if isinstance(event, TextDelta))
    session.close()
    list(turn)
    left = [recover(file.read_bytes()) for file in store.path.glob("*.partial")]
    assert [each.reply.content for each in left] == ["Good day."]
