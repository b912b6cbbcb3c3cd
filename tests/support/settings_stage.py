"""The settings pane, on the assembled screen or alone: what stands in it, and what the values have come to.

Alone it needs a fifth of the time; there only the values of a conversation can be changed.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from screenplay import Screenplay, until
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from qwen_tui.chat.messages import Json
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import ModelInfo
from qwen_tui.session.library import Library
from qwen_tui.settings import config_file
from qwen_tui.settings.options import Settings
from qwen_tui.ui.settings.pane import SettingsPane
from qwen_tui.ui.settings.row import SettingRow


class SettingsStage:
    """Reads the pane as a person would, and gives the keyboard to one of its rows."""

    def __init__(self, pilot: Pilot[Any]) -> None:
        self.pilot = pilot
        self.app = pilot.app
        self.pane = pilot.app.screen.query_one(SettingsPane)

    @property
    def overrides(self) -> Mapping[str, Json]:
        """What the conversation that is shown sets for itself."""
        return self.pane._session.conversation.overrides

    @property
    def defaults(self) -> Settings:
        return self.app.settings

    @property
    def lines(self) -> list[str]:
        """The screen without what stands left of the pane, and without its scroll bar."""
        strips = self.app.screen._compositor.render_strips()
        return [strip.crop(self.pane.content_region.x).text.rstrip(" ▁▂▃▄▅▆▇█") for strip in strips]

    def line(self, label: str) -> str:
        return next(line for line in self.lines if label in line)

    @property
    def help(self) -> str:
        top = self.pane.query_one("#settings-foot").region.y
        return " ".join(" ".join(self.lines[top + 1 : self.pane.region.bottom]).split())

    @property
    def idle(self) -> set[str]:
        """The settings whose rows say that they have no effect."""
        return {row.option.name for row in self.pane.query(SettingRow) if row.has_class("-idle")}

    @property
    def names(self) -> list[str]:
        """The settings that are shown, from top to bottom."""
        return [row.option.name for row in self.pane.query(SettingRow) if row.display]

    def has_keyboard(self, name: str) -> bool:
        return self.app.focused is self.pane.query_one(f"#setting-{name.replace('_', '-')}")

    async def go_to(self, name: str) -> None:
        self.pane.go_to(name)
        await self.pilot.pause()

    async def set(self, **values: Json) -> None:
        """Have the conversation set these values for itself, and no others."""
        self.pane._session.adjust(lambda conversation: replace(conversation, overrides=values))
        self.pane.show_session(self.pane._session)
        await self.pilot.pause()

    async def until(self, condition: Callable[[], object]) -> None:
        await until(self.pilot, condition)


class PaneAlone(App[None]):
    """No more than the pane."""

    CSS = "SettingsPane { dock: right; width: 36; border-left: solid; }"

    def __init__(self, play: Screenplay, info: ModelInfo) -> None:
        super().__init__()
        self.settings = config_file.load(play.where.config_file).settings
        self.info = info
        self.pane = SettingsPane(Library(ConversationStore(play.where.conversations)).new())

    def compose(self) -> ComposeResult:
        yield self.pane

    def on_mount(self) -> None:
        self.pane.complete()
        self.pane.show_defaults(self.settings)
        self.pane.show_model(self.info)


@asynccontextmanager
async def pane_alone(
    play: Screenplay,
    info: ModelInfo,
    *,
    size: tuple[int, int] = (80, 40),
    config: str = "",
    **overrides: Json,
) -> AsyncIterator[SettingsStage]:
    """The pane with this model, this config file, and these values of the conversation's own."""
    write_config(play, config)
    async with PaneAlone(play, info).run_test(size=size) as pilot:
        stage = SettingsStage(pilot)
        await stage.set(**overrides)
        yield stage


def write_config(play: Screenplay, config: str) -> None:
    play.where.config_file.parent.mkdir(parents=True, exist_ok=True)
    play.where.config_file.write_text(config)


@asynccontextmanager
async def settings_stage(
    play: Screenplay,
    info: ModelInfo,
    *,
    size: tuple[int, int] = (120, 50),
    config: str = "",
    **overrides: Json,
) -> AsyncIterator[SettingsStage]:
    """The screen with this model loaded, this config file, and these values of the conversation's own."""
    play.engine.info = info
    write_config(play, config)
    async with play.running(size=size) as pilot:
        stage = SettingsStage(pilot)
        await stage.until(lambda: stage.pane._info is not None and stage.pane.query("#setting-model"))
        if size[0] < 100:
            await pilot.press("f2")
        await stage.set(**overrides)
        yield stage
