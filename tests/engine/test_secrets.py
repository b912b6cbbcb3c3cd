"""No token, key or password in any file: not in the log, not in an error, whatever a library prints."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from faulty_model import faulty, tell
from hypothesis import given
from hypothesis import strategies as st
from waiting import wait_for
from walking import files_below

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import ModelSpec, PromptMessage, Request, Sampling
from qwen_tui.engine.opening import open_engine, start_worker
from qwen_tui.engine.redaction import HIDDEN, known_secrets, redacted
from qwen_tui.engine.wire import Load
from qwen_tui.engine.worker import Worker
from qwen_tui.errors import QwenTuiError

TOKEN = "hf_" + "AbCdEfGhIjKlMnOpQr"
ODD = "a-mirror's own=token/1"
"""A token that has not the hub's shape."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"401 for token {TOKEN}.", f"401 for token {HIDDEN}."),
        (f"{{'authorization': 'Bearer {ODD}'}}", f"{{'authorization': 'Bearer {HIDDEN}'}}"),
        ("GET https://me:pass@hub.example/x", f"GET https://{HIDDEN}@hub.example/x"),
        (
            "https://cdn.example/a?X-Amz-Signature=abc123&b=1",
            f"https://cdn.example/a?X-Amz-Signature={HIDDEN}&b=1",
        ),
        ("key ABC-secret-XYZ and more", f"key {HIDDEN} and more"),
        ("https://hub.example/a@b, 3 tokens, hf_hub", "https://hub.example/a@b, 3 tokens, hf_hub"),
    ],
)
def test_secrets_are_hidden_and_the_rest_stays(
    text: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_KEY", "ABC-secret-XYZ")
    monkeypatch.setenv("HF_TOKEN", ODD)
    assert redacted(text) == expected


@given(st.text())
def test_any_text_can_be_redacted_twice(text: str) -> None:
    assert redacted(redacted(text, ()), ()) == redacted(text, ())


def test_settings_whose_names_only_sound_secret_are_none(
    monkeypatch: pytest.MonkeyPatch, home_of_its_own: Path
) -> None:
    monkeypatch.setenv("TOKENIZERS_PARALLELISM", "false")
    monkeypatch.setenv("HF_TOKEN_PATH", str(home_of_its_own / "elsewhere"))
    monkeypatch.setenv("MOST_TOKENS", "123456789")
    monkeypatch.setenv("HF_TOKEN", "short")
    assert known_secrets() == ()
    (home_of_its_own / "elsewhere").write_text(f"{ODD}\n")
    assert known_secrets() == (ODD,)


class RefusingHub:
    """Answers everything with one status, and repeats what it was told."""

    def __init__(self) -> None:
        self.status = 401
        self.told: list[str] = []
        self.address = ""


@contextmanager
def refusing_hub() -> Iterator[RefusingHub]:
    """Serve it until the end of the block."""
    hub = RefusingHub()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            hub.told.append(self.headers.get("Authorization", ""))
            body = f'{{"error": "no access with {hub.told[-1]}"}}'.encode()
            self.send_response(hub.status)
            self.send_header("X-Error-Message", f"no access with {hub.told[-1]}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        hub.address = f"127.0.0.1:{server.server_port}"
        yield hub
    finally:
        server.shutdown()
        server.server_close()


def every_byte_under(*places: Path) -> bytes:
    return b"".join(file.read_bytes() for file in files_below(*places))


def refused(worker: Worker) -> str:
    """What is said of a model that the hub refuses."""
    asked = worker.ask(Load(ModelSpec(model="me/private", device="cpu")))
    while not isinstance(answer := asked.next(60), QwenTuiError):
        assert answer is not None
    return f"{answer} {answer.as_json()}"


@pytest.mark.parametrize(
    ("kept", "person"), [("in the environment", ""), ("on file", ""), ("on file", "me:a-password@")]
)
def test_a_token_that_the_hub_refuses_is_in_no_error_and_no_file(
    kept: str, person: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home_of_its_own: Path
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_DEBUG", "1")
    token_file = home_of_its_own / "hf_home" / "token"
    if kept == "on file":
        token_file.parent.mkdir(parents=True)
        token_file.write_text(TOKEN)
    else:
        monkeypatch.setenv("HF_TOKEN", TOKEN)
    log_file = tmp_path / "log" / "qwen-tui.log"
    said = []
    with refusing_hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", f"http://{person}{hub.address}")
        worker = start_worker(log_file)
        for hub.status in (401, 500):
            hub.told.clear()
            said.append(refused(worker))
            assert hub.told
            assert person or any(TOKEN in header for header in hub.told)
        worker.end()
    token_file.unlink(missing_ok=True)
    secrets = [TOKEN, "a-password", base64.b64encode(b"me:a-password").decode()]
    written = every_byte_under(tmp_path, home_of_its_own).decode("utf-8", "replace")
    assert "Traceback" in written
    for secret in secrets:
        assert secret not in written
        assert all(secret not in sentence for sentence in said)


def test_what_a_library_prints_is_in_the_log_without_its_secrets(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HF_TOKEN", ODD)
    folder = faulty(tmp_path / "model")
    log_file = tmp_path / "log" / "qwen-tui.log"
    engine = open_engine(
        ModelSpec(model=str(folder), device="cpu", trust_remote_code=True),
        log_file,
        lambda _: None,
        threading.Event(),
    )
    tell(folder, "decode", "tells")
    request = Request(messages=(PromptMessage(Role.USER, "x"),), sampling=Sampling(max_new_tokens=2))
    with pytest.raises(QwenTuiError) as raised:
        list(engine.stream(request, threading.Event()))
    engine.close()
    wait_for(lambda: "it failed with" in log_file.read_text())
    for text in (log_file.read_text(), str(raised.value), str(raised.value.as_json())):
        assert HIDDEN in text
        assert ODD not in text
