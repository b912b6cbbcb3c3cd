"""What follows from what happened in a turn, beside its text in the log: what is said, and what comes back."""

from textual.message import Message as Posted
from textual.widget import Widget

from qwen_tui.engine.base import NotTaken, TextDelta, ThinkingDelta, TriesAgain
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.events import Accepted, NotSaved, Refused, Replied, SavedAgain
from qwen_tui.session.library import Library
from qwen_tui.session.replay import NotReplayed, Replayed, ReplayEvent, Replaying
from qwen_tui.session.requests import Edit, Replay
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import Happened, Turn, TurnBroke
from qwen_tui.strings import say
from qwen_tui.ui.composer.outbox import Outbox
from qwen_tui.ui.widgets.notice import Notice
from qwen_tui.wording.server import not_taken_in_words, tries_again_in_words


class Aftermath:
    """Takes what happens in all conversations. `ReplayMoved` is posted on `sender`."""

    class ReplayMoved(Posted):
        """A reply is being run again, or was."""

        def __init__(self, event: ReplayEvent) -> None:
            super().__init__()
            self.event = event

    def __init__(self, sender: Widget, outbox: Outbox, library: Library, notice: Notice) -> None:
        self._sender = sender
        self._outbox = outbox
        self._library = library
        self._notice = notice
        self._waits_for = ""
        """What it says of a server that is asked again."""

    def follow(self, happened: Happened, shown: ChatSession) -> None:
        """Draw the consequences, whichever conversation is `shown`; a refused text comes back."""
        turn = happened.turn
        match happened.event:
            case Accepted():
                self._outbox.accepted(turn.session)
                if isinstance(turn.ask, Edit):
                    self._library.note_edit(turn.session, turn.ask.message_id)
            case Replaying() | Replayed() | NotReplayed() as event:
                self._sender.post_message(self.ReplayMoved(event))
            case TurnBroke(error) if isinstance(turn.ask, Replay):
                self._sender.post_message(self.ReplayMoved(NotReplayed(turn.ask.reply_id, error)))
            case SavedAgain():
                self._notice.say(say("screen.saved_again"))
            case NotTaken() as event:
                self._notice.say(not_taken_in_words(event))
            case TriesAgain() as event if turn.session is shown:
                self._waits_for = tries_again_in_words(event)
                self._notice.say(self._waits_for)
            case TextDelta() | ThinkingDelta() | Replied() if self._waits_for:
                if self._notice.text == self._waits_for:
                    self._notice.clear()
                self._waits_for = ""
            case Refused(error=error):
                self._outbox.give_back(shown, turn)
                if error.code == "engine.stopped_early":
                    self._notice.say(say("screen.taken_back"))
                else:
                    self._explain(error, turn, shown)
            case NotSaved(error) | TurnBroke(error):
                self._explain(error, turn, shown)

    def _explain(self, error: QwenTuiError, turn: Turn, shown: ChatSession) -> None:
        if turn.session is shown:
            self._notice.explain(error)
        else:
            self._notice.say(say("screen.elsewhere", name=turn.session.conversation.name, error=error))
