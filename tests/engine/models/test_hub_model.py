"""What the hub says of a model that is not here."""

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import tiny_models
from huggingface_hub import constants
from loopback_hub import LoopbackHub, loopback_hub
from waiting import HANGS

from qwen_tui.engine.local.loading.hub_download import check_way
from qwen_tui.engine.models.catalogue import known
from qwen_tui.engine.models.checkpoint import inspect
from qwen_tui.engine.models.choices import from_hub, named
from qwen_tui.engine.models.hub_address import repository_in
from qwen_tui.engine.models.hub_model import hub_model
from qwen_tui.engine.models.hub_probe import endpoint, hub_environment
from qwen_tui.engine.models.size import size_by_config, size_of
from qwen_tui.errors import QwenTuiError


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    tiny = tiny_models.qwen2(tmp_path / "tiny")
    (tmp_path / "bare").mkdir()
    names = {"me/tiny": tiny, "me/gated": tiny, "me/bare": tmp_path / "bare"}
    with loopback_hub(names) as serving:
        serving.gated.add("me/gated")
        monkeypatch.setenv("HF_ENDPOINT", serving.url)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        yield serving


def test_a_model_on_the_hub_is_told_with_its_size_before_it_is_downloaded(
    hub: LoopbackHub, tmp_path: Path
) -> None:
    entry = from_hub("me/tiny")
    real = size_of(inspect(tmp_path / "tiny"))
    weights = (tmp_path / "tiny" / "model.safetensors").stat().st_size
    assert entry.download_bytes == weights
    assert entry.size is not None
    assert entry.size.parameters == pytest.approx(real.parameters, rel=0.02)
    assert entry.size.kept_parameters == pytest.approx(real.kept_parameters, rel=0.02)
    assert (entry.size.kv_values, entry.size.context_window) == (real.kv_values, real.context_window)
    assert entry.size.dtype == "F32"
    assert not any(request.endswith(".safetensors") for request in hub.requests)
    (tmp_path / "tiny" / "consolidated.safetensors").write_bytes(b"the same in another form")
    (tmp_path / "tiny" / "model.safetensors.index.json").write_text("{}")
    assert from_hub("me/tiny").download_bytes == weights
    (tmp_path / "tiny" / "model.safetensors").rename(tmp_path / "tiny" / "model-00001-of-00001.safetensors")
    assert from_hub("me/tiny").download_bytes == weights


