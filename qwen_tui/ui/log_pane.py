"""Where a conversation is read: the log, and one row under it that is always there, so that nothing ever moves.

The row tells what can be done to the message under the cursor, and leads back to the newest message.
"""

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from qwen_tui.ui.action_bar import ActionBar
from qwen_tui.ui.chat_log import ChatLog
from qwen_tui.ui.latest_hint import LatestHint


class LogPane(Vertical):
    """A `ChatLog` with its row; what the log asks for goes on up."""

    DEFAULT_CSS = """
    LogPane .foot { dock: bottom; height: 1; }
    """

    def __init__(self, name: str = "", welcome: Widget | None = None, *, id: str | None = None) -> None:
        """`name` and `welcome` are the log's."""
        super().__init__(id=id)
        self.chat_log = ChatLog(name, welcome, id="log")
        """The log."""
        self._bar = ActionBar()
        self._hint = LatestHint()

    def compose(self) -> ComposeResult:
        """The log over its row."""
        yield self.chat_log
        yield Horizontal(self._bar, self._hint, classes="foot")

    @on(ChatLog.OffersChanged)
    def _offer(self, event: ChatLog.OffersChanged) -> None:
        event.stop()
        self._bar.show(event.offers)

    @on(ActionBar.Chosen)
    def _choose(self, event: ActionBar.Chosen) -> None:
        event.stop()
        self.chat_log.action_on_message(event.name)

    @on(ChatLog.LeftEnd)
    def _left_end(self, event: ChatLog.LeftEnd) -> None:
        event.stop()
        self._hint.display = event.is_away

    @on(LatestHint.Pressed)
    def _go_to_latest(self, event: LatestHint.Pressed) -> None:
        event.stop()
        self.chat_log.follow()
