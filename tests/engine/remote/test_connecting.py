"""The way to a server: ports that answer otherwise, https, proxies, threads that begin late."""

import asyncio
import gc
import shutil
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from loopback_server import Script, delta, with_json
from remote_requests import HELLO
from waiting import wait_for

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import ModelSpec, PromptMessage, TextDelta
from qwen_tui.engine.remote.address import address
from qwen_tui.engine.remote.http_calls import Calls, Patience
from qwen_tui.engine.remote.opening import open_remote
from qwen_tui.engine.remote.server_check import served_by
from qwen_tui.errors import QwenTuiError

QUICK = Patience(connect=2.0, answer=1.0)


def why_not(given: str) -> QwenTuiError:
    with pytest.raises(QwenTuiError) as caught:
        open_remote(ModelSpec(server=given), lambda _: None, threading.Event(), QUICK)
    return caught.value


@contextmanager
def port(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port where each connection is given to `answer`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection, suppress(OSError):
                    answer(connection)

        threading.Thread(target=accept, daemon=True).start()
        yield listening.getsockname()[1]


@pytest.mark.parametrize("says", [b"", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 200"])
def test_a_port_of_something_else_is_not_taken_for_a_reply_that_broke_off(says: bytes) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(says)

    with port(answer) as number:
        error = why_not(f"127.0.0.1:{number}")
    assert error.code == "server.no_answer"
    assert "reply" not in str(error)


def test_a_port_where_nobody_listens_is_named_as_the_system_names_it() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        assert "Connection refused" in str(why_not(f"127.0.0.1:{bound.getsockname()[1]}"))


def test_https_where_there_is_none_is_explained() -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    with port(answer) as number:
        assert why_not(f"https://127.0.0.1:{number}").code == "server.no_tls"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_a_certificate_that_is_not_trusted_is_explained_and_can_be_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost"
    names = "subjectAltName=IP:127.0.0.1"
    subprocess.run(
        ["openssl", *made.split(), "-addext", names, "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)

    def answer(connection: socket.socket) -> None:
        with tls.wrap_socket(connection, server_side=True) as private:
            private.recv(4096)
            private.sendall(b"HTTP/1.1 503 Not yet\r\nContent-Length: 0\r\n\r\n")

    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)
    with port(answer) as number:
        assert why_not(f"https://127.0.0.1:{number}").code == "server.bad_certificate"
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert why_not(f"https://127.0.0.1:{number}").code == "server.behind_gateway"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:9"),
        ("HTTP_PROXY", "ftp://127.0.0.1:9"),
        ("SSL_CERT_FILE", "/does/not/exist"),
    ],
)
def test_an_environment_that_cannot_be_heeded_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    for other in ("http_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, value)
    error = why_not("http://gpubox.invalid:8000")
    assert error.code == "server.environment"
    assert name in str(error)
    (entry,) = served_by("http://gpubox.invalid:8000")
    assert entry.unreachable is not None
    assert entry.unreachable.code == "server.environment"


def test_a_connection_that_was_kept_too_long_is_not_noticed(connect, script: Script) -> None:
    def count_and_reset(handler, _) -> None:
        handler.send(200, "application/json", b'{"count": 5}')
        time.sleep(0.05)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        handler.connection.shutdown(socket.SHUT_RD)
        handler.close_connection = True

    script.answers["/tokenize"] = count_and_reset
    engine = connect()
    for wait_seconds in (0.0, 0.03, 0.06) * 5:
        assert engine.count((PromptMessage(Role.USER, "hello"),)).total == 5
        time.sleep(wait_seconds)


def test_a_key_that_a_server_quotes_is_hidden(served: tuple[str, Script]) -> None:
    server, script = served
    script.answers["/v1/models"] = with_json({"error": {"message": "no such key: kept-in-the-keyring"}}, 401)
    calls = Calls(address(server), "kept-in-the-keyring")
    answer = calls.ask("GET", "/v1/models")
    calls.close()
    assert "no such key" in str(answer.json)
    assert "kept-in-the-keyring" not in str(answer.json)


def test_closing_in_the_middle_of_everything_leaves_nothing_behind(
    connect, script: Script, caplog: pytest.LogCaptureFixture, recwarn: pytest.WarningsRecorder
) -> None:
    def forever(handler, _) -> None:
        handler.begin()
        while True:
            handler.write(delta("on and ") * 100)

    script.answers["/tokenize"] = with_json({"count": 5})
    script.replies(forever)
    ends: list[str] = []

    def until_closed(work: Callable[[], object]) -> None:
        try:
            while True:
                work()
        except QwenTuiError as error:
            ends.append(error.code)

    for _ in range(10):
        engine = connect()
        works = (
            lambda engine=engine: list(engine.stream(HELLO, threading.Event())),
            lambda engine=engine: engine.count(HELLO.messages),
        )
        threads = [threading.Thread(target=until_closed, args=(work,), daemon=True) for work in works * 2]
        for thread in threads:
            thread.start()
        events = engine.stream(HELLO, threading.Event())
        while not isinstance(next(events), TextDelta):
            pass
        events.close()
        engine.close()
        for thread in threads:
            thread.join(5)
    assert ends == ["engine.closed"] * 40
    wait_for(lambda: "server" not in [thread.name for thread in threading.enumerate()])
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert [str(warning.message) for warning in recwarn if "never awaited" in str(warning.message)] == []


def test_a_name_that_takes_long_to_look_up_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, may_end = threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> None:
        asked.set()
        may_end.wait(20)
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    spec = ModelSpec(server="http://gpubox.invalid:8000")
    try:
        with pytest.raises(QwenTuiError) as caught:
            open_remote(spec, lambda _: None, threading.Event(), Patience(connect=0.2))
        assert asked.is_set()
        assert caught.value.code == "server.unreachable"
        assert "timed out" in str(caught.value)
        waited_for = [each for each in threading.enumerate() if not each.daemon]
        assert waited_for == [threading.main_thread()]
    finally:
        may_end.set()


def test_a_thread_that_begins_late_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 503 Not yet\r\nContent-Length: 0\r\n\r\n")

    forever = asyncio.BaseEventLoop.run_forever

    def late(loop: asyncio.BaseEventLoop) -> None:
        time.sleep(0.1)  # as on a machine with more to do than it can
        forever(loop)

    monkeypatch.setattr(asyncio.BaseEventLoop, "run_forever", late)
    with port(answer) as number:
        assert why_not(f"127.0.0.1:{number}").code == "server.behind_gateway"
