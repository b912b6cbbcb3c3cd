"""The content of an empty conversation: the model, suggestions to try, and the last conversations."""

from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.events import Click, Resize
from textual.message import Message as Posted
from textual.reactive import reactive
from textual.widgets import Static

from qwen_tui.chat.index import Entry
from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.host import Asleep, EngineState, Failed, Opening, Ready
from qwen_tui.strings import say
from qwen_tui.ui.widgets.prose import Prose
from qwen_tui.wording.times import here_and_now, last_use
from qwen_tui.wording.units import in_millions

MARK = """\
▄▀▀▀▀▀▀▄
█  ›_  █
▀▄▄▄▄▄▀▄"""
"""A Q that is a speech bubble, with a prompt in it."""


class Suggestion(Static):
    """A suggestion to try, or a conversation to return to; chosen by click or enter."""

    DEFAULT_CSS: ClassVar[str] = """
    Suggestion {
        height: auto;
        padding: 0 1;
        &:hover { background: $surface; color: $accent; }
        &:focus { background: $block-cursor-background; color: $block-cursor-foreground; }
        &:ansi:focus { text-style: reverse; }
    }
    """

    @dataclass
    class Chosen(Posted):
        """The person chose a text for the message box, or the conversation with this id."""

        text: str
        conversation_id: str

    def __init__(self, text: str, conversation_id: str = "", note: str = "") -> None:
        shown = Content.assemble(f"› {text}", (f"  {note}" if note else "", "dim"))
        super().__init__(shown, classes="suggestion", markup=False)
        self._text, self._conversation_id = text, conversation_id

    @on(Click)
    def choose(self) -> None:
        """Post that this suggestion was chosen."""
        self.post_message(self.Chosen(self._text, self._conversation_id))


class Welcome(Vertical):
    """Shown in the log while there are no messages. The suggestions are one tab stop, navigated with the arrows."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", say("welcome.key.choose"), id="welcome.choose"),
        Binding("up", "walk(-1)", say("welcome.key.previous"), id="welcome.previous", show=False),
        Binding("down", "walk(1)", say("welcome.key.next"), id="welcome.next", show=False),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Welcome {
        height: auto;
        padding: 1 3;
        max-width: 104;
        & > Horizontal { height: auto; }
        #welcome-mark { width: 11; color: $accent; }
        #welcome-who { height: auto; min-height: 3; }
        #welcome-title { text-style: bold; color: $accent; }
        #welcome-where { color: $text-muted; height: auto; }
        .column { height: auto; margin-top: 1; }
        .heading { color: $text-muted; }
        #welcome-recent { display: none; }
        &.-recent #welcome-recent { display: block; }
        &.-wide.-recent #welcome-columns { layout: horizontal; }
        &.-wide.-recent .column { width: 1fr; }
    }
    """

    WIDE: ClassVar[int] = 96
    """From this width on, the suggestions and the conversations stand side by side."""

    state: reactive[EngineState | None] = reactive(None)
    recent: reactive[tuple[Entry, ...]] = reactive[tuple[Entry, ...]](())
    """The most recently used conversations, offered for continuing."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Suggestion] = []
        self._suggests: tuple[str, tuple[Entry, ...]] = "", ()
        """The texts that are shown."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Static(MARK, id="welcome-mark", markup=False)
            with Vertical(id="welcome-who"):
                yield Static(say("welcome.title"), id="welcome-title", markup=False)
                yield Static(id="welcome-where", markup=False)
        with Vertical(id="welcome-columns"):
            yield Vertical(id="welcome-try", classes="column")
            yield Vertical(id="welcome-recent", classes="column")

    def on_mount(self) -> None:
        """Show the state that was set before the widget was mounted."""
        self.watch_state()

    def watch_state(self) -> None:
        """Describe the model, and suggest what suits it."""
        if not self.query("#welcome-where"):
            return
        info = self.state.engine.info if isinstance(self.state, Ready) else None
        self.query_one("#welcome-where", Static).update(Prose(self._where(info)))
        kind = "guide" if info is None or info.model == "guide" else "any"
        if self._suggests != (kind, self.recent):  # unchanged suggestions stay: one may have the focus
            self._suggests, now = (kind, self.recent), here_and_now()
            tries = [Suggestion(say(f"welcome.{kind}.{number}")) for number in (1, 2, 3)]
            recent = [Suggestion(each.name, each.id, last_use(each.updated, now)) for each in self.recent]
            self._rows = [*tries, *recent]
            self._rows[0].can_focus = True
            for column, rows in (("try", tries), ("recent", recent)):
                place = self.query_one(f"#welcome-{column}", Vertical)
                place.remove_children()
                place.mount(Static(say(f"welcome.{column}"), classes="heading", markup=False), *rows)
            self.set_class(bool(recent), "-recent")

    def watch_recent(self) -> None:
        self.watch_state()

    def on_resize(self, event: Resize) -> None:
        """Put the columns side by side where there is room."""
        self.set_class(event.size.width >= self.WIDE, "-wide")

    def action_walk(self, by: int) -> None:
        """Move to the suggestion above or below; below the last one, to the next widget."""
        here = next(at for at, row in enumerate(self._rows) if row.can_focus)
        there = here + by
        if there == len(self._rows):
            self.screen.focus_next()
        elif there >= 0:
            self._rows[there].can_focus = True
            self.screen.set_focus(self._rows[there])
            self._rows[here].can_focus = False

    def action_choose(self) -> None:
        next(row for row in self._rows if row.can_focus).choose()

    def _where(self, info: ModelInfo | None) -> str:
        if info is None:
            if isinstance(self.state, Failed):
                return str(self.state.error)
            if isinstance(self.state, Asleep):
                return say("welcome.asleep", name=self.state.engine.info.name)
            return say("welcome.loading" if isinstance(self.state, Opening | None) else "welcome.no_model")
        window = "welcome.server.window" if info.server else "welcome.window"
        lines = [_model(info), say(window, window=info.context_window)]
        if not info.counts_exactly:
            lines.append(say("welcome.estimated"))
        if not info.has_chat_template:
            lines.append(say("welcome.completion"))
        if info.note:
            lines.append(say(info.note))
        if info.model != "guide":
            lines += [say(reason.code, **dict(reason.parameters)) for reason in info.reasons]
        return "\n".join(lines)


def _model(info: ModelInfo) -> str:
    if info.server:
        return say("welcome.server", name=info.name, kind=info.architecture, host=info.device)
    return say(
        "welcome.model",
        name=info.name,
        parameters=in_millions(info.parameters),
        precision=info.dtype if info.quantization == "none" else info.quantization,
        device=info.device,
    )
