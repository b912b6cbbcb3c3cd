"""The receipt dialog of a reply: how each run was generated, down to the token ids, and replaying it."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from qwen_tui.chat.message_text import author_of
from qwen_tui.chat.messages import Json, Message
from qwen_tui.session.requests import Replay
from qwen_tui.strings import say
from qwen_tui.ui.markdown.lines import BLANK, Line
from qwen_tui.ui.markdown.plain import plain_lines
from qwen_tui.ui.receipt.lines import Sheet, rows_of, sheets, text_of, why_none
from qwen_tui.ui.terminal.clipboard import copy, say_outcome
from qwen_tui.ui.widgets.action_bar import ActionBar, Offer
from qwen_tui.ui.widgets.line_view import LinesView
from qwen_tui.ui.widgets.prose import Prose


class Receipt(ModalScreen[None]):
    """The receipt of one reply; `show_replay` shows the progress and result of a replay."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,i,q", "dismiss", say("receipt.close"), id="receipt.close"),
        Binding("y", "copy", say("receipt.copy"), id="receipt.copy"),
        Binding("u", "use", say("receipt.use"), id="receipt.use"),
        Binding("p", "replay", say("receipt.replay"), id="receipt.replay"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    Receipt {
        align: center middle;
        #receipt-box {
            width: 92;
            max-width: 100%;
            height: auto;
            max-height: 48;
            padding: 0 1;
            border: round $border;
            border-title-color: $text-accent;
            background: $background;
        }
        /* The rest of the screen is for the border, the outcome and the keys. */
        #receipt-runs { height: auto; max-height: 66vh; padding: 1 1 0 1; scrollbar-size-vertical: 1; }
        #receipt-runs LinesView { height: auto; }
        #receipt-outcome { height: auto; max-height: 4; padding: 0 1; margin: 1 0 0 0; color: $text-muted; }
        #receipt-outcome.-nothing { display: none; }
        ActionBar { padding: 0 1; margin: 1 0 0 0; }
    }
    """

    def __init__(
        self,
        message: Message,
        path: Sequence[Message],
        replay: Callable[[Replay], None],
        use: Callable[[], None],
        changed: Mapping[str, Json] = MappingProxyType({}),
    ) -> None:
        """Create the dialog.

        `path` is the shown conversation, `replay` is called to run the reply again, `use` to give the conversation
        its values, and `changed` are today's sampling values where they differ from the reply's.
        """
        super().__init__()
        self._sheets = partial(sheets, message, path, changed)
        self.message = message
        """The reply."""
        self._replay = replay
        self._use = use
        self._is_replaying = False

    def compose(self) -> ComposeResult:
        with Vertical(id="receipt-box") as box:
            box.border_title = Content(say("receipt.title", name=author_of(self.message, "")))
            with VerticalScroll(id="receipt-runs"):
                yield LinesView(partial(_runs, self.message, self._sheets))
            yield Static("", id="receipt-outcome", classes="-nothing", markup=False)
            yield ActionBar()

    def on_mount(self) -> None:
        self._offer()

    def show_replay(self, text: str, *, is_running: bool = False) -> None:
        """Show the progress or result of a replay; does nothing once the dialog is closed."""
        if not self.query("#receipt-outcome"):
            return
        self._is_replaying = is_running
        self._say(text)
        self._offer()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Allow a replay only of a reply with token ids, and only one at a time; values need a receipt."""
        if action == "use":
            return bool(self.message.receipt)
        if action == "replay":
            return not self._is_replaying and any(run.token_ids for run in self.message.receipt)
        return super().check_action(action, parameters)

    def action_copy(self) -> None:
        text = text_of(self.message, self._sheets())
        self._say(say_outcome(copy(self.app, text), text))

    def action_use(self) -> None:
        self._use()
        self._say(say("receipt.used"))

    def action_replay(self) -> None:
        self.show_replay(say("replay.waiting"), is_running=True)
        self._replay(Replay(self.message.id))

    @on(ActionBar.Chosen)
    async def _choose(self, event: ActionBar.Chosen) -> None:
        event.stop()
        await self.run_action(event.name)

    def _say(self, text: str) -> None:
        outcome = self.query_one("#receipt-outcome", Static)
        outcome.set_class(not text, "-nothing")
        outcome.update(Prose(text))

    def _offer(self) -> None:
        active = list(self.active_bindings.values())
        keys = {each.binding.id: self.app.get_key_display(each.binding) for each in reversed(active)}
        self.query_one(ActionBar).show(
            [
                Offer(name, keys[f"receipt.{short}"], say(f"receipt.offer.{short}"))
                for name, short in (
                    ("copy", "copy"),
                    ("use", "use"),
                    ("replay", "replay"),
                    ("dismiss", "close"),
                )
                if f"receipt.{short}" in keys
            ]
        )


def _runs(message: Message, runs: Callable[[], Sequence[Sheet]], width: int) -> list[Line]:
    """Lay out all runs below each other, or the reason why there are none."""
    rows: list[Line] = []
    for sheet in runs():
        rows += [*([BLANK] if rows else []), *rows_of(sheet, width)]
    return rows or plain_lines(why_none(message), width)
