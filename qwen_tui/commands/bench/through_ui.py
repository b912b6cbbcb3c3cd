"""Time the same reply through the whole program: the cost of its screen, files and threads.

Both are timed on this side of the pipe, where text is received and saved: from the engine's first text until
it reports the end of the reply. The delay until the whole reply is drawn is a separate figure: it does not
depend on the length of the reply, unless the screen falls behind.
"""

import asyncio
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, cast

from textual import events

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.messages import Role
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.bench.measure import NEW_TOKENS, SPARE_TOKENS, Row
from qwen_tui.engine.base import (
    Engine,
    Event,
    Finished,
    PromptMessage,
    Request,
    Sampling,
    StopFlag,
    TextDelta,
    ThinkingDelta,
)
from qwen_tui.paths import places
from qwen_tui.session.library import Library
from qwen_tui.settings.config_file import Config
from qwen_tui.settings.options import Settings
from qwen_tui.ui.app import QwenTuiApp
from qwen_tui.ui.textual_patches.frames import watch_frames
from qwen_tui.ui.transcript.message_view import MessageView

SIZE = (120, 40)
"""Columns and rows of the screen, which is rendered in full but not displayed."""

LOOK_SECONDS = 0.02

REPLY_SECONDS = 4.0
"""Target length of the replies, if the window allows.

Text arrives at most sixty times a second, so in a reply of half a second one batch more or less is a
thirtieth.
"""


class Through(NamedTuple):
    """Speeds in tokens per second, medians of several replies."""

    alone: float
    app: float
    drawn_seconds: float
    """Time from the end of a reply until all of it is drawn."""


class Timed(NamedTuple):
    """The timing of one reply of the engine."""

    began: float
    """`time.monotonic()` when the first text arrived."""
    ended: float
    """`time.monotonic()` when the end was reported."""
    tokens: int
    """The tokens that arrived in between."""

    @property
    def rate(self) -> float:
        """Tokens per second."""
        return self.tokens / (self.ended - self.began)


def reply_tokens(row: Row, window: int) -> int:
    """Return how many tokens to generate for a prompt of this row."""
    return max(NEW_TOKENS, min(round(REPLY_SECONDS * row.decode), window - row.context - SPARE_TOKENS))


def through_app(engine: Engine, text: str, new_tokens: int, repeats: int) -> Through:
    """Have the same message answered by the engine alone, in the program, and alone again."""
    alone = _alone(engine, text, new_tokens, repeats)
    with tempfile.TemporaryDirectory(prefix="qwen-tui-bench-") as folder:
        app, drawn = _in_app(engine, Path(folder), text, new_tokens, repeats)
    alone += _alone(engine, text, new_tokens, repeats)
    late = [at - reply.ended for reply, at in zip(app, drawn, strict=True)]
    return Through(_rate(alone), _rate(app), statistics.median(late))


def _rate(replies: Sequence[Timed]) -> float:
    return statistics.median(reply.rate for reply in replies)


def _alone(engine: Engine, text: str, new_tokens: int, repeats: int) -> list[Timed]:
    watched = _Watched(engine)
    request = Request(
        messages=(PromptMessage(Role.USER, text),),
        sampling=Sampling(max_new_tokens=new_tokens, seed=0),
    )
    for _ in range(repeats):
        for _ in watched.stream(request, threading.Event()):
            pass
    return watched.replies


def _in_app(
    engine: Engine, folder: Path, text: str, new_tokens: int, repeats: int
) -> tuple[list[Timed], list[float]]:
    """Return the replies, and the `time.monotonic()` at which each was completely drawn."""
    where = places(str(folder), str(folder / "config.toml"))
    watched = _Watched(engine)
    drafts = Drafts(where.drafts)
    library = Library(ConversationStore(where.conversations, drafts))
    settings = Settings(max_new_tokens=new_tokens, seed=0)
    app = QwenTuiApp(Config(settings), where, library, drafts, lambda *_: cast(Engine, watched))
    drawn: list[float] = []

    def note_frame() -> None:
        """Record when the log shows the stored reply, with its receipt."""
        if len(drawn) < len(watched.replies):
            views = app.screen.query(MessageView)
            if views and views.last().message.receipt:
                drawn.append(time.monotonic())

    watch_frames(app, note_frame)

    async def play(pilot: Any) -> None:
        for number in range(repeats + 1):  # the first one is a warm-up
            await pilot.press("ctrl+n")
            app.post_message(events.Paste(text))
            await pilot.pause()
            await pilot.press("enter")
            while len(drawn) <= number:
                await asyncio.sleep(LOOK_SECONDS)
            await pilot.pause()
        app.exit()

    app.run(headless=True, size=SIZE, auto_pilot=play)
    return watched.replies[1:], drawn[1:]


class _Watched:
    """Wraps the engine to time replies of full length; closing it does not close the engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = threading.Event()
        self.replies: list[Timed] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    @property
    def alive(self) -> bool:
        return not self._closed.is_set()

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        began, tokens = 0.0, 0
        for event in self._engine.stream(replace(request, ignores_end=True), stop):
            if isinstance(event, TextDelta | ThinkingDelta):
                # Tokens that arrive with the first text were generated before.
                tokens += event.tokens if began else 0
                began = began or time.monotonic()
            elif isinstance(event, Finished):
                self.replies.append(Timed(began, time.monotonic(), tokens))
            yield event

    def close(self) -> None:
        self._closed.set()
