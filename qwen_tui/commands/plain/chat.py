"""The line mode's own part of a chat: the conversation at hand, its settings, and the turn that is answered."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.message_text import remarks
from qwen_tui.chat.messages import Message, Status
from qwen_tui.chat.store import ConversationStore
from qwen_tui.commands.plain.lines import Lines
from qwen_tui.commands.plain.reply_printer import ReplyPrinter
from qwen_tui.commands.progress import LoadLines
from qwen_tui.engine.base import Engine, NotTaken, TriesAgain
from qwen_tui.engine.host import Closed, EngineHost, Failed, OpenEngine, Opening, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.session.draft import Draft, Written
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.events import Accepted, NotSaved, Refused, Replied, ReplyStarted, SavedAgain
from qwen_tui.session.library import Library
from qwen_tui.session.opening import Opener
from qwen_tui.session.requests import Edit, TurnRequest
from qwen_tui.session.session import ChatSession
from qwen_tui.session.storage import Storage
from qwen_tui.session.turn_queue import Happened, Turn, TurnBroke, TurnEnded, TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.wording.load_progress import fallback_in_words
from qwen_tui.wording.server import not_taken_in_words, reasons_in_words, tries_again_in_words

LOOK_SECONDS = 1 / 30
"""How often a running reply is printed."""

IDLE_SECONDS = 5.0
"""How often to check whether the model is to be unloaded."""

LEAVE_SECONDS = 0.5
"""How long leaving waits for a running reply to be saved; all but its last second is on disk anyway."""


class PlainChat:
    """A conversation in line mode, the other ones in reach, and the model that answers."""

    def __init__(
        self, store: ConversationStore, drafts: Drafts, where: Places, settings: Settings, lines: Lines
    ) -> None:
        self.library = library = Library(store)
        self.traces = store.traces
        self.settings = settings
        """The person's defaults, with the flags of this run applied."""
        self.where = where
        self.lines = lines
        self.is_left = False
        """Whether the person has asked to leave."""
        self.has_failed = False
        """Whether a message was not answered."""
        self.listed: tuple[str, ...] = ()
        """The ids of the conversations listed last, in order."""
        self.unsent = ""
        """A text to begin the next line with."""
        self.session: ChatSession
        """The conversation at hand; there is one from `begin` on."""
        self._turns = TurnQueue()
        self._storage = Storage()
        self._drafts = DraftKeeper(drafts, self._turns, self._storage)
        self._opener = Opener(library, self._drafts)
        self._turn: Turn | None = None
        """The turn that is waited for."""
        self._begun: Message | None = None
        """The running reply before this run."""
        self._told: Ready | None = None
        """The model that was last told of."""
        self._is_closed = threading.Event()

    # --- The conversation -------------------------------------------------------------------------------

    def begin(self, name: str | None) -> None:
        """Open the first conversation."""
        session, problem = self._opener.first(name)
        if problem is not None:
            self.lines.note(problem)
        self.show(session)

    def open(self, conversation_id: str | None) -> None:
        """Open a conversation, or a new one for None; raises `QwenTuiError`."""
        self.show(self._opener.open(conversation_id))
        shown_id = self.session.conversation.id
        self.library.let_go(lambda each: each == shown_id)

    def show(self, session: ChatSession) -> None:
        """Make this the conversation at hand, and say so."""
        self.session = session
        conversation = session.conversation
        if count := len(conversation.path()):
            self.lines.note(say("plain.opened", name=conversation.name, count=count))
        if session.is_read_only:
            self.lines.note(QwenTuiError("session.read_only"))
        self.unsent = ""
        written = self._drafts.open(conversation)
        if not written.is_empty:
            self._offer(written.draft.message if not written.edits else "")

    def _offer(self, text: str) -> None:
        """Begin the next line with an unsent text; where that cannot be, say that there is one."""
        if text and self.lines.can_begin_with(text):
            self.unsent = text
        elif self.lines.is_typed:
            self.lines.note(say("plain.draft"))

    def entered(self, text: str = "") -> None:
        """Forget the unsent text that the line began with, or replace it by what is typed as the program ends."""
        written = self._drafts.open(self.session.conversation)
        if self.unsent:
            written = Written()
        if self.unsent or text:
            draft = Draft.of(text).followed_by(written.draft)
            self._drafts.note(self.session.conversation, written._replace(draft=draft))
        self.unsent = ""

    def keep(self) -> None:
        """Write what belongs to the conversation but not to its file: drafts, and what a new one was given."""
        self._drafts.note_queue(self.session.conversation)
        if (error := self._drafts.write()) is not None:
            self.lines.note(error)

    # --- The model --------------------------------------------------------------------------------------

    def start(self, load: OpenEngine) -> None:
        """Begin to load the model, in the background."""
        self._host = EngineHost(load, self._turns.use, self._turns.is_answering)
        self._host.open(self.settings.model_spec)
        threading.Thread(target=self._rest, name="idle", daemon=True).start()

    def load(self) -> None:
        """Load the model of the settings in place of the current one, in the background."""
        self._told = None
        self._host.open(self.settings.model_spec)

    @property
    def engine(self) -> Engine | None:
        """The loaded engine; None while there is none."""
        state = self._host.state
        return state.engine if isinstance(state, Ready) else None

    def answer(self, request: TurnRequest) -> None:
        """Have the model answer, and print the reply as it streams; returns once it is saved."""
        turn = Turn(self.session, request, lambda: self.settings)
        if isinstance(self._host.state, Closed | Failed):
            self.load()
        with self._waiting_for(turn):
            self._turns.submit(turn)
            self.keep()
            self._follow(turn, ReplyPrinter(self.lines.write), LoadLines())
        self.keep()

    def stop(self) -> bool:
        """Stop the running turn, from a signal handler too; return False if there is none."""
        if self._turn is not None:
            self._turn.stop.set()
        return self._turn is not None

    def close(self, typed: str = "") -> QwenTuiError | None:
        """Stop the running reply, save everything, end the engine; return why something could not be saved.

        `typed` is what a person was typing: it becomes a draft.
        """
        self._is_closed.set()
        if typed:
            self.entered(typed)
        error = self._drafts.write()  # first: closing the queue empties it
        self._turns.close(LEAVE_SECONDS)
        error = self.library.save_changes() or error
        self.library.release()
        self._host.close()
        self._storage.close(LEAVE_SECONDS)
        return error

    # --- Internals --------------------------------------------------------------------------------------

    @contextmanager
    def _waiting_for(self, turn: Turn) -> Iterator[None]:
        self._turn = turn
        try:
            yield
        finally:
            self._turn = None

    def _follow(self, turn: Turn, printer: ReplyPrinter, report: LoadLines) -> None:
        """Print a turn until it has ended, or until it is clear that it will not begin."""
        while True:
            streaming = turn.session.streaming
            if streaming is not None:
                printer.look(streaming)
            for happened in self._turns.drain():
                if isinstance(happened.event, TurnEnded):
                    return
                self._tell(happened, printer)
            self._host.revive()
            self._host.wake()
            state = self._host.state
            if isinstance(state, Opening):
                report(state.progress)
            elif isinstance(state, Ready) and self._told is not state:
                self._told = state
                self._tell_of_model(state)
            has_begun = turn is self._turns.running
            if not has_begun and turn.stop.is_set() and self._withdraw(turn):
                self._host.stop_opening()
                self.lines.note(say("plain.stopped"))
                return
            if isinstance(state, Failed) and not has_begun and self._withdraw(turn):
                self.has_failed = True
                self.lines.note(state.error)
                return
            time.sleep(LOOK_SECONDS)

    def _withdraw(self, turn: Turn) -> bool:
        """Take a turn that has not begun out of the queue, and its text back to the message line."""
        if self._turns.take_back(turn.conversation_id) is None:
            return False
        self._give_back(turn)
        return True

    def _give_back(self, turn: Turn) -> None:
        """Take the text of a turn back to the draft, and to the next line if nothing else is unsent."""
        conversation = turn.session.conversation
        was_empty = self._drafts.open(conversation).is_empty
        self._drafts.give_back(conversation, turn.request)
        if turn.text:
            typed = f"/edit {turn.text}" if isinstance(turn.request, Edit) else turn.text
            self._offer(typed if was_empty else "")

    def _tell(self, happened: Happened, printer: ReplyPrinter) -> None:
        """Print the consequences of an event."""
        turn = happened.turn
        match happened.event:
            case Accepted() if isinstance(turn.request, Edit):
                self.library.note_edit(turn.session, turn.request.message_id)
            case ReplyStarted(reply=begun):
                self._begun = begun
            case Replied(reply):
                printer.end(reply, self._begun)
                self._begun = None
                self.has_failed = self.has_failed or reply.status is Status.FAILED
                self.lines.note(*remarks(replace(reply, edited=False)))
                if reply.error is not None:
                    self.lines.note(reply.error.explanation.hint)
            case Refused(error=error):
                self.has_failed = True
                self._give_back(turn)
                self.lines.note(error)
            case TurnBroke(error) | NotSaved(error):
                printer.end_line()
                self.has_failed = True
                self.lines.note(error)
            case SavedAgain():
                self.lines.note(say("screen.saved_again"))
            case NotTaken() as event:
                self.lines.note(not_taken_in_words(event))
            case TriesAgain() as event:
                self.lines.note(tries_again_in_words(event))

    def _tell_of_model(self, state: Ready) -> None:
        if state.fallback is not None:
            self.lines.note(fallback_in_words(state.fallback, has_stayed=state.has_stayed))
        elif told := reasons_in_words(state.engine.info):
            self.lines.note(told)

    def _rest(self) -> None:
        """Unload the model after the idle time of the settings, as the screen does."""
        while not self._is_closed.wait(IDLE_SECONDS):
            quiet_seconds = self._turns.quiet_seconds()
            limit_seconds = 60 * self.settings.idle_unload_minutes
            if limit_seconds and quiet_seconds is not None and quiet_seconds >= limit_seconds:
                self._host.rest(limit_seconds)
