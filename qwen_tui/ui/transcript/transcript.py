"""Where a conversation is read: one at a time, as it stands and as it grows; and changing the messages in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import work
from textual.containers import Vertical
from textual.message import Message as Posted
from textual.reactive import reactive

from qwen_tui.chat.branches import path_to
from qwen_tui.chat.messages import Message
from qwen_tui.engine.host import EngineState, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.library import Library
from qwen_tui.session.session import ChatSession
from qwen_tui.session.storage import Storage
from qwen_tui.session.token_counter import Figures
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.strings import say
from qwen_tui.ui.transcript.welcome import Welcome

if TYPE_CHECKING:  # see `TranscriptPane.complete`
    from qwen_tui.ui.transcript.message_log import MessageLog
    from qwen_tui.ui.transcript.pane import LogPane
    from qwen_tui.ui.transcript.presenter import Presenter


class TranscriptPane(Vertical):
    """Until `complete` it is an empty place."""

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
        self._pane: LogPane | None = None
        self._presenter: Presenter | None = None

    async def complete(self) -> None:
        """Mount the log.

        For after the first picture, which would wait a quarter longer for what this imports and mounts; the
        message box works before.
        """
        from qwen_tui.ui.transcript.pane import LogPane  # late: see above
        from qwen_tui.ui.transcript.presenter import Presenter

        self._pane = LogPane(welcome=self._welcome)
        await self.mount(self._pane)
        self._presenter = Presenter(self._pane.chat_log)

    @property
    def chat_log(self) -> "MessageLog | None":
        """The log; None until the first picture is there."""
        return self._pane.chat_log if self._pane is not None else None

    async def show(self) -> bool:
        """Show the conversation as it stands, its running reply and what waits; whether that is news."""
        if self._presenter is None or self.shown is None:
            return False
        return await self._presenter.show(self.shown, self._turns.waiting(self.shown.conversation.id))

    def show_engine(self, state: EngineState | None) -> None:
        """Name the model, and say what has become of it where there is no conversation yet."""
        self._welcome.state = state
        if self._pane is not None and isinstance(state, Ready):
            self._pane.chat_log.assistant_name = state.engine.info.name

    def show_window(self, figures: Figures) -> None:
        """Draw the line where what the model sees begins."""
        if self._presenter is not None:
            self._presenter.show_window(figures.first_sent, figures.window)

    def set_busy(self, busy: bool) -> None:
        """Whether a turn of this conversation is running."""
        if self._pane is not None:
            self._pane.chat_log.set_busy(busy)

    def find(self) -> None:
        """Let the person find something in the conversation."""
        if self._pane is not None:
            self._pane.find()

    @property
    def is_finding(self) -> bool:
        """Whether the person looks for something."""
        return self._pane is not None and self._pane.find_bar.is_open

    def end_finding(self) -> bool:
        """Take away what was looked for; False when nothing was."""
        return self._pane is not None and self._pane.find_bar.close()

    # --- Changing messages ---------------------------------------------------------------------------

    def on_message_log_requested(self, event: "MessageLog.Requested") -> None:
        """Delete a message, or show another variant; handled by name, since the log is imported late."""
        message, session = event.message, self.shown
        if session is None or message is None:
            return
        if event.action == "delete":
            self._change(
                session, lambda: self._library.delete(session, message.id), message, say("screen.deleted")
            )
        elif event.action in ("earlier_variant", "later_variant"):
            step = -1 if event.action == "earlier_variant" else 1
            self._change(session, lambda: session.turn(message.id, step), message)

    def rewrite(self, reply_id: str, text: str) -> None:
        """Put a person's version beside a reply."""
        session = self.shown
        reply = session.conversation.message(reply_id) if session is not None else None
        if session is not None and reply is not None:
            self._change(session, lambda: self._library.rewrite(session, reply_id, text), reply)

    def read(self, message_id: str) -> None:
        """Go to a message, on whichever branch it stands, with the keyboard."""
        session = self.shown
        if session is None or self._pane is None:
            return
        message = session.conversation.message(message_id)
        if message is not None and message not in session.conversation.path():
            self._change(session, lambda: session.show(message_id), message)
        self._pane.chat_log.move_cursor(message_id)
        self._pane.chat_log.focus()

    def point_at_place(self, place: int | None) -> None:
        """Put the cursor on the message at this place of the path, or on the last one before it."""
        if place is not None and self._pane is not None and (messages := self._pane.chat_log.messages):
            self._pane.chat_log.move_cursor(messages[min(place, len(messages) - 1)].id)

    def _change(
        self, session: ChatSession, how: Callable[[], None], message: Message, said: str = ""
    ) -> None:
        """Change the conversation at this message, unless something runs or waits in it."""
        if self._turns.has(session.conversation.id):
            self.post_message(self.Changed(QwenTuiError("screen.busy_conversation")))
            return
        place = len(path_to(session.conversation, message.id)) - 1
        self._run_change(session, how, place, said)

    @work(group="changes")
    async def _run_change(
        self, session: ChatSession, how: Callable[[], None], place: int, said: QwenTuiError | str
    ) -> None:
        try:
            await self._storage.run(how)
        except QwenTuiError as error:
            said = error
        if session is self.shown:
            self.post_message(self.Changed(said, place))
