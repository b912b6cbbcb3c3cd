"""What the person writes, on its way from the composer into a conversation, and back when it is not accepted."""

from collections.abc import Callable

from qwen_tui.chat.messages import Role
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.requests import Ask, Edit
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import Turn, TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.ui.composer.composer import Composer


class Outbox:
    """Between the composer, the queue of turns and the drafts on disk: at every moment a text is in one of them."""

    def __init__(self, composer: Composer, turns: TurnQueue, drafts: DraftKeeper) -> None:
        self._composer = composer
        self._turns = turns
        self._drafts = drafts

    def open(self, session: ChatSession) -> None:
        """Let what was being written in a conversation stand in the composer."""
        written = self._drafts.open(session.conversation)
        self._composer.restore(written)
        message = session.conversation.message(written.editing)
        if message is not None:
            self._composer.begin_edit(message.id, message.content, is_reply=message.role is Role.ASSISTANT)

    def leave(self, session: ChatSession) -> None:
        """Keep what stands in the composer for the conversation that it was written in."""
        self.note_draft(session)

    def note_draft(self, session: ChatSession) -> None:
        """Have what stands in the composer kept, and what is behind it while a message is edited."""
        self._drafts.note(session.conversation, self._composer.written)

    def submit(self, session: ChatSession, ask: Ask, settings: Callable[[], Settings]) -> None:
        """Let this be asked when its turn comes."""
        self._turns.submit(Turn(session, ask, settings))
        self._keep(session)

    def accepted(self, session: ChatSession) -> None:
        """A message of this conversation has become part of it."""
        self._drafts.note_queue(session.conversation)
        self._drafts.keep()

    def take_back(self, session: ChatSession) -> bool:
        """Take the newest message that waits in a conversation back; False when none does."""
        turn = self._turns.take_back(session.conversation.id)
        if turn is not None:
            self.give_back(session, turn)
        return turn is not None

    def give_back(self, session: ChatSession, turn: Turn) -> None:
        """What was written for a turn that is not to be answered goes back to where it was written.

        `session` is the conversation that is shown.
        """
        if isinstance(turn.ask, Edit):
            self._composer.edit(turn.ask.message_id, turn.ask.text, is_reply=False)
        elif turn.text:
            self._composer.give_back(turn.text)
        self._keep(session)

    def _keep(self, session: ChatSession) -> None:
        self.note_draft(session)
        self._drafts.note_queue(session.conversation)
        self._drafts.keep()
