"""`qwen-tui doctor`: what it looks at, and what it says of it."""

import locale
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from doubles import QWEN
from pseudo_terminal import Terminal

from qwen_tui.commands.doctor import terminal_query as terminal_answers
from qwen_tui.commands.doctor.check import Check
from qwen_tui.commands.doctor.decoding import decoding_checks
from qwen_tui.commands.doctor.terminal import terminal_checks
from qwen_tui.engine.base import ModelSpec, Reason
from qwen_tui.engine.library_check import PARTS, Part, examine
from qwen_tui.engine.models import hub_probe
from qwen_tui.settings.config_file import Config
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.ui.config_check import unknown_names


def doctor(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "qwen_tui", "doctor", "--data-dir", str(folder / "data"), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        env={**os.environ, **environment},
    )


@pytest.mark.usefixtures("plain_start")
def test_it_says_what_there_is_and_that_the_program_can_run(tmp_path: Path, home_of_its_own: Path) -> None:
    done = doctor(tmp_path, HF_TOKEN="hf_averysecrettoken", LANG="C.UTF-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not done.stderr
    for word in ("Python", "torch 2.", "bitsandbytes 0.", "RAM", "HF_HUB_OFFLINE", "UTF-8", "中文"):
        assert word in done.stdout
    assert "data/cache/quantized · 0 models, 0 B" in done.stdout
    assert done.stdout.rstrip().endswith(say("doctor.can_run"))
    assert "averysecret" not in done.stdout
    assert str(home_of_its_own) not in done.stdout


def test_names_in_the_config_file_that_mean_nothing_are_told(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text('[screen]\ntheme = "qwen-dork"\n[keys]\n"chat.regenrate" = "f7"\n"app.quit" = "f10"\n')
    done = doctor(tmp_path, "--config", str(config))
    assert done.returncode == 0
    assert "qwen-dork" in done.stdout
    assert "chat.regenrate" in done.stdout
    assert "chat.regenerate" in done.stdout
    assert "app.quit" not in done.stdout


def fake(folder: Path, name: str, code: str) -> Path:
    """A folder that, ahead on the path, has another module of this name."""
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.py").write_text(code)
    return folder


def test_where_torch_is_broken_it_says_why_and_exits_with_1(tmp_path: Path) -> None:
    broken = fake(tmp_path / "broken", "torch", "raise ImportError('libcudart.so.13: cannot open')")
    python_path = f"{broken}:{os.environ.get('PYTHONPATH', '')}"
    password = "http://me:verysecret@127.0.0.1:1"
    done = doctor(tmp_path, PYTHONPATH=python_path, HF_ENDPOINT=password, HF_HUB_OFFLINE="0")
    assert done.returncode == 1
    assert "✗ torch" in done.stdout
    assert "libcudart.so.13" in done.stdout
    assert "127.0.0.1:1 is not reachable" in done.stdout
    assert "verysecret" not in done.stdout
    assert done.stdout.rstrip().endswith(say("doctor.cannot_run"))


def test_where_textual_is_broken_it_says_so_and_exits_with_1(tmp_path: Path) -> None:
    broken = fake(tmp_path / "broken", "textual", "raise ImportError('no textual today')")
    done = doctor(tmp_path, PYTHONPATH=f"{broken}:{os.environ.get('PYTHONPATH', '')}")
    assert done.returncode == 1, done.stderr
    assert "✗ Screen" in done.stdout
    assert "no textual today" in done.stdout
    assert done.stdout.rstrip().endswith(say("doctor.cannot_run"))


def test_a_theme_that_textual_brings_is_known_and_an_unknown_one_is_told_shortly() -> None:
    assert not list(unknown_names(Config(Settings(theme="nord"))))
    assert not list(unknown_names(Config(Settings(theme="qwen-light"))))
    (problem,) = unknown_names(Config(Settings(theme="n" * 5000)))
    assert len(str(problem)) < 300


def test_where_nothing_can_be_kept_it_says_so_and_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file in the way")
    done = doctor(tmp_path)
    assert done.returncode == 1
    assert "✗ Conversations" in done.stdout


def test_libraries_that_do_not_answer_are_waited_for_no_longer_than_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = fake(tmp_path / "slow", "torch", "import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", f"{slow}:{os.environ.get('PYTHONPATH', '')}")
    parts = examine(patience_seconds=1.0)
    assert list(parts) == list(PARTS)
    assert not any(part.ok for part in parts.values())
    assert "1 seconds" in parts["torch"].said


def test_one_broken_library_does_not_hide_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = fake(tmp_path / "broken", "bitsandbytes", "raise OSError('GLIBC_2.34 not found')")
    monkeypatch.setenv("PYTHONPATH", f"{broken}:{os.environ.get('PYTHONPATH', '')}")
    parts = examine()
    assert parts["torch"].ok
    assert parts["bitsandbytes"] == (False, "OSError: GLIBC_2.34 not found")


# --- The hub ----------------------------------------------------------------------------------------------


@contextmanager
def hub_that(answers: str) -> Iterator[str]:
    """A server that answers with a status, with garbage, or not at all."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            if answers == "silence":
                over.wait(10)
            elif answers == "garbage":
                self.wfile.write(b"\x00\x1b[31m garbage\r\n\r\n")
            else:
                self.send_response(int(answers))
                self.end_headers()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        over.set()
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ("200", "reachable"),
        ("401", "reachable"),
        ("429", "reachable"),
        ("503", "unreachable"),
        ("garbage", "unreachable"),
        ("silence", "unreachable"),
    ],
)
def test_the_hub_is_asked_once_and_not_for_long(
    answers: str, outcome: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with hub_that(answers) as address:
        monkeypatch.setenv("HF_ENDPOINT", f"{address}/")
        probe = hub_probe.probe(0.5 if answers == "silence" else 3.0)
        assert (probe.endpoint, probe.outcome) == (address, outcome)
        assert "\x1b" not in probe.detail


def test_a_hub_where_nobody_listens_and_one_that_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    for address in ("http://127.0.0.1:1", "no address", "ftp:", "file:///nowhere"):
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert hub_probe.probe().outcome == "unreachable"


@pytest.mark.parametrize("value", ["1", "true", "ON", "Yes"])
def test_nobody_is_asked_when_the_network_is_turned_off(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    with hub_that("200") as address:
        monkeypatch.setenv("HF_ENDPOINT", address)
        assert hub_probe.probe().outcome == "offline"


# --- The terminal -----------------------------------------------------------------------------------------


@contextmanager
def terminal_that(answers: bytes) -> Iterator[int]:
    """A terminal's other end; what it is asked is answered with these bytes, piece by piece."""
    master, slave = pty.openpty()

    def answer() -> None:
        asked = b""
        while b"\x1b[c" not in asked:
            asked += os.read(master, 4096)
        for position in range(0, len(answers), 3):
            os.write(master, answers[position : position + 3])

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    try:
        yield slave
    finally:
        thread.join(5)
        os.close(slave)
        os.close(master)


@pytest.mark.parametrize(
    ("answers", "kitty", "width"),
    [
        (b"\x1b[5;5R\x1b[?0u\x1b[?62;c", True, 4),
        (b"\x1b[5;5R\x1b[?62;c", False, 4),
        (b"\x1b[1;3R\x1b[?1;2c", False, 2),
        (b"\x1b[?1;2c", False, None),
    ],
)
def test_a_terminal_is_asked_and_left_as_it_was(answers: bytes, kitty: bool, width: int | None) -> None:
    import termios

    with terminal_that(answers) as terminal:
        before = termios.tcgetattr(terminal)
        found = terminal_answers.ask(terminal)
        assert termios.tcgetattr(terminal) == before
    assert found == (kitty, width)


def test_a_terminal_that_does_not_answer_is_not_waited_for() -> None:
    with terminal_that(b"") as terminal:
        assert terminal_answers.ask(terminal) == (False, None)


def said(checks: list[Check]) -> dict[str, Check]:
    return {check.name.removeprefix("terminal."): check for check in checks}


@pytest.mark.parametrize(
    ("environment", "colours"),
    [
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "true"),
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "linux"}, "few"),
        ({"TERM": "xterm-direct"}, "true"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "none"),
    ],
)
def test_colours_are_those_that_the_terminal_is_known_for(environment: dict[str, str], colours: str) -> None:
    assert said(list(terminal_checks(environment)))["colours"].said == say(f"doctor.colours.{colours}")


