"""What a person does with a reply, on each server: again, edited, stopped, continued, cut, and past the window."""

import threading
from dataclasses import replace

import pytest
from conftest import WINDOW, done, opened

from qwen_tui.chat.messages import Role, Status
from qwen_tui.engine.base import PromptMessage, TextDelta
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.events import Refused
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings

pytestmark = pytest.mark.servers

SHORT = Settings(max_new_tokens=4, temperature=0.8, seed=1)
NEVER = threading.Event()


def test_a_seed_repeats_a_reply_and_regenerating_with_another_does_not(
    engine: RemoteEngine, session: ChatSession
) -> None:
    first = done(session, session.send("Tell me something about rivers.", SHORT, engine, NEVER))
    assert (first.status, first.receipt[0].stop_reason) == (Status.LENGTH, "length")
    assert first.receipt[0].new_tokens == 4
    again = done(session, session.regenerate(SHORT, engine, NEVER))
    assert (again.id != first.id, again.content) == (True, first.content)
    warm = replace(SHORT, temperature=1.8)
    others = {
        done(session, session.regenerate(replace(warm, seed=seed), engine, NEVER)).content
        for seed in (2, 3, 4)
    }
    assert others - {first.content}
    assert first.receipt[0].not_taken == ""


def test_an_edited_question_is_answered_on_a_branch_of_its_own(
    engine: RemoteEngine, session: ChatSession
) -> None:
    done(session, session.send("What is two plus two?", SHORT, engine, NEVER))
    question = session.conversation.path()[0]
    reply = done(session, session.edit(question.id, "What is one plus one?", SHORT, engine, NEVER))
    path = session.conversation.path()
    assert [message.content for message in path] == ["What is one plus one?", reply.content]
    assert reply.status is Status.LENGTH
    assert len(session.conversation.messages) == 4


def test_a_stopped_reply_goes_on_where_it_ended_or_the_server_is_said_not_to(
    engine: RemoteEngine, session: ChatSession
) -> None:
    stop = threading.Event()
    long = Settings(max_new_tokens=150, greedy=True)
    for event in session.send("Count from one to one hundred, in words.", long, engine, stop):
        if isinstance(event, TextDelta):
            stop.set()
    begun = session.conversation.path()[-1]
    assert begun.status is Status.STOPPED
    if engine.info.counts_exactly:
        asked = PromptMessage(Role.USER, session.conversation.path()[0].content)
        assert begun.receipt[0].prompt_tokens == engine.count((asked,)).total
    events = list(session.continue_reply(begun.id, SHORT, engine, NEVER))
    whole = session.conversation.path()[-1]
    assert whole.id == begun.id
    assert whole.content.startswith(begun.content)
    if engine.info.architecture == "llama.cpp":
        assert len(whole.content) > len(begun.content)
    else:
        refused = [event.error for event in events if isinstance(event, Refused)]
        assert [error.code for error in [*refused, whole.error] if error] == ["server.cannot_continue"]
    following = done(session, session.regenerate(SHORT, engine, NEVER))  # the stop freed the server
    assert following.status in (Status.COMPLETE, Status.LENGTH)


def test_a_stop_string_ends_a_reply_and_is_not_shown(engine: RemoteEngine, session: ChatSession) -> None:
    asked = "Say the word river many times."
    greedy = Settings(max_new_tokens=12, greedy=True)
    text = done(session, session.send(asked, greedy, engine, NEVER)).content
    word = text.split()[2]
    cut = done(session, session.regenerate(replace(greedy, stop=word), engine, NEVER))
    assert cut.content.rstrip() == text[: text.index(word)].rstrip()
    assert cut.status is Status.COMPLETE


def test_what_is_older_than_the_window_is_left_out(engine: RemoteEngine, session: ChatSession) -> None:
    """Where the server does not say how long its window is, at the latest once it has refused."""
    long = "The river runs past the old mill, under the bridge and down to the sea. " * 4
    replies = [done(session, session.send(long, SHORT, engine, NEVER)) for _ in range(4)]
    assert len([reply for reply in replies if reply.error is not None]) <= 1
    assert replies[-1].error is None
    assert replies[-1].receipt[0].first_sent not in ("", session.conversation.path()[0].id)
    assert replies[-1].receipt[0].prompt_tokens <= WINDOW - SHORT.max_new_tokens
    assert engine.info.context_window == WINDOW


def test_of_two_models_the_first_answers_unless_one_is_named(litellm_at: str, litellm: RemoteEngine) -> None:
    assert litellm.info.model == "small"
    for wanted, found in ((None, "small"), ("other", "other")):
        engine = opened(litellm_at, wanted)
        assert engine is not None
        assert engine.info.model == found
        engine.close()
    with pytest.raises(QwenTuiError) as raised:
        opened(litellm_at, "absent")
    assert raised.value.code == "server.no_such_model"
    assert "small, other" in str(raised.value)
