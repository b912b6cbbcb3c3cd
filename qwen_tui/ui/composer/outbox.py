"""Deliver text from the message box to a conversation, and back if it is not accepted."""

from collections.abc import Callable
from dataclasses import dataclass, field

from qwen_tui.chat.messages import Role
from qwen_tui.session.draft import Draft, Written
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.requests import Edit, TurnRequest
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import Turn, TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.ui.composer.composer import Composer


@dataclass(eq=False)
class Ahead:
    """What is written for a conversation while it is being opened."""

    sent: list[str] = field(default_factory=list)
    draft: Draft = Draft()

    @property
    def is_empty(self) -> bool:
        return not self.sent and self.draft == Draft()


class Outbox:
    """Moves texts between message box, turn queue and drafts: at every moment a text is in one of them.

    A text returns to the conversation it was written in: to the message box if that conversation is shown,
    else to its draft.
    """

    def __init__(self, composer: Composer, turns: TurnQueue, drafts: DraftKeeper) -> None:
        self._composer = composer
        self._turns = turns
        self._drafts = drafts
        self._shown: ChatSession | None = None
        """The conversation of the message box; None while another one is being opened."""
        self._ahead = Ahead()
        """What has been written for the one being opened."""
        self._restored = ""

    @property
    def is_written(self) -> bool:
        """Whether the message box contains something else than the draft that was restored."""
        return self._composer.text != self._restored

    @property
    def is_between(self) -> bool:
        """True while the message box belongs to a conversation that is not open yet."""
        return self._shown is None

    def leave(self) -> Ahead:
        """Clear the message box; from now on it belongs to the conversation that is opened next."""
        self.note_draft()
        self._composer.restore(Written())
        self._restored = ""
        self._shown, self._ahead = None, Ahead()
        return self._ahead

    def is_overtaken(self, ahead: Ahead) -> bool:
        """Return whether the person has switched again since `leave` returned this."""
        return ahead is not self._ahead

    def send_ahead(self, text: str) -> None:
        """Queue a message for the conversation that is being opened."""
        self._ahead.sent.append(text)

    def open(self, session: ChatSession) -> list[str]:
        """Show the draft of a conversation, followed by what was written since `leave`.

        Returns the messages to send in it.
        """
        self.note_draft()
        ahead, self._ahead = self._ahead, Ahead()
        self._shown = session
        written = self._drafts.open(session.conversation)
        self._composer.restore(written)
        self._restored = self._composer.text
        if ahead.draft != Draft():
            self._composer.add(ahead.draft)
        message = session.conversation.message(written.editing)
        if message is not None:
            self._composer.begin_edit(message.id, message.content, is_reply=message.role is Role.ASSISTANT)
        return ahead.sent

    def add_to_draft(self, session: ChatSession, draft: Draft) -> None:
        """Append to the draft of a conversation that is not shown."""
        if draft != Draft():
            written = self._drafts.open(session.conversation)
            self._drafts.note(session.conversation, written._replace(draft=written.draft.followed_by(draft)))

    def give_back_ahead(self, ahead: Ahead, shown: ChatSession) -> None:
        """Move texts written for a conversation that could not be opened to the shown one."""
        sent, ahead.sent = ahead.sent, []
        if self.is_overtaken(ahead):
            texts = filter(None, (*sent, ahead.draft.text))
            self.add_to_draft(shown, ahead.draft._replace(text="\n\n".join(texts)))
        else:
            for text in reversed(sent):
                self._composer.give_back(text)

    def note_draft(self) -> None:
        """Record the content of the message box, and the draft that an edit hides."""
        if self._shown is None:
            self._ahead.draft = self._composer.draft
        else:
            self._drafts.note(self._shown.conversation, self._composer.written)

    def submit(self, session: ChatSession, request: TurnRequest, settings: Callable[[], Settings]) -> None:
        self._turns.submit(Turn(session, request, settings))
        self._keep(session)

    def accepted(self, session: ChatSession) -> None:
        """Record that a message of this conversation was accepted."""
        self._drafts.note_queue(session.conversation)
        self._drafts.keep()

    def answer_now(self, session: ChatSession) -> bool:
        """End the thinking of this conversation's running reply; return False if the engine cannot do that."""
        return self._turns.answer_now(session.conversation.id)

    def take_back(self, session: ChatSession) -> Turn | None:
        turn = self._turns.take_back(session.conversation.id)
        if turn is not None:
            self.give_back(turn)
        return turn

    def take_all_back(self) -> tuple[Turn, ...]:
        """Remove all waiting turns of all conversations from the queue, and move their texts back."""
        turns = self._turns.take_all_back()
        for turn in turns:
            self.give_back(turn)
        return turns

    def give_back(self, turn: Turn) -> None:
        """Move the text of a turn that will not be answered back to where it was written."""
        request, session = turn.request, turn.session
        if isinstance(request, Edit):
            self.give_back_edit(session, request)
            return
        if session is not self._shown:
            self._drafts.give_back(session.conversation, request)
        elif turn.text:
            self._composer.give_back(turn.text)
        self._keep(session)

    def give_back_edit(self, session: ChatSession, edit: Edit) -> None:
        """Move an edit that the conversation did not accept back to where it was written."""
        message = session.conversation.message(edit.message_id)
        if session is not self._shown:
            self._drafts.give_back(session.conversation, edit)
        else:
            content, is_reply = (message.content, message.role is Role.ASSISTANT) if message else ("", False)
            self._composer.begin_edit(edit.message_id, content, is_reply=is_reply, unsent=edit.text)
        self._keep(session)

    def _keep(self, session: ChatSession) -> None:
        self.note_draft()
        self._drafts.note_queue(session.conversation)
        self._drafts.keep()
