"""Copy text, and report honestly what happened: terminals never confirm that they accepted it."""

import base64
import os
import shutil
import subprocess
from typing import Literal

from textual.app import App

from qwen_tui.strings import say
from qwen_tui.wording.units import in_bytes

MOST_BYTES = 74_000
"""Size limit of one OSC 52: xterm and others silently drop a sequence of more than 100,000 characters."""

TMUX_SECONDS = 1.0

Outcome = Literal["copied", "sent", "too_large", "nothing"]
"""`copied`: tmux has the text and has passed it on. `sent`: written to the terminal, which may ignore it."""


def copy(app: App[object], text: str) -> Outcome:
    """Copy a text: in tmux to its buffer and on to the terminal, elsewhere to the terminal."""
    data = text.encode("utf-8", errors="replace")
    if not data:
        return "nothing"
    if "TMUX" in os.environ and _into_tmux(data):
        return "copied"
    if len(data) > MOST_BYTES:
        return "too_large"
    app.copy_to_clipboard(data.decode())
    return "sent"


def say_outcome(outcome: Outcome, text: str) -> str:
    """Return a sentence on the outcome of copying this text."""
    size = in_bytes(len(text.encode("utf-8", errors="replace")))
    return say(f"clipboard.{outcome}", size=size, limit=in_bytes(MOST_BYTES))


def osc52(data: bytes) -> str:
    """Return the sequence that puts text into the terminal's clipboard."""
    return f"\x1b]52;c;{base64.b64encode(data).decode()}\a"


def _into_tmux(data: bytes) -> bool:
    """Load tmux's buffer and let tmux write to the outer clipboard (`-w`); return False if it refuses.

    Its default `set-clipboard external` drops an OSC 52 from inside. The client must be named, or tmux would
    choose any attached one.
    """
    tmux = shutil.which("tmux")
    if tmux is None:
        return False
    try:
        client = subprocess.run(
            [tmux, "display-message", "-p", "#{client_name}"], capture_output=True, timeout=TMUX_SECONDS
        )
        name = client.stdout.decode(errors="replace").strip()
        target = ["-t", name] if name else []
        load = [tmux, "load-buffer", "-w", *target, "-"]
        return subprocess.run(load, input=data, capture_output=True, timeout=TMUX_SECONDS).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
