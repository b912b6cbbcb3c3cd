"""Where a conversation is read: the log, a row under it that is always there, and changing the messages in it.

The row offers what can be done to the message under the cursor, finds words, and leads back to the newest message.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import events, on, work
from textual.containers import Horizontal, Vertical
from textual.message import Message as Posted
from textual.reactive import reactive

from qwen_tui.chat.branches import path_to
from qwen_tui.chat.index import Entry
from qwen_tui.chat.messages import Message
from qwen_tui.engine.host import EngineState, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.library import Library
from qwen_tui.session.session import ChatSession
from qwen_tui.session.storage import Storage
from qwen_tui.session.token_counter import Figures
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.strings import say
from qwen_tui.ui.transcript.autoscroll import LatestHint
from qwen_tui.ui.transcript.find_bar import FindBar
from qwen_tui.ui.transcript.welcome import Welcome
from qwen_tui.ui.widgets.action_bar import ActionBar
from qwen_tui.ui.widgets.keys import key_of

if TYPE_CHECKING:  # see `TranscriptPane.complete`
    from qwen_tui.ui.transcript.message_log import MessageLog
    from qwen_tui.ui.transcript.presenter import Presenter


class TranscriptPane(Vertical):
    """Until `complete` it is an empty place. What the log posts is handled by name: it is imported late."""

    DEFAULT_CSS = """
    TranscriptPane > Horizontal { dock: bottom; height: 1; }
    """

    @dataclass
    class Changed(Posted):
        """The messages were changed, or could not be."""

        said: QwenTuiError | str
        place: int | None = None
        """Where on the path that was; None where nothing has changed."""

    shown: reactive[ChatSession | None] = reactive[ChatSession | None](None)
    """The conversation; the chat screen's."""

    def __init__(
        self, library: Library, turns: TurnQueue, storage: Storage, *, id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self._library = library
        self._turns = turns
        self._storage = storage
        self._welcome = Welcome()
        self._bar, self._hint = ActionBar(), LatestHint()
        self._find_bar = FindBar(lambda: self.log_widget.messages if self.log_widget else ())
        """Takes the place of what can be done."""
        self.log_widget: MessageLog | None = None
        """The log; None until the first picture is there."""
        self._presenter: Presenter | None = None

    async def complete(self) -> None:
        """Mount the log.

        For after the first picture, which would wait a quarter longer for what this imports and mounts; the
        message box works before.
        """
        from qwen_tui.ui.transcript.message_log import MessageLog  # late: see above
        from qwen_tui.ui.transcript.presenter import Presenter

        log = MessageLog(welcome=self._welcome, id="log")
        await self.mount(log, Horizontal(self._find_bar, self._bar, self._hint))
        self.log_widget, self._presenter = log, Presenter(log)
        self.watch(log, "offers", self._bar.show)
        self.watch(log, "is_away", self._show_hint)

    def _show_hint(self, is_away: bool) -> None:
        self._hint.display = is_away

    # --- What is shown -------------------------------------------------------------------------------

    async def show(self) -> bool:
        """Show the conversation as it stands, its running reply and what waits; whether that is news."""
        if self._presenter is None or self.shown is None:
            return False
        return await self._presenter.show(self.shown, self._turns.waiting(self.shown.conversation.id))

    def show_engine(self, state: EngineState | None) -> None:
        """Name the model, and say what has become of it where there is no conversation yet."""
        self._welcome.state = state
        if self.log_widget is not None and isinstance(state, Ready):
            self.log_widget.assistant_name = state.engine.info.name

    def show_window(self, figures: Figures) -> None:
        """Draw the line where what the model sees begins."""
        if self._presenter is not None:
            self._presenter.show_window(figures.first_sent, figures.window)

    def set_busy(self, busy: bool) -> None:
        """Whether a turn of this conversation is running."""
        if self.log_widget is not None:
            self.log_widget.keys.set_busy(busy)

    @on(ActionBar.Chosen)
    def _choose(self, event: ActionBar.Chosen) -> None:
        event.stop()
        if self.log_widget is not None:
            self.log_widget.keys.press(event.name)

    @on(events.Click, "LatestHint")
    def _go_to_latest(self, event: events.Click) -> None:
        event.stop()
        if self.log_widget is not None:
            self.log_widget.follow()

    def offer(self, last: Entry | None) -> None:
        """Offer to go on in the conversation that was used last, where there is an empty one."""
        self._welcome.last = last

    # --- Finding -------------------------------------------------------------------------------------

    @property
    def is_finding(self) -> bool:
        """Whether the person looks for something."""
        return self._find_bar.is_open

    def find(self) -> None:
        """Let the person find something in the conversation."""
        if self.log_widget is not None:
            self._bar.display = False
            self.log_widget.mark(())
            self._find_bar.open()

    def end_finding(self) -> bool:
        """Take away what was looked for; False when nothing was."""
        return self._find_bar.close()

    @on(FindBar.Moved)
    def _go_to_found(self, event: FindBar.Moved) -> None:
        event.stop()
        if self.log_widget is not None:
            self.log_widget.mark(event.words)
            if event.message_id is not None:
                self.log_widget.move_cursor(event.message_id)

    @on(FindBar.Closed)
    def _end_finding(self) -> None:
        self._bar.display = True
        if self.log_widget is not None:
            self.log_widget.mark(None)

    def on_message_log_messages_changed(self) -> None:
        self._find_bar.count_again()

    # --- Changing messages ---------------------------------------------------------------------------

    def on_message_log_requested(self, event: "MessageLog.Requested") -> None:
        message, session = event.message, self.shown
        if session is None or message is None:
            return
        if event.action == "delete":
            deleted = say("screen.deleted", key=key_of(self, "log.undo"))
            self._change(lambda: self._library.delete(session, message.id), message, deleted)
        elif event.action in ("earlier_variant", "later_variant"):
            step = -1 if event.action == "earlier_variant" else 1
            self._change(lambda: session.turn(message.id, step), message)

    def on_message_log_refused(self, event: "MessageLog.Refused") -> None:
        self.post_message(self.Changed(event.reason))

    def rewrite(self, reply_id: str, text: str, refused: Callable[[], None]) -> None:
        """Put a person's version beside a reply; `refused` is called where that cannot be done."""
        session = self.shown
        reply = session.conversation.message(reply_id) if session is not None else None
        if session is not None and reply is not None:
            self._change(lambda: self._library.rewrite(session, reply_id, text), reply, refused=refused)
        else:
            refused()

    def read(self, message_id: str) -> None:
        """Go to a message, on whichever branch it stands, with the keyboard."""
        session = self.shown
        if session is None or self.log_widget is None:
            return
        message = session.conversation.message(message_id)
        if message is not None and message not in session.conversation.path():
            self._change(lambda: session.show(message_id), message)
        self.log_widget.move_cursor(message_id)
        self.log_widget.focus()

    def point_at_place(self, place: int | None) -> None:
        """Put the cursor on the message at this place of the path, or on the last one before it."""
        if place is not None and self.log_widget is not None and (messages := self.log_widget.messages):
            self.log_widget.move_cursor(messages[min(place, len(messages) - 1)].id)

    def _change(
        self,
        how: Callable[[], None],
        message: Message,
        said: str = "",
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """Change the conversation at this message, unless something runs or waits in it."""
        session = self.shown
        if session is None or self._turns.has(session.conversation.id):
            self.post_message(self.Changed(QwenTuiError("screen.busy_conversation")))
            refused()
        else:
            place = len(path_to(session.conversation, message.id)) - 1
            self._run(session, how, place, said, refused)

    @work(group="changes")
    async def _run(
        self,
        session: ChatSession,
        how: Callable[[], None],
        place: int,
        said: str,
        refused: Callable[[], None],
    ) -> None:
        outcome: QwenTuiError | str = said
        has_begun = False

        def change() -> None:
            nonlocal has_begun
            if session.is_read_only:
                raise QwenTuiError("session.read_only")
            if self._turns.has(session.conversation.id):  # only now: a disk may have been waited for
                raise QwenTuiError("screen.busy_conversation")
            has_begun = True
            how()

        try:
            await self._storage.run(change)
        except QwenTuiError as error:
            outcome = error
            if not has_begun:
                refused()
        if session is self.shown:
            self.post_message(self.Changed(outcome, place))
