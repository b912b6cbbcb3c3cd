"""Where a conversation is read: the log, and one row under it that is always there, so that nothing ever moves.

The row tells what can be done to the message under the cursor, and leads back to the newest message.
"""

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from qwen_tui.ui.transcript.autoscroll import LatestHint
from qwen_tui.ui.transcript.find_bar import FindBar
from qwen_tui.ui.transcript.message_log import MessageLog
from qwen_tui.ui.widgets.action_bar import ActionBar


class LogPane(Vertical):
    """A `MessageLog` with its row; what the log asks for goes on up."""

    DEFAULT_CSS = """
    LogPane .foot { dock: bottom; height: 1; }
    """

    def __init__(self, name: str = "", welcome: Widget | None = None, *, id: str | None = None) -> None:
        """`name` and `welcome` are the log's."""
        super().__init__(id=id)
        self.chat_log = MessageLog(name, welcome, id="log")
        """The log."""
        self._bar = ActionBar()
        self.find_bar = FindBar(lambda: self.chat_log.messages)
        """Finds in the log; it takes the place of what can be done."""
        self._hint = LatestHint()

    def compose(self) -> ComposeResult:
        yield self.chat_log
        yield Horizontal(self.find_bar, self._bar, self._hint, classes="foot")

    def on_mount(self) -> None:
        self.watch(self.chat_log, "offers", self._bar.show)
        self.watch(self.chat_log, "is_away", self._show_hint)

    def _show_hint(self, is_away: bool) -> None:
        self._hint.display = is_away

    def find(self) -> None:
        """Let the person find something."""
        self._bar.display = False
        self.chat_log.mark(())
        self.find_bar.open()

    @on(FindBar.Moved)
    def _go_to_found(self, event: FindBar.Moved) -> None:
        event.stop()
        self.chat_log.mark(event.words)
        if event.message_id is not None:
            self.chat_log.move_cursor(event.message_id)

    @on(FindBar.Closed)
    def _end_finding(self) -> None:
        self._bar.display = True
        self.chat_log.mark(None)

    @on(MessageLog.MessagesChanged)
    def _count_again(self, event: MessageLog.MessagesChanged) -> None:
        event.stop()
        self.find_bar.count_again()

    @on(ActionBar.Chosen)
    def _choose(self, event: ActionBar.Chosen) -> None:
        event.stop()
        self.chat_log.keys.press(event.name)

    @on(events.Click, "LatestHint")
    def _go_to_latest(self, event: events.Click) -> None:
        event.stop()
        self.chat_log.follow()
