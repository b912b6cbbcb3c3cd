"""The same reply through the whole program: what its screen, its files and its threads cost the engine."""

import asyncio
import statistics
import tempfile
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from textual import events

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.messages import Role, Run
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.bench_rows import NEW_TOKENS, ask
from qwen_tui.config_file import Config
from qwen_tui.engine.base import Event, Finished, ModelInfo, PromptMessage, Request, StopFlag, TokenCounts
from qwen_tui.engine.client import LocalEngine
from qwen_tui.library import Library
from qwen_tui.paths import places
from qwen_tui.settings import Settings
from qwen_tui.ui.app import QwenTuiApp

SIZE = (120, 40)
"""Columns and rows of the screen, which is drawn in full and shown to nobody."""

LOOK_SECONDS = 0.02


class Through(NamedTuple):
    """Tokens a second, the median of several replies."""

    alone: float
    app: float


def through_app(engine: LocalEngine, text: str, repeats: int) -> Through:
    """Have the same message answered by the engine alone and in the program, in turn with each other."""
    message = (PromptMessage(Role.USER, text),)
    alone = [ask(engine, message, reuse=True).run for _ in range(repeats)]
    with tempfile.TemporaryDirectory(prefix="qwen-tui-bench-") as folder:
        app = _in_app(engine, Path(folder), text, repeats)
    alone += [ask(engine, message, reuse=True).run for _ in range(repeats)]
    return Through(_rate(alone), _rate(app))


def _rate(runs: Sequence[Run]) -> float:
    return statistics.median(run.tokens_per_second for run in runs)


def _in_app(engine: LocalEngine, folder: Path, text: str, repeats: int) -> list[Run]:
    where = places(str(folder), str(folder / "config.toml"))
    watched = _Watched(engine)
    drafts = Drafts(where.drafts)
    library = Library(ConversationStore(where.conversations, drafts))
    settings = Settings(max_new_tokens=NEW_TOKENS, seed=0)
    app = QwenTuiApp(Config(settings), where, library, drafts, lambda *_: watched)

    async def play(pilot: Any) -> None:
        for number in range(repeats + 1):  # the first one warms it up
            await pilot.press("ctrl+n")
            app.post_message(events.Paste(text))
            await pilot.pause()
            await pilot.press("enter")
            while len(watched.runs) <= number:
                await asyncio.sleep(LOOK_SECONDS)
            await pilot.pause()
        app.exit()

    app.run(headless=True, size=SIZE, auto_pilot=play)
    return watched.runs[1:]


class _Watched:
    """The engine, with replies of full length, and their receipts. It is not the app's to close."""

    def __init__(self, engine: LocalEngine) -> None:
        self._engine = engine
        self._closed = threading.Event()
        self.runs: list[Run] = []

    @property
    def info(self) -> ModelInfo:
        return self._engine.info

    @property
    def alive(self) -> bool:
        return not self._closed.is_set()

    def count(
        self,
        messages: Sequence[PromptMessage],
        thinking: bool | None = None,
        *,
        continues: bool = False,
        stop: StopFlag | None = None,
    ) -> TokenCounts:
        return self._engine.count(messages, thinking, continues=continues, stop=stop)

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        for event in self._engine.stream(replace(request, ignores_end=True), stop):
            yield event
            if isinstance(event, Finished):
                self.runs.append(event.run)

    @property
    def reads_ahead(self) -> bool:
        return self._engine.reads_ahead

    def prepare(self, messages: Sequence[PromptMessage], thinking: bool | None = None) -> None:
        self._engine.prepare(messages, thinking)

    def close(self) -> None:
        self._closed.set()