def test_in_tmux_its_settings_are_told_with_what_to_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text(
        '#!/bin/sh\ncase "$*" in -V) echo tmux 3.4;; *set-clipboard) echo off;; *extended-keys) echo on;;'
        " *) exit 1;; esac\n"
    )
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    checks = said(list(terminal_checks({"TMUX": "/tmp/tmux-0/default,1,0", "TERM": "tmux-256color"})))
    assert checks["tmux"].said == "3.4"
    assert checks["clipboard"].state == "note"
    assert "set-clipboard on" in checks["clipboard"].hint
    assert checks["keys"].said.endswith("extended-keys on")
    monkeypatch.setenv("PATH", "/nowhere")
    assert said(list(terminal_checks({"TMUX": "x"})))["clipboard"].said.endswith("?")


def test_a_locale_without_utf8_is_told(tmp_path: Path) -> None:
    done = doctor(tmp_path, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    assert done.returncode == 0
    assert re.search(r"! Locale +C, ANSI", done.stdout)
    assert "中文" in done.stdout


def test_asking_for_the_locale_changes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    before = locale.setlocale(locale.LC_CTYPE)
    monkeypatch.setenv("LC_ALL", "C")
    assert said(list(terminal_checks({"LC_ALL": "C"})))["locale"].state == "note"
    assert locale.setlocale(locale.LC_CTYPE) == before


def test_at_a_terminal_it_tells_of_that_terminal(tmp_path: Path) -> None:
    with Terminal(90, 40, ["doctor"], tmp_path / "data") as terminal:
        terminal.until(say("doctor.can_run"), seconds=90)
        assert terminal.wait() == 0
        text = terminal.text()
    assert "90 × 40" in text
    assert say("doctor.colours.true") in text
    assert "TERM=xterm-256color" in text


# --- How the model of the settings is decoded -------------------------------------------------------------


def decoding(spec: ModelSpec, *, has_gpu: bool = True, **properties: object) -> Check:
    info = replace(QWEN, name="mine", device="cuda:0", **properties)
    load = lambda _: SimpleNamespace(info=info, close=lambda: None)  # noqa: E731
    (check,) = decoding_checks(Part(True, "kernels"), has_gpu=has_gpu, spec=spec, load=load)
    return check


def test_the_model_of_the_settings_says_how_it_is_decoded_and_not_a_toy() -> None:
    compiler = Reason("engine.decoding.no_compiler")
    slow = decoding(ModelSpec(model="guide"), decode_path="graph", reasons=(compiler,))
    assert (slow.state, "mine on cuda:0" in slow.said, "gcc" in slow.hint) == ("note", True, True)
    assert decoding(ModelSpec(model="guide"), decode_path="kernels").state == "ok"
    # Neither is loaded: without a GPU there is one way, and nothing is downloaded to find out.
    for spec, has_gpu in ((ModelSpec(model="guide"), False), (ModelSpec(model="Qwen/Qwen3-8B"), True)):
        check = decoding(spec, has_gpu=has_gpu, decode_path="graph")
        assert check.said == say("receipt.decoding.kernels")
