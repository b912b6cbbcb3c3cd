"""The middle of the screen: the shown conversation, its notices, and the message box.

It polls the conversation fifteen times a second. It decides nothing about turns: `TurnQueue` runs them,
`ChatSession` records them.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as Posted
from textual.reactive import reactive

from qwen_tui.chat.messages import Json, Role
from qwen_tui.engine.host import Closed, EngineState, Failed, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.requests import Continue, Edit, Regenerate, Send, TurnRequest
from qwen_tui.session.session import ChatSession
from qwen_tui.session.storage import Storage
from qwen_tui.session.token_counter import TokenCounter, WindowUse
from qwen_tui.session.turn_queue import TurnBegan, TurnEnded, TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.ui.chat.notices import SERVER, TurnNotices, taken_back
from qwen_tui.ui.composer.composer import Composer
from qwen_tui.ui.composer.outbox import Outbox
from qwen_tui.ui.conversations.marks import Marks
from qwen_tui.ui.receipt.desk import ReceiptDesk
from qwen_tui.ui.transcript.pane import TranscriptPane
from qwen_tui.ui.transcript.welcome import Suggestion
from qwen_tui.ui.widgets.notice import Notice
from qwen_tui.wording.settings import thinking_in_words
from qwen_tui.wording.units import draft_in_words

if TYPE_CHECKING:  # it is imported late: see `TranscriptPane.complete`
    from qwen_tui.ui.transcript.find_bar import FindBar
    from qwen_tui.ui.transcript.message_keys import Requested

LOOK_SECONDS = 1 / 15
"""How often the results of the background threads are polled."""

QUIT_WORDS = ("quit", "exit", "退出")
"""Messages that quit the program when sent alone, as in the beginner's chat loop."""

QUEUE = "queue"
"""Topic of the notice that the same request is queued already."""
READING = "reading"
"""Topic of the notice that a conversation is read-only here."""