@pytest.mark.parametrize(
    ("model", "code"),
    [
        ("me/nothing", "engine.not_on_hub"),
        ("me/gated", "engine.gated"),
        ("me/bare", "engine.no_model_in_folder"),
        ("me/../../etc", "engine.not_a_name"),
        ("what is this", "engine.not_a_name"),
    ],
)
def test_what_cannot_be_had_is_said(hub: LoopbackHub, model: str, code: str) -> None:
    with pytest.raises(QwenTuiError) as raised:
        hub_model(model)
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("pasted", "name"),
    [
        ("https://huggingface.co/Qwen/Qwen2.5-0.5B-Instruct", "Qwen/Qwen2.5-0.5B-Instruct"),
        (" http://www.huggingface.co/Qwen/Qwen3-4B/?a=b#readme\n", "Qwen/Qwen3-4B"),
        ("https://huggingface.co/Qwen/Qwen3-4B/tree/main", "Qwen/Qwen3-4B"),
        ("https://huggingface.co/Qwen/Qwen3-4B/blob/main/config.json", "Qwen/Qwen3-4B"),
        ("https://huggingface.co/gpt2", "gpt2"),
        ("hf.co/Qwen/Qwen3-4B", "Qwen/Qwen3-4B"),
        ("hf.co/Qwen/Qwen3-4B-GGUF:Q4_K_M", "Qwen/Qwen3-4B-GGUF"),
        ("hf://Qwen/Qwen3-4B", "Qwen/Qwen3-4B"),
        ("http://mirror.test:8080/Qwen/Qwen3-4B", "Qwen/Qwen3-4B"),
    ],
)
def test_a_pasted_address_of_the_hub_is_the_model_it_leads_to(
    pasted: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://mirror.test:8080")
    assert repository_in(pasted) == name
    assert named(pasted).model == name


@pytest.mark.parametrize(
    "text",
    [
        "Qwen/Qwen3-4B",
        "/models/qwen",
        "https://huggingface.co/datasets/me/x",
        "https://huggingface.co/",
        "https://huggingface.co/Qwen/Qwen3-4B/tree/gptq",
        "http://localhost:8080/v1",
        "http://[bad",
        "ftp://huggingface.co/Qwen/Qwen3-4B",
    ],
)
def test_what_is_no_address_of_a_model_stays_as_it_is(text: str) -> None:
    assert repository_in(text) == text


def test_with_the_network_turned_off_nobody_is_asked(
    hub: LoopbackHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(QwenTuiError) as raised:
        hub_model("me/tiny")
    assert raised.value.code == "engine.offline"
    assert hub.requests == []


@contextmanager
def server_that(answer) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server that answers with `answer(handler)`, and the headers of what it was asked."""
    asked_with: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            asked_with.append(dict(self.headers))
            answer(self)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked_with
    finally:
        server.shutdown()
        server.server_close()


def body(handler: BaseHTTPRequestHandler, data: bytes, status: int = 200, **headers: str) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"[1]", 200, "engine.bad_config"),
        (b"<html>", 200, "engine.bad_config"),
        (b'{"siblings": [1, {"rfilename": 3}]}', 200, "engine.no_model_in_folder"),
        (b"", 500, "engine.hub_silent"),
        (b"", 429, "engine.hub_silent"),
        (b"", 403, "engine.hub_silent"),
        (b"", 401, "engine.not_on_hub"),
    ],
)
def test_a_hub_that_answers_otherwise_is_an_error_in_words(
    data: bytes, status: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with server_that(lambda handler: body(handler, data, status)) as (url, _):
        monkeypatch.setenv("HF_ENDPOINT", url)
        with pytest.raises(QwenTuiError) as raised:
            hub_model("me/x")
    assert raised.value.code == code


def test_a_silent_hub_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    over = threading.Event()
    with server_that(lambda _: over.wait(HANGS)) as (url, _):
        monkeypatch.setenv("HF_ENDPOINT", url)
        began = time.monotonic()
        with pytest.raises(QwenTuiError) as raised:
            hub_model("me/x", seconds=0.3)
        assert time.monotonic() - began < HANGS
        over.set()
    assert raised.value.code == "engine.hub_silent"


@pytest.mark.parametrize("status", [401, 403])
def test_a_gated_model_is_told_with_where_to_ask(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    gated = {"X-Error-Code": "GatedRepo"}
    with server_that(lambda handler: body(handler, b"", status, **gated)) as (url, _):
        monkeypatch.setenv("HF_ENDPOINT", url)
        with pytest.raises(QwenTuiError) as raised:
            hub_model("me/x")
    assert raised.value.code == "engine.gated"
    assert f"{url}/me/x" in str(raised.value)
    assert "hf auth login" in str(raised.value)


def test_a_token_that_the_hub_refuses_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_TOKEN", "hf_averysecrettoken")
    with server_that(lambda handler: body(handler, b"", 401)) as (url, _):
        monkeypatch.setenv("HF_ENDPOINT", url)
        with pytest.raises(QwenTuiError) as raised:
            hub_model("me/x")
    assert raised.value.code == "engine.bad_token"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("hf-mirror.com", "https://hf-mirror.com"),
        (" https://hf-mirror.com/ ", "https://hf-mirror.com"),
        ("localhost:8080", "http://localhost:8080"),
        ("", "https://huggingface.co"),
    ],
)
def test_a_mirror_may_be_named_without_its_scheme(
    given: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_ENDPOINT", given)
    assert endpoint() == address
    assert hub_environment() == {"HF_ENDPOINT": address}


@pytest.mark.parametrize("token", ["hf_schlüssel", "hf_密钥"])
def test_a_token_that_cannot_be_sent_is_told(token: str, monkeypatch: pytest.MonkeyPatch, hub) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    for ask in (hub_model, check_way):
        with pytest.raises(QwenTuiError) as raised:
            ask("me/tiny")
        assert raised.value.code == "engine.bad_token"
    monkeypatch.setenv("HF_TOKEN", " hf_averysecrettoken\n")
    assert hub_model("me/tiny").download_bytes


def test_a_socks_proxy_without_its_package_is_told_unless_the_hub_is_excepted(
    monkeypatch: pytest.MonkeyPatch, hub: LoopbackHub
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    for ask in (hub_model, check_way):
        with pytest.raises(QwenTuiError, match="socksio") as raised:
            ask("me/tiny")
        assert raised.value.code == "engine.socks_proxy"
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert hub_model("me/tiny").download_bytes
    check_way("me/tiny")
    assert "ALL_PROXY" not in os.environ


def test_the_token_goes_to_the_hub_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_TOKEN", "hf_averysecrettoken")
    with server_that(lambda handler: body(handler, b'{"siblings": []}')) as (elsewhere, asked_there):

        def sends_on(handler: BaseHTTPRequestHandler) -> None:
            body(handler, b"", 302, Location=f"{elsewhere}{handler.path}")

        with server_that(sends_on) as (url, asked_here):
            monkeypatch.setenv("HF_ENDPOINT", url)
            with pytest.raises(QwenTuiError):
                hub_model("me/x")
    assert [headers.get("Authorization") for headers in asked_here] == ["Bearer hf_averysecrettoken"]
    assert [headers.get("Authorization") for headers in asked_there] == [None]


def test_a_config_and_the_bytes_of_the_weights_give_the_same_as_the_shape() -> None:
    for name in ("Qwen/Qwen2.5-7B-Instruct", "Qwen/Qwen3-4B", "Qwen/Qwen3-30B-A3B"):
        entry = known(name)
        assert entry is not None
        shape = entry.shape
        config = {
            "architectures": ["Qwen3ForCausalLM"],
            "hidden_size": shape.hidden_size,
            "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.attention_heads,
            "num_key_value_heads": shape.kv_heads,
            "head_dim": shape.head_dim,
            "vocab_size": shape.vocab_size,
            "tie_word_embeddings": shape.is_tied,
            "max_position_embeddings": shape.context_window,
            "torch_dtype": "bfloat16",
        }
        if shape.experts:
            moe = {"num_experts": shape.experts, "num_experts_per_tok": shape.active_experts}
            config |= {**moe, "moe_intermediate_size": shape.intermediate_size}
        else:
            config["intermediate_size"] = shape.intermediate_size
        assert size_by_config(json.loads(json.dumps(config)), entry.download_bytes) == shape.size
