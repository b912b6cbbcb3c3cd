"""The middle of the screen: one conversation being talked in, with its log, its notices and its composer.

It decides nothing about a turn: `TurnQueue` runs turns, `ChatSession` records them, `LiveReplies` and
`ReplyFeed` follow them. Fifteen times a second it looks at what has happened.
"""

from itertools import groupby
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as Posted
from textual.reactive import reactive

from qwen_tui.chat.messages import Role
from qwen_tui.engine.host import Closed, EngineState, Failed, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.requests import Ask, Edit, Regenerate, Send
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.ui.composer.composer import Composer
from qwen_tui.ui.composer.outbox import Outbox
from qwen_tui.ui.transcript.live_replies import LiveReplies
from qwen_tui.ui.transcript.measuring import Measure, Measuring
from qwen_tui.ui.transcript.transcript import Transcript
from qwen_tui.ui.transcript.welcome import Suggestion
from qwen_tui.ui.turn_notices import Aftermath
from qwen_tui.ui.widgets.notice import Notice
from qwen_tui.wording.load_progress import fallback_in_words
from qwen_tui.wording.server import reasons_in_words

if TYPE_CHECKING:  # see `Transcript.complete`
    from qwen_tui.ui.transcript.message_log import MessageLog

LOOK_SECONDS = 1 / 15
"""How often it looks at what the background threads have done."""

QUIT_WORDS = ("quit", "exit", "退出")
"""Typed alone as a message they leave the program, as the beginner's chat loop did."""


