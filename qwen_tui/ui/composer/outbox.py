"""What the person writes, on its way from the message box into a conversation, and back when it is not accepted."""

from collections.abc import Callable

from qwen_tui.chat.messages import Role
from qwen_tui.session.draft import Draft, Written
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.requests import Edit, TurnRequest
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import Turn, TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.ui.composer.composer import Composer


class Outbox:
    """Between the message box, the queue of turns and the drafts: at every moment a text is in one of them.

    A text goes back to the conversation that it was written in: into the message box where that conversation is
    shown, else to its draft.
    """

    def __init__(self, composer: Composer, turns: TurnQueue, drafts: DraftKeeper) -> None:
        self._composer = composer
        self._turns = turns
        self._drafts = drafts
        self._shown: ChatSession | None = None
        """The conversation whose draft stands in the message box; None while another one is being opened."""

    @property
    def is_between(self) -> bool:
        """Whether what stands in the message box is of a conversation that is not open yet."""
        return self._shown is None

    def leave(self) -> None:
        """Clear the message box: what is written from now on is of the conversation that is opened next."""
        self.note_draft()
        self._composer.restore(Written())
        self._shown = None

    def open(self, session: ChatSession) -> None:
        """Show the draft of a conversation in the message box, and behind it what was written since `leave`."""
        self.note_draft()
        ahead = self._composer.draft if self._shown is None else Draft()
        self._shown = session
        written = self._drafts.open(session.conversation)
        self._composer.restore(written)
        if ahead != Draft():
            self._composer.add(ahead)
        message = session.conversation.message(written.editing)
        if message is not None:
            self._composer.begin_edit(message.id, message.content, is_reply=message.role is Role.ASSISTANT)

    def note_draft(self) -> None:
        """Have what stands in the message box kept, and what is behind it while a message is edited."""
        if self._shown is not None:
            self._drafts.note(self._shown.conversation, self._composer.written)

    def submit(self, session: ChatSession, request: TurnRequest, settings: Callable[[], Settings]) -> None:
        self._turns.submit(Turn(session, request, settings))
        self._keep(session)

    def accepted(self, session: ChatSession) -> None:
        """A message of this conversation has become part of it."""
        self._drafts.note_queue(session.conversation)
        self._drafts.keep()

    def take_back(self, session: ChatSession) -> Turn | None:
        turn = self._turns.take_back(session.conversation.id)
        if turn is not None:
            self.give_back(turn)
        return turn

    def take_all_back(self) -> None:
        for turn in self._turns.take_all_back():
            self.give_back(turn)

    def give_back(self, turn: Turn) -> None:
        """Return what was written for a turn that is not to be answered to where it was written."""
        request, session = turn.request, turn.session
        if session is not self._shown:
            self._drafts.give_back(session.conversation, request)
        elif isinstance(request, Edit):
            self._composer.begin_edit(request.message_id, request.text, is_reply=False)
        elif turn.text:
            self._composer.give_back(turn.text)
        self._keep(session)

    def _keep(self, session: ChatSession) -> None:
        self.note_draft()
        self._drafts.note_queue(session.conversation)
        self._drafts.keep()
