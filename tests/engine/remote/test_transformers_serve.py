"""A real server: `transformers serve` with the guide on loopback."""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from waiting import wait_for

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Finished, ModelSpec, PromptMessage, Request, Sampling, TextDelta
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.opening import open_remote
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder

QUESTION = Request(
    messages=(PromptMessage(Role.USER, "What is a token?"),),
    sampling=Sampling(seed=7, max_new_tokens=60, top_k=20),
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("serve")
    model = folder / "guide"
    shutil.copytree(model_folder(), model)
    (folder / "hf" / "hub").mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {**os.environ, "HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}
    program = Path(sys.executable).with_name("transformers")
    command = [program, "serve", model, "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        # One client for all the times: to make one takes fifty times as long as to ask.
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            wait_for(lambda: is_up(client) or server.poll() is not None, 90)
        assert server.poll() is None, (folder / "log").read_text()
        yield f"http://127.0.0.1:{port}#{model}"
    finally:
        server.terminate()
        server.wait(20)


def is_up(client: httpx2.Client) -> bool:
    try:
        return client.get("/health").status_code == 200
    except httpx2.HTTPError:
        return False


@pytest.fixture(scope="module")
def engine(address: str) -> Iterator[RemoteEngine]:
    server, _, model = address.partition("#")
    engine = open_remote(ModelSpec(server=server, model=model), lambda _: None, threading.Event())
    yield engine
    engine.close()


def said(engine: RemoteEngine, request: Request, stop: threading.Event | None = None):
    events = list(engine.stream(request, stop or threading.Event()))
    assert isinstance(events[-1], Finished)
    return "".join(each.text for each in events if isinstance(each, TextDelta)), events[-1].run


def test_it_is_known_for_what_it_is(engine: RemoteEngine) -> None:
    assert engine.info.architecture == "transformers serve"
    assert engine.info.name == "guide"


def test_a_reply_comes_with_figures_and_its_seed_repeats_it(engine: RemoteEngine) -> None:
    text, run = said(engine, QUESTION)
    assert "token" in text.lower()
    assert run.stop_reason in ("eos", "length")
    assert run.prompt_tokens > 5
    assert 5 < run.new_tokens <= 60
    assert (run.not_taken, run.sampling["top_k"]) == ("", 20)
    assert said(engine, QUESTION)[0] == text


def test_a_stop_ends_the_reply_and_frees_the_server(engine: RemoteEngine) -> None:
    stop = threading.Event()
    long = replace(QUESTION, messages=(PromptMessage(Role.USER, "Explain in detail what tokens are."),))
    long = replace(long, sampling=replace(QUESTION.sampling, max_new_tokens=1000, temperature=2.0))
    events = engine.stream(long, stop)
    while not isinstance(next(events), TextDelta):
        pass
    stop.set()
    rest = list(events)
    assert rest[-1].run.stop_reason == "stopped"
    assert said(engine, QUESTION)[0]


def test_continuing_is_refused_in_words(engine: RemoteEngine) -> None:
    messages = (*QUESTION.messages, PromptMessage(Role.ASSISTANT, "A token is"))
    with pytest.raises(QwenTuiError) as caught:
        said(engine, replace(QUESTION, messages=messages, continues=True))
    assert caught.value.code == "server.cannot_continue"
    assert "transformers serve" in str(caught.value)


def test_another_model_is_refused_in_the_servers_words(address: str) -> None:
    server = address.partition("#")[0]
    other = open_remote(ModelSpec(server=server, model="Qwen/Qwen3-8B"), lambda _: None, threading.Event())
    with pytest.raises(QwenTuiError) as caught:
        said(other, QUESTION)
    other.close()
    assert caught.value.code in ("server.refused", "server.failed")
