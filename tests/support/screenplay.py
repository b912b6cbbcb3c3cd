"""The whole screen on a scripted engine."""

import asyncio
import copy
import threading
import time
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path

from doubles import ScriptedEngine
from textual.events import Key
from textual.pilot import Pilot
from waiting import HANGS

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.store import ConversationStore
from qwen_tui.paths import Places, places
from qwen_tui.session.library import Library
from qwen_tui.settings import config_file
from qwen_tui.ui.app import QwenTuiApp


class Screenplay:
    """Starts the program's screen on a folder of its own, as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.where: Places = places(str(folder), str(folder / "config.toml"))
        self.engine = ScriptedEngine()
        self.loads: list[object] = []
        self.may_open = threading.Event()
        self.may_open.set()
        self.open_error: Exception | None = None

    def open_engine(self, spec, report, stop, make_room):
        self.loads.append(spec)
        while not self.may_open.wait(0.005):
            if stop.is_set():
                break
        if self.open_error is not None:
            raise copy.copy(self.open_error)  # each time it is another one
        self.engine.alive = True
        return self.engine

    @asynccontextmanager
    async def running_at_once(self, size=(120, 36), conversation=None):
        """The screen as soon as its message box has the keyboard, before all of its parts are there."""
        config = config_file.load(self.where.config_file)
        library = Library(ConversationStore(self.where.conversations))
        app = QwenTuiApp(
            config, self.where, library, Drafts(self.where.drafts), self.open_engine, conversation
        )
        async with app.run_test(size=size) as pilot:
            yield pilot

    @asynccontextmanager
    async def running(self, size=(120, 36), conversation=None):
        """The screen when all of it is there."""
        async with self.running_at_once(size, conversation) as pilot:
            await until(pilot, lambda: pilot.app.focused is not None and is_mounted(pilot.app))
            await pilot.pause()
            yield pilot


def is_mounted(app: QwenTuiApp) -> bool:
    """Whether all of the screen is there: a program that is left before that has not begun."""
    return all(widget.is_mounted for widget in app.screen.walk_children(with_self=True))


async def press(pilot: Pilot[None], text: str) -> None:
    """Type a text, as fast as it can be read: the screen is waited for after the last character."""
    names = {
        " ": "space",
        "!": "exclamation_mark",
        "/": "slash",
        ".": "full_stop",
        "_": "underscore",
        "-": "minus",
    }
    for character in text:
        pilot.app.post_message(Key(names.get(character, character), character))
    await pilot.pause()


async def say(pilot: Pilot[None], text: str) -> None:
    """Type a message and send it."""
    await press(pilot, text)
    await pilot.press("enter")


async def until(pilot: Pilot[None], condition: Callable[[], object], seconds: float = HANGS) -> None:
    """Let the app run until this is true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"still not; the screen is:\n{shown(pilot)}"
        await asyncio.sleep(0.02)
        await pilot.pause()


def shown(pilot: Pilot[None]) -> str:
    """What is on the screen, as text."""
    return "\n".join(strip.text.rstrip() for strip in pilot.app.screen._compositor.render_strips())