class Talk(Vertical):
    """The conversation that is shown, and what runs in it."""

    class TurnsMoved(Posted):
        """A turn of some conversation began or ended: the list has to show it."""

    class Measured(Posted):
        """The conversation takes so much of the context window now."""

        def __init__(self, measure: Measure) -> None:
            super().__init__()
            self.measure = measure

    class ModelWanted(Posted):
        """A message is to be answered, and there is no model."""

    class QuitWanted(Posted):
        """The person typed a word that leaves the program."""

    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """Whether there is something that answers; None before anyone has asked for it."""
    title: reactive[str] = reactive("")
    """The name of the conversation, or nothing while it has none worth showing."""

    def __init__(
        self,
        session: ChatSession,
        library: Library,
        turns: TurnQueue,
        drafts: DraftKeeper,
        *,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.session = session
        """The conversation that is shown."""
        self.live = LiveReplies()
        """The replies that are being written, in all conversations."""
        self._turns = turns
        self._measuring = Measuring()
        self._transcript = Transcript(session, library, turns, self.live, id="reading")
        self._notice = Notice(id="notice")
        self._composer = Composer(id="composer")
        self._outbox = Outbox(self._composer, turns, drafts)
        self._aftermath = Aftermath(self, self._outbox, library, self._notice)

    def compose(self) -> ComposeResult:
        """Log, notice, composer."""
        yield self._transcript
        yield self._notice
        yield self._composer

    def on_mount(self) -> None:
        """What was being written when the program ended stands in the composer again."""
        self._outbox.open(self.session)

    async def complete(self) -> None:
        """Show the conversation in a log, and begin to look at what happens; see `Transcript.complete`."""
        await self._transcript.complete()
        await self._show_session()
        self.watch_engine_state(self.engine_state)
        self.set_interval(LOOK_SECONDS, self._look)

    def watch_settings(self) -> None:
        """Other settings may let the model see more or less."""
        self.follow_settings()

    def watch_title(self, title: str) -> None:
        """Show the name where the next message is written."""
        self._composer.title = title

    def watch_engine_state(self, state: EngineState | None) -> None:
        """Say what the engine has come to; without one, what waits for it goes back to the composer."""
        if self.chat_log is None:
            return
        self._transcript.show_engine(state)
        match state:
            case Failed(error):
                while self._outbox.take_back(self.session):
                    pass
                self._transcript.show_waiting()
                self._notice.explain(error)
            case Ready(fallback=fallback, has_stayed=has_stayed) if fallback is not None:
                self._notice.say(fallback_in_words(fallback, has_stayed=has_stayed))
            case Ready(engine=engine) if engine.info.server and self.session.conversation.messages:
                self._notice.say(reasons_in_words(engine.info))  # an empty conversation shows them itself
        self.count()

    @property
    def conversation_id(self) -> str:
        """Which conversation is shown."""
        return self.session.conversation.id

    @property
    def chat_log(self) -> "MessageLog | None":
        """Where the conversation is read; None until the first picture is there."""
        return self._transcript.chat_log

    async def show(self, session: ChatSession, *still_wrong: QwenTuiError) -> None:
        """Show this conversation as it stands; of what was said beside another one what is `still_wrong` stays."""
        async with self._transcript.changing:
            if session.conversation.id != self.conversation_id:
                self._outbox.leave(self.session)
                self._outbox.open(session)
                self._notice.explain(*still_wrong)
            self.session = session
            await self._show_session()

    async def _show_session(self) -> None:
        self.live.look_at(self.conversation_id)
        await self._transcript.open(self.session)
        if self.session.is_read_only:
            self._notice.explain(QwenTuiError("session.read_only"))
        self._follow_session()
        self._read_ahead()

    def is_needed(self, conversation_id: str) -> bool:
        """Whether a conversation has to stay open: it is shown, or something runs or waits in it."""
        return conversation_id == self.conversation_id or self.is_at_work(conversation_id)

    def is_at_work(self, conversation_id: str) -> bool:
        """Whether something runs or waits in a conversation."""
        return self.live.is_busy(conversation_id) or self._turns.has(conversation_id)

    def say(self, text: str) -> None:
        """Show a sentence above the composer."""
        self._notice.say(text)

    def explain(self, *errors: QwenTuiError) -> None:
        """Show an error, or several, above the composer."""
        self._notice.explain(*errors)

    def explain_beside(self, *errors: QwenTuiError) -> None:
        """The same, unless there is an error to be read: that one is of what the person did."""
        if not self._notice.is_error:
            self._notice.explain(*errors)

    def focus_composer(self) -> None:
        """Let the person write."""
        self._composer.focus()

    def find(self) -> None:
        """Let the person find something in the conversation."""
        self._transcript.find()

    def end_finding(self) -> bool:
        """Take away what was looked for and let the person write; False when nothing was looked for."""
        is_ended = self._transcript.end_finding()
        if is_ended:
            self.focus_composer()
        return is_ended

    def read(self, message_id: str) -> None:
        """Go to a message."""
        self._transcript.read(message_id)

    @property
    def selected_draft(self) -> str:
        """What is selected in the composer."""
        return self._composer.selected_text

    def note_draft(self) -> None:
        """Have what stands in the composer kept."""
        self._outbox.note_draft(self.session)

    def count(self) -> None:
        """Have the tokens of the conversation and of the draft counted anew."""
        engine = self.engine_state.engine if isinstance(self.engine_state, Ready) else None
        self._measuring.ask(self.session, self.settings, self._composer.text, engine)

    def follow_settings(self) -> None:
        """What the model is to see may be something else from now on."""
        self.count()
        self._read_ahead()

    def _read_ahead(self) -> None:
        self._turns.read_ahead(self.session, lambda: self.settings)

    def regenerate(self, message_id: str | None = None) -> None:
        """Answer a question again, by default the last one."""
        if any(message.role is Role.USER for message in self.session.conversation.path()):
            self.submit(Regenerate(message_id))
        else:
            self.say(say("screen.nothing_to_regenerate"))

    def leave_edit(self) -> bool:
        """Go back from editing a message to what was written before; False when none is edited."""
        return self._composer.leave_edit()

    def stop(self) -> bool:
        """Take back the newest waiting message, else stop the running reply; False when there is neither."""
        if self._outbox.take_back(self.session):
            self._transcript.show_waiting()
            self.say(say("screen.taken_back"))
            return True
        is_stopping = self._turns.stop(self.conversation_id)
        if is_stopping:
            self._transcript.set_busy(False)  # what is asked from now on comes after it
        return is_stopping

    # --- Sending -------------------------------------------------------------------------------------

    @on(Composer.Submitted)
    def _send(self, event: Composer.Submitted) -> None:
        editing = event.editing
        if editing is None and event.text.strip() in QUIT_WORDS:
            self.post_message(self.QuitWanted())
        elif editing is None:
            self.submit(Send(event.text))
        elif not editing.is_reply:
            self.submit(Edit(editing.message_id, event.text))
        else:
            reply_id, text = editing.message_id, event.text
            if self.is_at_work(self.conversation_id):
                self._composer.edit(reply_id, text, is_reply=True)
            self._transcript.rewrite(reply_id, text)

    def submit(self, ask: Ask) -> None:
        """Ask the model for something in the conversation that is shown, as soon as it can answer."""
        self._notice.clear()
        state = self.engine_state
        if isinstance(state, Failed | Closed):
            self.post_message(self.ModelWanted())  # whatever was wrong may have been mended since
        waits = self._turns.running is not None or not isinstance(state, Ready)
        self._outbox.submit(self.session, ask, lambda: self.settings)
        if waits:
            self._transcript.show_waiting()

    @on(Composer.DraftChanged)
    def _draft_changed(self) -> None:
        self._turns.note_writing()
        self.note_draft()
        self.count()

    @on(Suggestion.Chosen)
    def _try(self, event: Suggestion.Chosen) -> None:
        self._composer.give_back(event.text)
        self._composer.focus()

    # --- What is done to messages --------------------------------------------------------------------

    @on(Transcript.EditWanted)
    def _edit(self, event: Transcript.EditWanted) -> None:
        message = event.message
        self._composer.edit(message.id, message.content, is_reply=message.role is Role.ASSISTANT)

    @on(Transcript.Asked)
    def _ask(self, event: Transcript.Asked) -> None:
        self.submit(event.ask)

    @on(Transcript.Changed)
    async def _changed(self, event: Transcript.Changed) -> None:
        await self.show(self.session)
        if event.cursor is not None:
            self._transcript.move_cursor(event.cursor)
        self.say(event.said)
        if event.error is not None:
            self.explain(event.error)
        self.post_message(self.TurnsMoved())

    # --- Looking at what happens ---------------------------------------------------------------------

    async def _look(self) -> None:
        if not self.is_attached:
            return
        async with self._transcript.changing:
            happened = self._turns.drain()
            moved = [each for each in happened if self.live.note(each, self.conversation_id)]
            for turn, of_turn in groupby(happened, key=lambda each: each.turn):
                events = list(of_turn)
                if turn.session is self.session:
                    await self._transcript.follow(events)
                for each in events:
                    self._aftermath.follow(each, self.session)
        if moved:
            self._follow_session()
            self.post_message(self.TurnsMoved())
        self._measure()

    def _follow_session(self) -> None:
        """Show what follows from the conversation as it is now: earlier questions, whether it is busy, counts."""
        path = self.session.conversation.path()
        self._composer.history = tuple(message.content for message in path if message.role is Role.USER)
        self._composer.busy = self.live.is_busy(self.conversation_id)
        self._transcript.set_busy(self._composer.busy)
        self.count()

    def _measure(self) -> None:
        """Show the newest figures; while a reply is written, it counts what has come of it."""
        live, has_news = self.live.of(self.conversation_id), self._measuring.has_news()
        if live is None and not has_news:
            return
        if measure := self._measuring.of(self.conversation_id, live):
            self.post_message(self.Measured(measure))
        figures = self._measuring.figures
        if has_news:
            self._composer.counts_exactly = figures is None or figures.draft_is_exact
            self._composer.draft_tokens = figures.draft_tokens if figures else None
        if live is None and figures is not None and figures.conversation_id == self.conversation_id:
            self._transcript.show_window(figures)
