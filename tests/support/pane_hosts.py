"""Apps around one pane that record what it says and, like the screen, hand the changed values down again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Static

from qwen_tui.engine.base import ModelInfo
from qwen_tui.settings.options import Settings
from qwen_tui.ui.settings.pane import SettingsPane

QWEN = ModelInfo(
    name="Qwen3-4B",
    model="Qwen/Qwen3-4B",
    architecture="Qwen3ForCausalLM",
    parameters=4_000_000_000,
    context_window=32_768,
    quantization="none",
    dtype="bfloat16",
    device="cuda:0",
    can_think=True,
    sampling_defaults={"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20},
)


def lines(app: App[Any]) -> list[str]:
    """The screen as text, one string a row."""
    return [strip.text for strip in app.screen._compositor.render_strips()]


async def until(pilot: Pilot[Any], condition: Callable[[], object]) -> None:
    """Let the app work until the condition holds."""
    for _ in range(100):
        if condition():
            return
        await pilot.pause()
    raise AssertionError("the condition never came to hold")


class Host(App[None]):
    BINDINGS: ClassVar = [Binding("escape", "esc")]

    def __init__(self) -> None:
        super().__init__()
        self.said: list[tuple[Any, ...]] = []

    def action_esc(self) -> None:
        self.said.append(("esc",))


class SettingsHost(Host):
    CSS = "SettingsPane { dock: right; width: 32; }"

    def __init__(self, *, echoes: bool = True, **given: Any) -> None:
        super().__init__()
        self.echoes = echoes
        self.given = {"info": QWEN, **given}

    def compose(self) -> ComposeResult:
        yield Static("the log")
        yield SettingsPane()

    def on_mount(self) -> None:
        for name, value in self.given.items():
            setattr(self.pane, name, value)

    @property
    def pane(self) -> SettingsPane:
        return self.query_one(SettingsPane)

    def line(self, label: str) -> str:
        """The row on the screen with this label, without what stands left of the pane."""
        left = self.pane.region.x
        return next(line[left:].rstrip() for line in lines(self) if label in line[left:])

    @property
    def help(self) -> str:
        left, top = self.pane.region.x, self.query_one("HelpLines").region.y
        return " ".join(" ".join(line[left:] for line in lines(self)[top + 1 :]).split())

    @on(SettingsPane.Changed)
    def _changed(self, event: SettingsPane.Changed) -> None:
        self.said.append(("changed", event.name, event.value, event.layer))
        if self.echoes:
            self.echo(event.name, event.value, event.layer)

    def echo(self, name: str, value: Any, layer: str) -> None:
        if layer == "conversation":
            self.pane.overrides = {**self.pane.overrides, name: value}
        else:
            self.pane.settings = replace(self.pane.settings, **{name: value})

    @on(SettingsPane.Reset)
    def _reset(self, event: SettingsPane.Reset) -> None:
        self.said.append(("reset", event.name, event.layer))
        if event.layer == "conversation":
            self.pane.overrides = {k: v for k, v in self.pane.overrides.items() if k != event.name}
        else:
            self.echo(event.name, getattr(Settings(), event.name), "defaults")

    @on(SettingsPane.ModelRequested)
    def _model_requested(self, event: SettingsPane.ModelRequested) -> None:
        self.said.append(("model", event.model, event.quantization, event.device))


@contextmanager
def forgetting(app: Host) -> Iterator[list[tuple[Any, ...]]]:
    """Only what is said from here on."""
    app.said.clear()
    yield app.said
