"""The middle of the screen: the conversation that is shown, what is said beside it, and the message box.

Fifteen times a second it looks at what the conversation has come to. It decides nothing about a turn: `TurnQueue`
runs turns, `ChatSession` records them.
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

if TYPE_CHECKING:  # it is imported late: see `TranscriptPane.complete`
    from qwen_tui.ui.transcript.find_bar import FindBar
    from qwen_tui.ui.transcript.message_log import MessageLog

LOOK_SECONDS = 1 / 15
"""How often it looks at what the background threads have done."""

QUIT_WORDS = ("quit", "exit", "退出")
"""Typed alone as a message they leave the program, as the beginner's chat loop did."""

QUEUE = "queue"
"""The topic of the notice that something waits already."""
READING = "reading"
"""The topic of the notice that a conversation can only be read here."""


class ChatView(Vertical):
    """One conversation being talked in."""

    @dataclass
    class TurnsMoved(Posted):
        """A turn of some conversation began, waits or ended."""

    shown: reactive[ChatSession | None] = reactive[ChatSession | None](None)
    """The conversation; the chat screen's."""
    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """Whether there is something that answers; None before anyone has asked for it."""
    window_use: reactive[WindowUse] = reactive(WindowUse())
    """How much of the context window the conversation takes."""

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
        """The conversation's own settings, as they were when it was last looked at."""
        self.transcript = TranscriptPane(library, turns, storage, id="reading")
        self.notice = Notice(id="notice")
        self.composer = Composer(id="composer")
        self.outbox = Outbox(self.composer, turns, drafts)
        self.marks = Marks(turns)
        """What the list of conversations marks."""
        self.receipts = ReceiptDesk(self, self.submit, self.notice.say)
        """Shows receipts; `replay` is asked of it from there."""
        self._notices = TurnNotices(self.outbox, library, self.notice, self.receipts.follow)

    def compose(self) -> ComposeResult:
        yield self.transcript.data_bind(ChatView.shown)
        yield self.notice
        yield self.composer

    async def complete(self) -> None:
        """Show the conversation in a log, and begin to look at what happens; see `TranscriptPane.complete`."""
        await self.transcript.complete()
        await self.look()
        self.watch_engine_state(self.engine_state)
        self.set_interval(LOOK_SECONDS, self.look)

    @property
    def session(self) -> ChatSession:
        """The conversation that is shown."""
        assert self.shown is not None, "the screen shows one from the start"
        return self.shown

    # --- Attributes that come down -------------------------------------------------------------------

    async def watch_shown(self, before: ChatSession | None, session: ChatSession | None) -> None:
        if session is None:
            return
        if before is None:
            self.enter(None)
        await self.look()
        self._read_ahead()

    def enter(self, before: ChatSession | None) -> None:
        """Let all but the log be of the conversation that is shown: at once, for keys are waiting."""
        if before is not None and before.conversation.id != self.session.conversation.id:
            self.notice.clear()
            self.transcript.end_finding()
        if self.session.is_read_only:
            self.notice.explain(QwenTuiError("session.read_only"), topic=READING)
        for text in self.outbox.open(self.session):
            self.submit(Send(text))

    def watch_settings(self) -> None:
        """Other settings may let the model see more or less."""
        if self.shown is not None:
            self.count()
            self._read_ahead()

    def watch_engine_state(self, state: EngineState | None) -> None:
        """Say what has become of the model; without one, what waits for it goes back to the message box."""
        if self.transcript.log_widget is None or self.shown is None:
            return
        self.transcript.show_engine(state)
        self._notices.follow_engine(state, self.session)
        self.count()

    # --- Looking at what happens ---------------------------------------------------------------------

    async def look(self) -> None:
        """Show what the conversation has come to, and draw the consequences of what happened in all of them."""
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
            self._overrides = overrides
            self._read_ahead()
        if has_changed or is_busy is not self.composer.busy:
            path = session.conversation.path()
            self.composer.history = tuple(each.content for each in path if each.role is Role.USER)
            self.composer.busy = is_busy
            self.transcript.set_busy(is_busy)
            self.count()
        streaming = session.streaming  # once: the reply may end at any moment
        if streaming is not None and streaming.tokens:
            self.notice.retract(SERVER)
        if not self._turns.waiting(session.conversation.id):
            self.notice.retract(QUEUE)
        if has_changed or any(isinstance(each.event, TurnBegan | TurnEnded) for each in happened):
            self.post_message(self.TurnsMoved())
        self._show_figures()

    def _show_figures(self) -> None:
        """Show the newest figures; while a reply is written, it counts what has come of it."""
        session, figures = self.session, self._counter.figures
        if (use := self._counter.window_use(session)) is not None:
            self.window_use = use
        self.composer.counts_exactly = figures is None or figures.draft_is_exact
        self.composer.draft_tokens = figures.draft_tokens if figures is not None else None
        if session.streaming is None and figures and figures.conversation_id == session.conversation.id:
            self.transcript.show_window(figures)

    def count(self) -> None:
        """Have the tokens of the conversation and of the draft counted."""
        engine = self.engine_state.engine if isinstance(self.engine_state, Ready) else None
        self._counter.ask(self.session, self.settings, self.composer.text, engine)

    def _read_ahead(self) -> None:
        self._turns.read_ahead(self.session, lambda: self.settings)

    # --- Asking the model ----------------------------------------------------------------------------

    def submit(self, request: TurnRequest, session: ChatSession | None = None) -> None:
        """Ask the model for something in this conversation or the one that is shown, as soon as it can answer."""
        session = session or self.session
        conversation_id = session.conversation.id
        if not isinstance(request, Send | Edit) and self._turns.is_asked(conversation_id, request):
            self.notice.say(say("screen.asked_already"), QUEUE)
            return
        self.notice.clear()
        if isinstance(self.engine_state, Failed | Closed):
            # Whatever was wrong may have been mended since.
            self.call_later(self.run_action, "app.load_model")
        self.outbox.submit(session, request, lambda: self.settings)
        self.call_next(self.look)

    @property
    def can_regenerate(self) -> bool:
        """Whether there is a message to answer again."""
        return any(message.role is Role.USER for message in self.session.conversation.path())

    @property
    def can_stop(self) -> bool:
        """Whether a turn of the conversation that is shown runs or waits."""
        return self._turns.has(self.session.conversation.id)

    @property
    def can_step_back(self) -> bool:
        """Whether esc ends something here: finding, editing, a waiting turn or the running reply."""
        return self.composer.editing is not None or self.transcript.is_finding or self.can_stop

    def step_back(self) -> bool:
        """End finding, else editing, else what waits or runs; False when there is nothing of it."""
        if self.transcript.end_finding():
            self.composer.focus()
            return True
        return self.composer.leave_edit() or self.stop()

    def stop(self) -> bool:
        """Take back the newest waiting turn, else stop the running reply; False when there is neither."""
        turn = self.outbox.take_back(self.session)
        if turn is not None:
            self.notice.say(taken_back(turn))
            self.call_next(self.look)
            return True
        is_stopping = self._turns.stop(self.session.conversation.id)
        if is_stopping:
            self.transcript.set_busy(False)  # what is asked from now on comes after it
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
        self._turns.note_writing()
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

    def on_message_log_requested(self, event: "MessageLog.Requested") -> None:
        """Ask the model for what was asked for in the log; handled by name, since the log is imported late."""
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
            case "receipt":
                self.receipts.open(message, self.session)

    def on_find_bar_closed(self, event: "FindBar.Closed") -> None:
        if event.had_keyboard:
            self.composer.focus()

    @on(TranscriptPane.Changed)
    async def _changed(self, event: TranscriptPane.Changed) -> None:
        await self.look()
        self.transcript.point_at_place(event.place)
        self.notice.tell(event.said)
