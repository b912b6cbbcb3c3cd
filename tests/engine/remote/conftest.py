"""A loopback server, and engines that talk to it."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from loopback_server import Script, delta, end, loopback_server, with_events

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.http_calls import Patience
from qwen_tui.engine.remote.opening import open_remote

VLLM_MODEL = {"id": "Qwen/Qwen2.5-72B-Instruct", "owned_by": "vllm", "max_model_len": 32768}

QUICK = Patience(connect=2.0, answer=1.0, silence=0.6)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QWEN_TUI_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def served() -> Iterator[tuple[str, Script]]:
    with loopback_server() as (address, script):
        script.serves(VLLM_MODEL)
        script.replies(with_events(delta("Hello"), delta(" there"), delta("."), end()))
        yield address, script


@pytest.fixture
def script(served: tuple[str, Script]) -> Script:
    return served[1]


@pytest.fixture
def connect(served: tuple[str, Script]) -> Iterator[Callable[..., RemoteEngine]]:
    engines: list[RemoteEngine] = []

    def open_it(**wanted: Any) -> RemoteEngine:
        spec = ModelSpec(**{"server": served[0], **wanted})
        engines.append(open_remote(spec, lambda _: None, threading.Event(), QUICK))
        return engines[-1]

    yield open_it
    for engine in engines:
        engine.close()
