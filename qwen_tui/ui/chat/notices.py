"""Consequences of turns outside the log: notices, the bell, and texts moved back to the message box."""

from collections.abc import Callable

from qwen_tui.engine.base import NotTaken, TriesAgain
from qwen_tui.engine.host import EngineState, Failed, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.events import Accepted, NotSaved, Refused, Replied, SavedAgain
from qwen_tui.session.library import Library
from qwen_tui.session.replay import NotReplayed, Replayed, ReplayEvent, Replaying
from qwen_tui.session.requests import Edit, Replay
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import Happened, Turn, TurnBroke
from qwen_tui.strings import say, say_in, unused_language_of
from qwen_tui.ui.composer.outbox import Outbox
from qwen_tui.ui.terminal.title_and_bell import rings
from qwen_tui.ui.textual_patches.driver import ChatDriver
from qwen_tui.ui.widgets.notice import Notice
from qwen_tui.wording.load_progress import fallback_in_words
from qwen_tui.wording.server import not_taken_in_words, reasons_in_words, tries_again_in_words

SAVING = "saving"
"""Topic of notices about failures to save."""
ENGINE = "engine"
"""Topic of notices about the model."""
SERVER = "server"
"""Topic of notices about a server that is being retried."""


class TurnNotices:
    """Follows the turns of all conversations; a notice about one that is not shown includes its name."""

    def __init__(
        self, outbox: Outbox, library: Library, notice: Notice, replays: Callable[[ReplayEvent], None]
    ) -> None:
        """Create the notices; `replays` receives the events of replays."""
        self._outbox = outbox
        self._library = library
        self._notice = notice
        self._replays = replays
        self._is_first_message = True

    def follow(self, happened: Happened, shown: ChatSession) -> None:
        turn = happened.turn
        if isinstance(happened.event, Replied) and rings(
            happened.event.reply, turn.settings().bell, ChatDriver.has_focus
        ):
            self._notice.app.bell()
        match happened.event:
            case Accepted():
                self._outbox.accepted(turn.session)
                self._offer_language(turn.text or "")
                if isinstance(turn.request, Edit):
                    self._library.note_edit(turn.session, turn.request.message_id)
            case Replaying() | Replayed() | NotReplayed() as event:
                self._replays(event)
            case TurnBroke(error) if isinstance(turn.request, Replay):
                self._replays(NotReplayed(turn.request.reply_id, error))
            case SavedAgain():
                self._notice.say(say("screen.saved_again"))
            case NotTaken() as event:
                self._notice.say(not_taken_in_words(event))
            case TriesAgain() as event if turn.session is shown:
                self._notice.say(tries_again_in_words(event), SERVER)
            case Replied() if turn.session is shown:
                self._notice.retract(SERVER)
            case Refused(error=error):
                self._outbox.give_back(turn)
                if error.code != "engine.stopped_early":
                    self._explain(error, turn, shown)
                elif turn.session is shown:
                    self._notice.say(taken_back(turn))
            case NotSaved(error):
                self._explain(error, turn, shown, SAVING)
            case TurnBroke(error):
                self._explain(error, turn, shown)

    def _offer_language(self, text: str) -> None:
        """Offer the language of the first message, if the program could not know it."""
        language = unused_language_of(text) if self._is_first_message else None
        self._is_first_message = False
        if language is not None:
            self._notice.say(say_in(language, "screen.language_offered"))

    def follow_engine(self, state: EngineState | None, shown: ChatSession) -> None:
        """Report the state of the engine; if it failed, move all waiting texts back to where they were written."""
        if not isinstance(state, Failed):
            self._notice.retract(ENGINE)
        match state:
            case Failed(error):
                for turn in self._outbox.take_all_back():
                    if isinstance(turn.request, Replay):
                        self._replays(NotReplayed(turn.request.reply_id, error))
                self._notice.explain(error, topic=ENGINE)
            case Ready(fallback=fallback, has_stayed=has_stayed) if fallback is not None:
                self._notice.say(fallback_in_words(fallback, has_stayed=has_stayed), ENGINE)
            case Ready(engine=engine) if shown.conversation.messages:
                # An empty conversation shows them itself.
                self._notice.tell(reasons_in_words(engine.info), ENGINE)

    def _explain(self, error: QwenTuiError, turn: Turn, shown: ChatSession, topic: str = "") -> None:
        if turn.session is shown:
            self._notice.explain(error, topic=topic)
        else:
            what = "screen.elsewhere.returned" if turn.text and topic != SAVING else "screen.elsewhere"
            self._notice.say(say(what, name=turn.session.conversation.name, error=error), topic)


def taken_back(turn: Turn) -> str:
    """Return the notice for a turn that was removed from the queue."""
    return say("screen.taken_back" if turn.text else "screen.cancelled")
