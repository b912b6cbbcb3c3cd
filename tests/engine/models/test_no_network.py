"""Whether there is a network at all: found out within seconds, and a slow line is one."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from waiting import HANGS

from qwen_tui.engine.models.hub_probe import NETWORK_SECONDS, no_network

SECONDS = 0.5


@pytest.fixture(autouse=True)
def without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def black_hole() -> Iterator[int]:
    """A port of 127.0.0.1 that answers no connection: the queue of those who wait there is full."""
    with ExitStack() as opened:
        server = opened.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(8):
            waiting = opened.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(server.getsockname())
        yield server.getsockname()[1]


@pytest.fixture
def silent() -> Iterator[int]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def nobody() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_who_takes_the_connection_is_there_however_slow_he_is(silent: int) -> None:
    assert no_network(f"http://127.0.0.1:{silent}") is None


def test_where_nobody_listens_it_is_said_at_once(nobody: int) -> None:
    assert no_network(f"http://127.0.0.1:{nobody}") == "Connection refused"


def test_a_connection_that_nobody_answers_is_waited_for_no_longer_than_said(black_hole: int) -> None:
    began = time.monotonic()
    assert no_network(f"http://127.0.0.1:{black_hole}", SECONDS) == "Connection timed out"
    assert SECONDS <= time.monotonic() - began < HANGS
    assert NETWORK_SECONDS < 3.0


def test_a_name_that_is_looked_up_for_ever_is_waited_for_no_longer_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: over.wait(2 * HANGS) and [])
    began = time.monotonic()
    assert no_network("http://hub.test", SECONDS) == "Connection timed out"
    assert time.monotonic() - began < HANGS
    over.set()


def test_one_address_of_a_name_is_enough(
    black_hole: int, silent: int, nobody: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolving_to(*ports: int) -> None:
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)

    resolving_to(black_hole, nobody, silent)
    began = time.monotonic()
    assert no_network("http://hub.test", 2 * HANGS) is None
    assert time.monotonic() - began < HANGS
    resolving_to(nobody, nobody)
    assert no_network("http://hub.test") == "Connection refused"


@pytest.mark.parametrize("address", ["no address", "http://", "http://[bad", "http://127.0.0.1:99999"])
def test_what_is_no_address_is_said_in_words(address: str) -> None:
    assert no_network(address, SECONDS)


@pytest.mark.parametrize("name", ["http_proxy", "all_proxy"])
def test_behind_a_proxy_it_is_the_proxy_that_has_to_be_there(
    name: str, silent: int, nobody: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, f"http://127.0.0.1:{silent}")
    assert no_network("http://hub.test") is None
    monkeypatch.setenv(name, f"127.0.0.1:{nobody}")
    assert no_network("http://hub.test") == "Connection refused"
