"""llama.cpp's own server with SmolLM2: true counts, and everything that a person does with a reply."""

import threading
from collections.abc import Iterable
from dataclasses import replace

import pytest

from qwen_tui.chat.messages import Message, Role, Run, Status
from qwen_tui.engine.base import Finished, PromptMessage, Request, Sampling, TextDelta
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.session.prompt_plan import upcoming
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings

pytestmark = pytest.mark.servers

SYSTEM = PromptMessage(Role.SYSTEM, "Be brief.")
HELLO = PromptMessage(Role.USER, "Hello there")
REPLY = PromptMessage(Role.ASSISTANT, "Hi.")
SHORT = Settings(max_new_tokens=4, temperature=0.8, seed=1)
NEVER = threading.Event()


def run_of(engine: RemoteEngine, *messages: PromptMessage, continues: bool = False) -> Run:
    sampling = Sampling(seed=1, max_new_tokens=2)
    *_, last = engine.stream(Request(messages=messages, sampling=sampling, continues=continues), NEVER)
    assert isinstance(last, Finished)
    return last.run


def done(session: ChatSession, events: Iterable[object]) -> Message:
    """The reply at the end of the conversation, after these events."""
    for _ in events:
        pass
    return session.conversation.path()[-1]


def test_it_is_known_for_what_it_is(llama_cpp: RemoteEngine) -> None:
    info = llama_cpp.info
    assert (info.architecture, info.context_window, info.counts_exactly) == ("llama.cpp", 256, True)


@pytest.mark.parametrize("messages", [(HELLO,), (SYSTEM, HELLO), (HELLO, REPLY, HELLO)], ids=len)
def test_counts_are_those_of_the_reply(llama_cpp: RemoteEngine, messages: tuple[PromptMessage, ...]) -> None:
    assert llama_cpp.count(messages).total == run_of(llama_cpp, *messages).prompt_tokens


def test_a_draft_is_counted_alone_and_completes_what_the_header_says(llama_cpp: RemoteEngine) -> None:
    assert llama_cpp.count((HELLO,)).per_message == (7,)
    header = llama_cpp.count((HELLO, REPLY)).total
    assert header + 7 == llama_cpp.count((HELLO, REPLY, HELLO)).total


def test_a_reply_to_be_continued_is_counted_open(llama_cpp: RemoteEngine) -> None:
    counts = llama_cpp.count((HELLO, REPLY), continues=True)
    assert counts.total == run_of(llama_cpp, HELLO, REPLY, continues=True).prompt_tokens


def test_a_seed_repeats_a_reply_and_regenerating_with_another_does_not(
    llama_cpp: RemoteEngine, session: ChatSession
) -> None:
    first = done(session, session.send("Tell me something about rivers.", SHORT, llama_cpp, NEVER))
    assert (first.status, first.receipt[0].stop_reason) == (Status.LENGTH, "length")
    assert first.receipt[0].new_tokens == 4
    again = done(session, session.regenerate(SHORT, llama_cpp, NEVER))
    assert (again.id != first.id, again.content) == (True, first.content)
    warm = replace(SHORT, temperature=1.8)
    others = {
        done(session, session.regenerate(replace(warm, seed=seed), llama_cpp, NEVER)).content
        for seed in (2, 3, 4)
    }
    assert others - {first.content}


def test_an_edited_question_is_answered_on_a_branch_of_its_own(
    llama_cpp: RemoteEngine, session: ChatSession
) -> None:
    done(session, session.send("What is two plus two?", SHORT, llama_cpp, NEVER))
    question = session.conversation.path()[0]
    reply = done(session, session.edit(question.id, "What is one plus one?", SHORT, llama_cpp, NEVER))
    path = session.conversation.path()
    assert [message.content for message in path] == ["What is one plus one?", reply.content]
    assert len(session.conversation.messages) == 4
    header = upcoming(path, SHORT, llama_cpp).window.used_tokens
    draft = sum(llama_cpp.count((HELLO,)).per_message)
    following = done(session, session.send(HELLO.content, SHORT, llama_cpp, NEVER))
    assert following.receipt[0].prompt_tokens == header + draft


def test_a_stopped_reply_has_its_count_and_goes_on_where_it_ended(
    llama_cpp: RemoteEngine, session: ChatSession
) -> None:
    stop = threading.Event()
    long = Settings(max_new_tokens=150, greedy=True)
    for event in session.send("Count from one to one hundred, in words.", long, llama_cpp, stop):
        if isinstance(event, TextDelta):
            stop.set()
    begun = session.conversation.path()[-1]
    assert begun.status is Status.STOPPED
    counted = llama_cpp.count((PromptMessage(Role.USER, session.conversation.path()[0].content),)).total
    assert begun.receipt[0].prompt_tokens == counted
    whole = done(session, session.continue_reply(begun.id, SHORT, llama_cpp, NEVER))
    assert whole.id == begun.id
    assert whole.content.startswith(begun.content)
    assert len(whole.content) > len(begun.content)


def test_what_is_older_than_the_window_is_left_out(llama_cpp: RemoteEngine, session: ChatSession) -> None:
    long = "The river runs past the old mill, under the bridge and down to the sea. " * 4
    for _ in range(3):
        reply = done(session, session.send(long, SHORT, llama_cpp, NEVER))
        assert reply.status in (Status.COMPLETE, Status.LENGTH)
    assert reply.receipt[0].first_sent not in ("", session.conversation.path()[0].id)
    assert reply.receipt[0].prompt_tokens <= 252