class ChatView(Vertical):
    """The view of one conversation: transcript, notice and message box."""

    @dataclass
    class TurnsMoved(Posted):
        """A turn of some conversation was queued, began or ended."""

    shown: reactive[ChatSession | None] = reactive[ChatSession | None](None)
    """The shown conversation, owned by the chat screen."""
    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """The state of the engine; None before it was requested."""
    thinks: reactive[bool] = reactive(False, bindings=True)
    """Whether the running reply is still a thought."""
    window_use: reactive[WindowUse] = reactive(WindowUse())
    """How much of the context window the conversation uses."""

    def __init__(
        self,
        library: Library,
        turns: TurnQueue,
        drafts: DraftKeeper,
        storage: Storage,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self._turns = turns
        self._counter = TokenCounter()
        self._looking = asyncio.Lock()
        self._overrides: Mapping[str, Json] = {}
        """The conversation's overrides at the last poll."""
        self.transcript = TranscriptPane(library, turns, storage, id="reading")
        self.notice = Notice(id="notice")
        self.composer = Composer(id="composer")
        self.outbox = Outbox(self.composer, turns, drafts)
        self.marks = Marks(turns)
        """The marks in the list of conversations."""
        self.receipts = ReceiptDesk(self, self.submit, self.notice.say)
        """Shows receipts, from which a replay can be requested."""
        self._notices = TurnNotices(self.outbox, library, self.notice, self.receipts.follow)

    def compose(self) -> ComposeResult:
        yield self.transcript.data_bind(ChatView.shown, ChatView.settings)
        yield self.notice
        yield self.composer

    async def complete(self) -> None:
        """Mount the log and start polling; see `TranscriptPane.complete`."""
        await self.transcript.complete()
        await self.look()
        self.watch_engine_state(self.engine_state)
        self.set_interval(LOOK_SECONDS, self.look)

    @property
    def session(self) -> ChatSession:
        """The shown conversation."""
        assert self.shown is not None, "the screen shows one from the start"
        return self.shown

    # --- Attributes down -----------------------------------------------------------------------------

    async def watch_shown(self, before: ChatSession | None, session: ChatSession | None) -> None:
        if session is None:
            return
        if before is None:
            self.enter(None)
        await self.look()
        self._read_ahead()

    def enter(self, before: ChatSession | None) -> None:
        """Switch everything but the log to the shown conversation at once, because keys are waiting."""
        if before is not None and before.conversation.id != self.session.conversation.id:
            self.notice.clear()
            self.transcript.end_finding()
        if self.session.is_read_only:
            self.notice.explain(QwenTuiError("session.read_only"), topic=READING)
        for text in self.outbox.open(self.session):
            self.submit(Send(text))

    def watch_settings(self) -> None:
        """Recount the tokens and read ahead: settings affect what the model sees."""
        if self.shown is not None:
            self.count()
            self._read_ahead()

    def watch_engine_state(self, state: EngineState | None) -> None:
        """Report the state of the engine; if it failed, move waiting texts back to the message box."""
        if self.transcript.log_widget is None or self.shown is None:
            return
        self.transcript.show_engine(state)
        self._notices.follow_engine(state, self.session)
        self.count()

    # --- Polling -------------------------------------------------------------------------------------

    async def look(self) -> None:
        """Update the view, and handle the events of all conversations."""
        if not self.is_attached or self.shown is None:
            return
        async with self._looking:
            happened, session = self._turns.drain(), self.session
            self.marks.note(happened, session.conversation.id)
            for each in happened:
                self._notices.follow(each, session)
            has_changed = await self.transcript.show()
        is_busy = self._turns.is_running(session.conversation.id)
        if (overrides := session.conversation.overrides) is not self._overrides:
            self._overrides, has_changed = overrides, True
            self._read_ahead()
        if has_changed or is_busy is not self.composer.busy:
            path = session.conversation.path()
            self.composer.history = tuple(each.content for each in path if each.role is Role.USER)
            self.composer.busy = is_busy
            self.transcript.set_busy(is_busy)
            self.count()
        streaming = session.streaming  # read once: the reply may end at any moment
        self.thinks = streaming is not None and streaming.is_thinking
        if streaming is not None and streaming.tokens:
            self.notice.retract(SERVER)
        if not self._turns.waiting(session.conversation.id):
            self.notice.retract(QUEUE)
        if has_changed or any(isinstance(each.event, TurnBegan | TurnEnded) for each in happened):
            self.post_message(self.TurnsMoved())
        self._show_figures()

    def _show_figures(self) -> None:
        """Show the newest token figures; during a reply they include what it has generated."""
        session, figures = self.session, self._counter.figures
        self.window_use = self._counter.window_use(session) or self.window_use
        self.composer.draft_words = draft_in_words(*self._counter.draft)
        if session.streaming is None and figures and figures.conversation_id == session.conversation.id:
            self.transcript.show_window(figures)

    def count(self) -> None:
        """Request a token count of the conversation and the draft."""
        engine = self.engine_state.engine if isinstance(self.engine_state, Ready) else None
        self._counter.ask(self.session, self.settings, self.composer.text, engine)
        self.composer.thinking = thinking_in_words(self.settings.with_overrides(self._overrides), engine)

    def _read_ahead(self) -> None:
        self._turns.read_ahead(self.session, lambda: self.settings)

    # --- Requests to the model -----------------------------------------------------------------------

    def submit(self, request: TurnRequest, session: ChatSession | None = None) -> None:
        """Queue a request to the model, in this conversation or in the shown one."""
        session = session or self.session
        if not isinstance(request, Send | Edit) and self._turns.is_asked(session.conversation.id, request):
            self.notice.say(say("screen.asked_already"), QUEUE)
            return
        self.notice.clear()
        if isinstance(self.engine_state, Failed | Closed):
            # The cause of the failure may have been fixed since.
            self.call_later(self.run_action, "app.load_model")
        self.outbox.submit(session, request, lambda: self.settings)
        self.call_next(self.look)

    @property
    def can_regenerate(self) -> bool:
        """Whether there is a message to answer again."""
        return any(message.role is Role.USER for message in self.session.conversation.path())

    @property
    def can_stop(self) -> bool:
        """Whether a turn of the shown conversation runs or waits."""
        return self._turns.has(self.session.conversation.id)

    @property
    def can_step_back(self) -> bool:
        """Whether esc cancels something here: a search, an edit, a waiting turn or the running reply."""
        return self.composer.editing is not None or self.transcript.is_finding or self.can_stop

    def step_back(self) -> bool:
        """Cancel a search, else an edit, else a waiting or running turn; return False if there is none."""
        if self.transcript.end_finding():
            self.composer.focus()
            return True
        return self.composer.leave_edit() or self.stop()

    def stop(self) -> bool:
        """Take back the newest waiting turn, else stop the running reply; return False if there is neither."""
        turn = self.outbox.take_back(self.session)
        if turn is not None:
            self.notice.say(taken_back(turn))
            self.call_next(self.look)
            return True
        is_stopping = self._turns.stop(self.session.conversation.id)
        if is_stopping:
            self.transcript.set_busy(False)  # new requests come after the stopped one
        return is_stopping

    @on(Composer.Submitted)
    def _send(self, event: Composer.Submitted) -> None:
        editing = event.editing
        if editing is None and event.text.strip() in QUIT_WORDS:
            self.call_later(self.run_action, "app.quit")
        elif self.outbox.is_between:
            self.outbox.send_ahead(event.text)
        elif editing is None:
            self.submit(Send(event.text))
        elif not editing.is_reply:
            self.submit(Edit(editing.message_id, event.text))
        else:
            back = partial(self.outbox.give_back_edit, self.session, Edit(editing.message_id, event.text))
            self.transcript.rewrite(editing.message_id, event.text, back)

    @on(Composer.DraftChanged)
    def _draft_changed(self) -> None:
        self._turns.note_writing(is_new=self.outbox.is_written)
        self.outbox.note_draft()
        self.count()

    @on(Composer.Failed)
    def _composer_failed(self, event: Composer.Failed) -> None:
        self.notice.explain(event.error)

    @on(Suggestion.Chosen)
    def _try(self, event: Suggestion.Chosen) -> None:
        if not event.conversation_id:
            self.composer.give_back(event.text)
        self.composer.focus()

    # --- Changing messages ---------------------------------------------------------------------------

    def on_message_log_requested(self, event: "Requested") -> None:
        """Handle requests of the log that concern the model; matched by name, since the log is imported late."""
        message = event.message
        if message is None:
            return
        match event.action:
            case "edit" if not self.outbox.is_between:
                self.composer.edit(message.id, message.content, is_reply=message.role is Role.ASSISTANT)
            case "regenerate":
                self.submit(Regenerate(message.id))
            case "continue":
                self.submit(Continue(message.id))
            case "receipt" if (log := self.transcript.log_widget) is not None:
                self.receipts.open(message, self.session, self.settings, log.values_now)

    def on_find_bar_closed(self, event: "FindBar.Closed") -> None:
        if event.had_keyboard:
            self.composer.focus()

    @on(TranscriptPane.Changed)
    async def _changed(self, event: TranscriptPane.Changed) -> None:
        await self.look()
        self.transcript.point_at_place(event.place)
        self.notice.tell(event.said)
