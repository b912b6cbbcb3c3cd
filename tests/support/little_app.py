"""A little app with the real composer and header under the real terminal preamble, for tests on a pty.

`python little_app.py LOG [flood|crash|exit|hang|stop]`: what happens is written to a file `events` beside the log.
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

from qwen_tui.errors import QwenTuiError
from qwen_tui.ui.terminal import launch as terminal
from qwen_tui.ui.terminal import signals
from qwen_tui.wording.units import draft_in_words

LOG = Path(sys.argv[1])
MODE = sys.argv[2] if len(sys.argv) > 2 else ""

if "LITTLE_PATIENCE" in os.environ:
    signals.LEAVE_SECONDS = signals.LAST_SECONDS = float(os.environ["LITTLE_PATIENCE"])


def note(event: str) -> None:
    """Write down one event, for the test to read."""
    with open(LOG.parent / "events", "a", encoding="utf-8") as file:
        file.write(f"{event!r}\n")


def make_app() -> object:
    from textual import on
    from textual.app import App, ComposeResult
    from textual.widgets import Static

    from qwen_tui.engine.base import ModelInfo
    from qwen_tui.ui.composer.composer import Composer
    from qwen_tui.ui.themes import THEMES
    from qwen_tui.ui.widgets.header import Header

    class Little(App[None]):
        CSS = "#log { height: 1fr; }"

        def compose(self) -> ComposeResult:
            yield Header()
            yield Static("ready", id="log", markup=False)
            yield Composer(id="composer")

        def on_mount(self) -> None:
            for theme in THEMES:
                self.register_theme(theme)
            self.theme = os.environ.get("LITTLE_THEME", THEMES[0].name)
            self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
            header = self.query_one(Header)
            header.info = ModelInfo(
                name="Qwen2.5-7B-Instruct",
                model="Qwen/Qwen2.5-7B-Instruct",
                architecture="Qwen2ForCausalLM",
                parameters=7_615_616_512,
                context_window=32768,
                quantization="4bit",
                dtype="bfloat16",
                device="cuda:0",
            )
            header.used_tokens = 1204
            composer = self.query_one(Composer)
            composer.history = ("first message", "second message")
            composer.focus()
            print("a print", flush=True)
            os.write(2, b"native noise\n")
            if MODE == "flood":
                self.set_interval(0.005, self.flood)
            if MODE == "crash":
                self.set_timer(0.2, lambda: 1 / 0)
            if MODE == "exit":
                self.set_timer(0.2, lambda: sys.exit(3))
            if MODE == "stop":
                self.call_after_refresh(lambda: self.set_timer(0.2, self.stop_while_writing))
            note("mounted")

        def flood(self) -> None:
            self.query_one("#log", Static).update("\n".join(os.urandom(2000).hex()[:300] for _ in range(30)))

        def stop_while_writing(self) -> None:
            """Be stopped where the main thread has the lock of what is to be written."""
            with self._driver._writer_thread._queue.mutex:
                os.kill(os.getpid(), signal.SIGTSTP)
                time.sleep(0.01)

        @on(Composer.Submitted)
        def sent(self, event: Composer.Submitted) -> None:
            note(f"sent {event.text}")
            note(f"reading {sum(each.name == 'textual-input' for each in threading.enumerate())}")

        @on(Composer.DraftChanged)
        def changed(self) -> None:
            composer = self.query_one(Composer)
            note(f"draft {composer.text}")
            composer.draft_words = draft_in_words(len(composer.text))

        @on(Composer.Failed)
        def failed(self, event: Composer.Failed) -> None:
            note(f"failed {event.error}")

    return Little()


def leave() -> None:
    """What the program does on a signal."""
    note("leave")
    if MODE == "hang":
        time.sleep(3600)


if __name__ == "__main__":
    try:
        terminal.check_tty()
    except QwenTuiError as error:
        print(f"qwen-tui: {error}", file=sys.stderr)
        sys.exit(2)
    sys.exit(terminal.run(make_app, LOG, leave))
