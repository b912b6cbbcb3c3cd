"""What a person writes is for that person's eyes, and keys are in no file."""

import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pseudo_terminal import Terminal

SECRETS = {
    "HF_TOKEN": "hf_" + "a1B2" * 9,
    "HUGGING_FACE_HUB_TOKEN": "hf_" + "c3D4" * 9,
    "OPENAI_API_KEY": "sk-" + "e5F6" * 9,
    "AWS_SECRET_ACCESS_KEY": "g7H8" * 10,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home directory of its own, in an environment with keys, where files are made for everyone to read."""
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home" / name.lower()))
    for name, secret in SECRETS.items():
        monkeypatch.setenv(name, secret)
    umask = os.umask(0)
    (tmp_path / "home" / "home").mkdir(parents=True)
    yield tmp_path / "home"
    os.umask(umask)


def rest(terminal: Terminal, seconds: float = 0.5) -> None:
    """Let some time pass; something is always being drawn."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        terminal.settle(0.02)


def test_files_are_for_their_owner_alone_and_hold_no_keys(home: Path) -> None:
    data = home / "data"
    arguments = ["--model", "guide", "--device", "cpu"]
    with Terminal(120, 36, arguments, data) as terminal:
        terminal.until("2,048 tokens")
        assert "Umask:\t0000" in Path(f"/proc/{terminal.process.pid}/status").read_text()
        terminal.type("What is a token?\r")
        terminal.until("tok/s")
        terminal.type("\x1bOQ\x1b[C")  # F2: a setting of this conversation
        rest(terminal)
        terminal.type("\x1bOR")  # F3, rename
        terminal.type("r\x15other\r")
        rest(terminal)
        terminal.type("\x1b[3~")  # to the trash
        rest(terminal)
        terminal.type("\x1b")
        terminal.type("a draft that is not sent")
        rest(terminal, 1.5)
        os.kill(terminal.process.pid, 15)
        terminal.wait()
    with Terminal(120, 36, ["--model", "no/such-model"], data) as terminal:
        terminal.until("No model")
        terminal.type("\x11")
        terminal.wait()
    made = [
        path for path in home.rglob("*") if not path.is_relative_to(home / "home" / ".cache" / "huggingface")
    ]
    files = [path for path in made if path.is_file()]
    assert {"conversations", "drafts"} <= {path.name for path in made if path.is_dir()}
    assert any(path.name.endswith(".log") for path in files)
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        content = path.read_bytes()
        for name, secret in SECRETS.items():
            assert secret.encode() not in content, f"{name} in {path}"
    for path in made:
        if path.is_dir() and path.is_relative_to(data):
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path
