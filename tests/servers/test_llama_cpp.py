"""llama.cpp's own server: its counts are true, before a reply, for a draft, and after an edit."""

import threading
from pathlib import Path

import httpx2
import pytest
from conftest import done, free_port, llama_server, opened, running
from waiting import wait_for

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import Finished, PromptMessage, Request, Sampling
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


def test_after_an_edit_the_header_and_the_draft_add_up_to_the_next_prompt(
    llama_cpp: RemoteEngine, session: ChatSession
) -> None:
    done(session, session.send("What is two plus two?", SHORT, llama_cpp, NEVER))
    question = session.conversation.path()[0]
    done(session, session.edit(question.id, "What is one plus one?", SHORT, llama_cpp, NEVER))
    header = upcoming(session.conversation.path(), SHORT, llama_cpp).window.used_tokens
    draft = sum(llama_cpp.count((HELLO,)).per_message)
    following = done(session, session.send(HELLO.content, SHORT, llama_cpp, NEVER))
    assert following.receipt[0].prompt_tokens == header + draft


def test_one_that_still_loads_its_model_is_waited_for(model_file: Path, tmp_path: Path) -> None:
    port = free_port()
    with (
        running(llama_server(port, model_file, 8192), tmp_path / "log"),
        httpx2.Client(base_url=f"http://127.0.0.1:{port}/llm", trust_env=False) as client,
    ):
        if wait_for(lambda: status_of(client)) != 503:
            pytest.skip("it was ready sooner than it could be asked")
        engine = opened(f"127.0.0.1:{port}/llm")
        assert engine is not None
        assert run_of(engine, HELLO).new_tokens == 2
        engine.close()


def status_of(client: httpx2.Client) -> int:
    """What the server says of its health; 0 before it accepts connections."""
    try:
        return client.get("/health").status_code
    except httpx2.HTTPError:
        return 0
