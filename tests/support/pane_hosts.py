"""Apps around one pane that record what it says and, like the screen, hand the changed values down again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import Static

from qwen_tui.engine.base import ModelInfo
from qwen_tui.ui.conversations.pane import ConversationsPane
from qwen_tui.ui.conversations.row import ConversationRow

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
NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)


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


class ConversationsHost(Host):
    CSS = "ConversationsPane { dock: left; width: 26; }"

    def __init__(self, entries: tuple[ConversationRow, ...] = (), open_id: str | None = None) -> None:
        super().__init__()
        self.entries = entries
        self.open_id = open_id

    def compose(self) -> ComposeResult:
        yield ConversationsPane(clock=lambda: NOON)
        yield Static("the log")

    def on_mount(self) -> None:
        self.pane.entries = self.entries
        self.pane.open_id = self.open_id
        self.query_one("ConversationList").focus()

    @property
    def pane(self) -> ConversationsPane:
        return self.query_one(ConversationsPane)

    @property
    def shown(self) -> list[str]:
        """What stands in the list, row by row, with its marks."""
        region = self.query_one("ConversationList").region
        rows = [line[: region.width].rstrip() for line in lines(self)[region.y : region.bottom]]
        return [row for row in rows if row]

    @on(ConversationsPane.Opened)
    def _opened(self, event: ConversationsPane.Opened) -> None:
        self.said.append(("opened", event.id))
        self.pane.open_id = event.id

    @on(ConversationsPane.NewRequested)
    def _new(self) -> None:
        self.said.append(("new",))

    @on(ConversationsPane.RenameRequested)
    def _renamed(self, event: ConversationsPane.RenameRequested) -> None:
        self.said.append(("renamed", event.id, event.name))

    @on(ConversationsPane.PinRequested)
    def _pinned(self, event: ConversationsPane.PinRequested) -> None:
        self.said.append(("pinned", event.id, event.pinned))

    @on(ConversationsPane.TrashRequested)
    def _trashed(self, event: ConversationsPane.TrashRequested) -> None:
        self.said.append(("trashed", event.id))
        self.pane.entries = tuple(row for row in self.pane.entries if row.id != event.id)

    @on(ConversationsPane.UndoRequested)
    def _undone(self) -> None:
        self.said.append(("undo",))


@contextmanager
def forgetting(app: Host) -> Iterator[list[tuple[Any, ...]]]:
    """Only what is said from here on."""
    app.said.clear()
    yield app.said
