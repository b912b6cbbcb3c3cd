"""The transcript: the log, a permanent row below it, and changes to messages.

The row offers actions on the message under the cursor, contains the find bar, and leads back to the newest
message.
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
from qwen_tui.settings.options import Settings
from qwen_tui.settings.since import values_now
from qwen_tui.strings import say
from qwen_tui.ui.transcript.autoscroll import LatestHint
from qwen_tui.ui.transcript.find_bar import FindBar
from qwen_tui.ui.transcript.welcome import Welcome
from qwen_tui.ui.widgets.action_bar import ActionBar
from qwen_tui.ui.widgets.keys import key_of

if TYPE_CHECKING:  # see `TranscriptPane.complete`
    from qwen_tui.ui.transcript.message_keys import Refused, Requested
    from qwen_tui.ui.transcript.message_log import MessageLog
    from qwen_tui.ui.transcript.presenter import Presenter


class TranscriptPane(Vertical):
    """The log and the row below it; empty until `complete`. The late-imported log's events are matched by name."""

    DEFAULT_CSS = """
    TranscriptPane > Horizontal { dock: bottom; height: 1; }
    """

    @dataclass
    class Changed(Posted):
        """Messages were changed, or could not be."""

        said: QwenTuiError | str
        place: int | None = None
        """The position on the path; None if nothing has changed."""

    shown: reactive[ChatSession | None] = reactive[ChatSession | None](None)
    """The shown conversation, owned by the chat screen."""
    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""

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
        """Replaces the action bar during a search."""
        self.log_widget: MessageLog | None = None
        """The log; None until after the first frame."""
        self._presenter: Presenter | None = None

    async def complete(self) -> None:
        """Mount the log after the first frame.

        Importing and mounting it first would delay that frame by a quarter; the message box works before.
        """
        from qwen_tui.ui.transcript.message_log import MessageLog  # see the docstring
        from qwen_tui.ui.transcript.presenter import Presenter

        log = MessageLog(welcome=self._welcome, id="log")
        await self.mount(log, Horizontal(self._find_bar, self._bar, self._hint))
        self.log_widget, self._presenter = log, Presenter(log)
        self.watch(log, "offers", self._bar.show)
        self.watch(log, "is_away", self._show_hint)

    def _show_hint(self, is_away: bool) -> None:
        self._hint.display = is_away

    # --- Showing -------------------------------------------------------------------------------------

    async def show(self) -> bool:
        """Show the conversation, its running reply and waiting turns; return whether anything has changed."""
        if self._presenter is None or self.shown is None:
            return False
        if self.log_widget is not None and self.log_widget.traces is not None:
            self.log_widget.traces = self.shown.traces
            self.shown.traces.is_wanted = True
        has_changed = await self._presenter.show(self.shown, self._turns.waiting(self.shown.conversation.id))
        if has_changed:
            self.watch_settings()
        return has_changed

    def watch_settings(self) -> None:
        """Mark the replies that were made with other sampling values than a reply would be now."""
        state, session = self._welcome.state, self.shown
        if self.log_widget is not None and session is not None:
            settings = self.settings.with_overrides(session.conversation.overrides)
            info = state.engine.info if isinstance(state, Ready) else None
            self.log_widget.values_now = values_now(settings, info)

    def show_engine(self, state: EngineState | None) -> None:
        """Name the model, and describe the engine's state if the conversation is empty."""
        self._welcome.state = state
        if self.log_widget is not None and isinstance(state, Ready):
            self.log_widget.assistant_name = state.engine.info.name
        self.watch_settings()

    def show_window(self, figures: Figures) -> None:
        """Show the line where the context begins."""
        if self._presenter is not None:
            self._presenter.show_window(figures.first_sent, figures.window)

    def set_busy(self, busy: bool) -> None:
        """Set whether a turn of this conversation is running."""
        if self.log_widget is not None:
            self.log_widget.set_busy(busy)

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

    def offer(self, recent: tuple[Entry, ...]) -> None:
        """Offer to continue the most recently used conversations, if this one is empty."""
        self._welcome.recent = recent

    # --- Search --------------------------------------------------------------------------------------

    @property
    def is_finding(self) -> bool:
        """Whether a search is open."""
        return self._find_bar.is_open

    def find(self) -> None:
        """Open the search in the conversation."""
        if self.log_widget is not None:
            self._bar.display = False
            self.log_widget.mark(())
            self._find_bar.open()

    def end_finding(self) -> bool:
        """End the search; return False if none is open."""
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

    def on_message_log_requested(self, event: "Requested") -> None:
        message, session = event.message, self.shown
        if session is None or message is None:
            return
        if event.action == "delete":
            deleted = say("screen.deleted", key=key_of(self, "log.undo"))
            self._change(lambda: self._library.delete(session, message.id), message, deleted)
        elif event.action in ("earlier_variant", "later_variant"):
            step = -1 if event.action == "earlier_variant" else 1
            self._change(lambda: session.turn(message.id, step), message)

    def on_message_log_refused(self, event: "Refused") -> None:
        self.post_message(self.Changed(event.reason))

    def rewrite(self, reply_id: str, text: str, refused: Callable[[], None]) -> None:
        """Add a person's version of a reply as a variant; call `refused` if that is not possible."""
        session = self.shown
        reply = session.conversation.message(reply_id) if session is not None else None
        if session is not None and reply is not None:
            self._change(lambda: self._library.rewrite(session, reply_id, text), reply, refused=refused)
        else:
            refused()

    def read(self, message_id: str) -> None:
        """Go to a message on any branch and focus the log."""
        session = self.shown
        if session is None or self.log_widget is None:
            return
        message = session.conversation.message(message_id)
        if message is not None and message not in session.conversation.path():
            self._change(lambda: session.show(message_id), message)
        self.log_widget.move_cursor(message_id)
        self.log_widget.focus()

    def point_at_place(self, place: int | None) -> None:
        """Move the cursor to this position on the path, or to the last message before it."""
        if place is not None and self.log_widget is not None and (messages := self.log_widget.messages):
            self.log_widget.move_cursor(messages[min(place, len(messages) - 1)].id)

    def _change(
        self,
        how: Callable[[], None],
        message: Message,
        said: str = "",
        refused: Callable[[], None] = lambda: None,
    ) -> None:
        """Change the conversation at this message, unless a turn of it runs or waits."""
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
            if self._turns.has(session.conversation.id):  # again, after waiting for the disk
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
