"""Finding out what a server is: its address, its models, its window; and what can be wrong."""

import socket
import threading
from collections.abc import Callable

import pytest
from loopback_server import Script, one_after_the_other, with_json

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.remote.address import address
from qwen_tui.engine.remote.api_key import api_key
from qwen_tui.engine.remote.engine import RemoteEngine
from qwen_tui.engine.remote.http_calls import Patience
from qwen_tui.engine.remote.opening import open_remote
from qwen_tui.errors import QwenTuiError

Connect = Callable[..., RemoteEngine]


@pytest.mark.parametrize(
    ("given", "root", "host"),
    [
        ("http://gpubox:8000", "http://gpubox:8000", "gpubox:8000"),
        ("gpubox:8000", "http://gpubox:8000", "gpubox:8000"),
        (" http://gpubox:8000/v1/ ", "http://gpubox:8000", "gpubox:8000"),
        ("https://example.org/llm/v1/chat/completions", "https://example.org/llm", "example.org"),
        ("[::1]:8080", "http://[::1]:8080", "[::1]:8080"),
        ("HTTP://GpuBox:80", "http://gpubox:80", "gpubox:80"),
    ],
)
def test_addresses_are_taken_as_people_type_them(given: str, root: str, host: str) -> None:
    assert address(given)[:2] == (root, host)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "http://",
        "ftp://x",
        "http://a b",
        "http://x:port",
        "http://x?y=1",
        "http://[::1",
        "http://中文",
        "a\nb:1",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(QwenTuiError) as caught:
        address(given)
    assert caught.value.code == "server.bad_address"


def test_a_password_has_no_place_in_an_address() -> None:
    with pytest.raises(QwenTuiError) as caught:
        address("http://me:hunter22@gpubox:8000")
    assert caught.value.code == "server.password_in_address"
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "is_private"),
    [("http://127.0.0.1:1", True), ("http://localhost", True), ("https://a", True), ("http://a", False)],
)
def test_who_can_listen_on_the_way(given: str, is_private: bool) -> None:
    assert address(given).is_private is is_private


def test_a_key_goes_only_where_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = address("http://127.0.0.1:8000"), address("https://example.org/v1")
    assert api_key(here) == api_key(there) == ""
    monkeypatch.setenv("OPENAI_API_KEY", "key-of-openai")
    assert (api_key(here), api_key(there)) == ("key-of-openai", "")
    monkeypatch.setenv("OPENAI_BASE_URL", "https://example.org/v1/")
    assert api_key(there) == "key-of-openai"
    monkeypatch.setenv("QWEN_TUI_API_KEY", "our-own")
    assert api_key(here) == api_key(there) == "our-own"
    monkeypatch.setenv("QWEN_TUI_API_KEY", "two words\n")
    with pytest.raises(QwenTuiError) as caught:
        api_key(here)
    assert caught.value.code == "server.bad_key"


def refused(connect: Connect, **wanted: str) -> QwenTuiError:
    with pytest.raises(QwenTuiError) as caught:
        connect(**wanted)
    return caught.value


def test_the_first_model_is_taken_unless_one_is_named(connect: Connect, script: Script) -> None:
    script.serves({"id": "a/One", "max_model_len": 4096}, {"id": "b/Two"})
    assert connect().info.name == "One"
    assert connect(model="b/Two").info.model == "b/Two"
    error = refused(connect, model="Three")
    assert error.code == "server.no_such_model"
    assert "a/One, b/Two" in str(error)


def test_the_window_is_what_the_server_tells(connect: Connect, script: Script) -> None:
    assert connect().info.context_window == 32768
    assert connect(context_window=10_000).info.context_window == 10_000
    script.serves({"id": "m"})
    info = connect().info
    assert info.context_window == 8192
    assert [reason.code for reason in info.reasons] == ["server.window_assumed"]
    info = connect(context_window=131_072).info
    assert (info.context_window, info.reasons) == (131_072, ())


def test_llama_cpp_tells_its_window_elsewhere(connect: Connect, script: Script) -> None:
    script.serves({"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx_train": 131_072}})
    script.answers["/props"] = with_json({"default_generation_settings": {"n_ctx": 16_384}})
    assert connect().info.context_window == 16_384


