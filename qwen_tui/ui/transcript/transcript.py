"""Where the conversation is read: the log, what feeds it, and what is done to the messages in it."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from textual.containers import Vertical
from textual.message import Message as Posted

from qwen_tui.chat.branches import path_to
from qwen_tui.chat.messages import Message
from qwen_tui.engine.host import EngineState, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.library import Library
from qwen_tui.session.requests import Ask, Continue, Regenerate
from qwen_tui.session.session import ChatSession
from qwen_tui.session.token_counter import Figures
from qwen_tui.session.turn_queue import Happened, TurnQueue
from qwen_tui.strings import say
from qwen_tui.ui.transcript.live_replies import LiveReplies
from qwen_tui.ui.transcript.welcome import Welcome
from qwen_tui.ui.widgets.keys import key_of

if TYPE_CHECKING:  # see `Transcript.complete`
    from qwen_tui.ui.transcript.message_log import ChatLog
    from qwen_tui.ui.transcript.pane import LogPane
    from qwen_tui.ui.transcript.presenter import ReplyFeed


class _Parts(NamedTuple):
    pane: "LogPane"
    log: "ChatLog"
    feed: "ReplyFeed"


class Transcript(Vertical):
    """One conversation at a time, as it stands and as it grows. Until `complete` it is an empty place."""

    class Asked(Posted):
        """Something is asked of the model."""

        def __init__(self, ask: Ask) -> None:
            super().__init__()
            self.ask = ask

    class EditWanted(Posted):
        """The person wants to write a message anew."""

        def __init__(self, message: Message) -> None:
            super().__init__()
            self.message = message

    class Changed(Posted):
        """The conversation was changed, and this is to be said of it; or the change could not be made or saved."""

        def __init__(
            self, said: str = "", error: QwenTuiError | None = None, cursor: str | None = None
        ) -> None:
            super().__init__()
            self.said = said
            self.error = error
            self.cursor = cursor
            """The message that stands now where something was changed."""

    def __init__(
        self,
        session: ChatSession,
        library: Library,
        turns: TurnQueue,
        live: LiveReplies,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.changing = asyncio.Lock()
        """Held while the log is changed: opening a conversation takes steps, and a reply may end meanwhile."""
        self._session = session
        self._library = library
        self._turns = turns
        self._live = live
        self._welcome = Welcome()
        self._parts: _Parts | None = None

    async def complete(self) -> None:
        """Mount the log.

        For after the first picture, which would wait a quarter longer for what this imports and mounts; the
        composer works before.
        """
        from qwen_tui.ui.transcript.pane import LogPane  # late: see above
        from qwen_tui.ui.transcript.presenter import ReplyFeed

        pane = LogPane(welcome=self._welcome)
        await self.mount(pane)
        self._parts = _Parts(pane, pane.chat_log, ReplyFeed(pane.chat_log, self._turns))

    @property
    def chat_log(self) -> "ChatLog | None":
        """The log; None until the first picture is there."""
        return self._parts.log if self._parts is not None else None

    def show_engine(self, state: EngineState | None) -> None:
        """Name the model, and say what has come of it where there is no conversation yet."""
        self._welcome.state = state
        if self._parts is not None and isinstance(state, Ready):
            self._parts.log.assistant_name = state.engine.info.name

    async def open(self, session: ChatSession) -> None:
        """Show this conversation as it stands, a reply that runs in it included."""
        if session.conversation.id != self._session.conversation.id:
            self.end_finding()
        self._session = session
        if self._parts is not None:
            await self._parts.feed.open(session, self._live.of(session.conversation.id))

    async def follow(self, happened: list[Happened]) -> None:
        """Show what has happened in the turns of this conversation."""
        if self._parts is not None:
            await self._parts.feed.show(happened)

    def show_waiting(self) -> None:
        """Let the messages that wait stand at the end."""
        if self._parts is not None:
            self._parts.feed.show_waiting(self._session)

    def show_window(self, figures: Figures) -> None:
        """Draw the line where the model's memory begins."""
        if self._parts is not None:
            self._parts.feed.show_window(figures.first_sent, figures.window)

    def set_busy(self, busy: bool) -> None:
        """Whether a turn of this conversation is running."""
        if self._parts is not None:
            self._parts.log.set_busy(busy)

    # --- What is done to messages: handled by name, since the log is imported late -----------------------

    def on_chat_log_edit_requested(self, event: "ChatLog.EditRequested") -> None:
        """Write a message anew."""
        self.post_message(self.EditWanted(event.message))

    def on_chat_log_regenerate_requested(self, event: "ChatLog.RegenerateRequested") -> None:
        """Answer a question again."""
        self.post_message(self.Asked(Regenerate(event.message.id)))

    def on_chat_log_continue_requested(self, event: "ChatLog.ContinueRequested") -> None:
        """Go on with a reply."""
        self.post_message(self.Asked(Continue(event.message.id)))

    def on_chat_log_delete_requested(self, event: "ChatLog.DeleteRequested") -> None:
        """Take a message out of the conversation."""
        session, place = self._session, self._place(event.message)
        self.change(
            lambda: self._library.delete(session, event.message.id),
            place,
            say("screen.deleted", key=key_of(self, "log.undo")),
        )

    def on_chat_log_variant_requested(self, event: "ChatLog.VariantRequested") -> None:
        """Show the variant beside a message."""
        session, place = self._session, self._place(event.message)
        self.change(lambda: session.turn(event.message.id, event.step), place)

    def read(self, message_id: str) -> None:
        """Go to a message, on whichever branch it stands, with the keyboard."""
        session = self._session
        place = len(path_to(session.conversation, message_id)) - 1
        if all(message.id != message_id for message in session.conversation.path()):
            self.change(lambda: session.show(message_id), place)
        self.move_cursor(message_id)
        if self._parts is not None:
            self._parts.log.focus()

    def find(self) -> None:
        """Let the person find something in the conversation."""
        if self._parts is not None:
            self._parts.pane.find()

    def end_finding(self) -> bool:
        """Take away what was looked for; False when nothing was."""
        return self._parts is not None and self._parts.pane.find_bar.close()

    def rewrite(self, reply_id: str, text: str) -> None:
        """Put a person's version beside a reply."""
        session = self._session
        reply = session.conversation.message(reply_id)
        if reply is not None:
            self.change(lambda: self._library.rewrite(session, reply_id, text), self._place(reply))

    def change(self, change: Callable[[], None], place: int = 0, said: str = "") -> None:
        """Change the conversation that is shown, unless something runs or waits in it.

        `place` is where on the path it is changed.
        """
        if self._turns.has(self._session.conversation.id):
            self.post_message(self.Changed(error=QwenTuiError("screen.busy_conversation")))
            return
        failure: QwenTuiError | None = None
        try:
            change()
        except QwenTuiError as error:
            failure = error
        path = self._session.conversation.path()
        cursor = path[min(place, len(path) - 1)].id if path else None
        self.post_message(self.Changed("" if failure else said, failure, cursor))

    def _place(self, message: Message) -> int:
        ids = [each.id for each in self._session.conversation.path()]
        return ids.index(message.id) if message.id in ids else 0

    def move_cursor(self, message_id: str) -> None:
        """Put the log's cursor on a message."""
        if self._parts is not None:
            self._parts.log.move_cursor(message_id)