def test_ollama_tells_only_of_what_it_has_loaded(connect: Connect, script: Script) -> None:
    script.serves({"id": "qwen2.5:7b", "owned_by": "library"}, {"id": "qwen3:latest", "owned_by": "library"})
    script.answers["/api/version"] = with_json({"version": "0.12"})
    script.answers["/api/ps"] = with_json({"models": [{"name": "qwen2.5:7b", "context_length": 12_000}]})
    assert connect().info.context_window == 12_000
    assert connect(model="qwen3").info.model == "qwen3:latest"
    assert connect(model="qwen3").info.context_window == 4096


def test_nothing_there_is_said_soon() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
    with pytest.raises(QwenTuiError) as caught:
        open_remote(ModelSpec(server=f"127.0.0.1:{port}"), lambda _: None, threading.Event())
    assert caught.value.code == "server.unreachable"


def test_a_server_that_says_nothing_is_given_up_and_can_be_stopped() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        spec = ModelSpec(server=f"127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(QwenTuiError) as caught:
            open_remote(spec, lambda _: None, threading.Event(), Patience(answer=0.3))
        assert caught.value.code == "server.silent"
        stop = threading.Event()
        threading.Timer(0.2, stop.set).start()
        with pytest.raises(QwenTuiError) as caught:
            open_remote(spec, lambda _: None, stop)
        assert caught.value.code == "engine.load_stopped"


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, "server.key_wanted"), (403, "server.forbidden"), (503, "server.behind_gateway")],
)
def test_a_refusal_at_the_door_is_explained(connect: Connect, script: Script, status: int, code: str) -> None:
    script.answers["/v1/models"] = with_json({"error": "no"}, status)
    assert refused(connect).code == code


def test_a_server_that_loads_its_model_is_waited_for(connect: Connect, script: Script) -> None:
    loading = with_json(
        {"error": {"message": "Loading model", "type": "unavailable_error", "code": 503}}, 503
    )
    script.answers["/v1/models"] = one_after_the_other(loading, script.answers["/v1/models"])
    assert connect().info.model == "Qwen/Qwen2.5-72B-Instruct"


@pytest.mark.parametrize(
    "said", [[], "text", {"data": "x"}, {"data": [3, {"id": 7}]}, {"object": "list"}, None]
)
def test_a_list_of_nothing_asks_for_a_name(connect: Connect, script: Script, said: object) -> None:
    script.answers["/v1/models"] = with_json(said)
    assert refused(connect).code in ("server.which_model", "server.garbled")


def test_a_web_server_is_no_chat_server(connect: Connect, script: Script) -> None:
    script.answers["/v1/models"] = lambda handler, _: handler.send(200, "text/html", b"<html>hello</html>")
    assert refused(connect).code == "server.garbled"


def test_a_redirect_is_not_followed_with_the_key(connect: Connect, script: Script) -> None:
    script.answers["/v1/models"] = with_json({}, 307, Location="http://elsewhere.example/v1/models")
    error = refused(connect)
    assert error.code == "server.redirects"
    assert "http://elsewhere.example" in str(error)


@pytest.mark.parametrize("path", ["/api/version", "/openapi.json", "/tokenize"])
@pytest.mark.parametrize("is_cut", [True, False], ids=["cut", "silent"])
def test_what_not_every_server_has_may_fail(
    connect: Connect, script: Script, path: str, is_cut: bool
) -> None:
    def fail(handler, _) -> None:
        handler.close_connection = True
        if not is_cut:
            handler.wait_for_the_drop()

    script.serves({"id": "m", "owned_by": "vllm" if path == "/tokenize" else "somebody"})
    script.answers[path] = fail
    engine = connect()
    assert not engine.info.counts_exactly
    assert path in [seen for _, seen, _, _ in script.seen]


def test_a_model_that_is_listed_twice_or_without_a_name_is_one_or_none(
    connect: Connect, script: Script
) -> None:
    script.serves({"id": ""}, {"id": "a"}, {"id": "a"}, {"id": "b"})
    assert connect().info.model == "a"
    assert "a, b" in str(refused(connect, model="c"))


def test_names_from_a_server_are_cleaned(connect: Connect, script: Script) -> None:
    script.serves({"id": "evil\x1b]52;c;aGk=\x07\u202ename"})
    assert not set("\x1b\x07\u202e") & set(connect().info.name)
