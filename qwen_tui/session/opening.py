"""Which conversation is shown next: a saved one, a new one, or one that was written for and never begun."""

from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.session import ChatSession


class Opener:
    """Opens conversations with their drafts. All of it reads files: to be run on the storage thread."""

    def __init__(self, library: Library, drafts: DraftKeeper) -> None:
        self._library = library
        self._drafts = drafts

    def first(self, name: str | None) -> tuple[ChatSession, QwenTuiError | None]:
        """The conversation that the program begins with, and why it is not the one of this name."""
        problem = None
        if name is not None:
            try:
                return self._with_draft(self._library.open_named(name, self._drafts.left_behind())), None
            except QwenTuiError as error:
                problem = error
        return self._with_draft(self._library.new_or_left_behind(self._drafts.left_behind())), problem

    def open(self, conversation_id: str | None) -> ChatSession:
        """A saved conversation, or an empty one for None; raises `QwenTuiError`."""
        if conversation_id is None:
            return self._with_draft(self._library.new())
        return self._with_draft(self._library.open(conversation_id))

    def next_new(self, shown_id: str) -> tuple[ChatSession, str]:
        """An empty conversation; before it, one after another, those that were written for and never begun.

        They have no row in the list. The newest comes first, and after the oldest the empty one. The second value
        is the code of what is to be said of it, or nothing.
        """
        self._drafts.write()
        left = [each for each in self._drafts.left_behind() if each.has_words]
        ids = [each.own_id for each in left]
        after = left[ids.index(shown_id) + 1 :] if shown_id in ids else left
        session = self._with_draft(self._library.new_or_left_behind(after))
        own_id = session.conversation.id
        if own_id not in ids:
            return session, ""
        return session, "screen.left_behind" if own_id == ids[-1] else "screen.left_behind.older"

    def taken_over(self, session: ChatSession) -> ChatSession | None:
        """The same conversation to write in, when the program that had it open is gone; None while it is not."""
        try:
            opened = self._library.open(session.conversation.id)
        except QwenTuiError:
            return None
        return opened if opened is not session else None

    def _with_draft(self, session: ChatSession) -> ChatSession:
        self._drafts.open(session.conversation)  # reads the file that the message box will want
        return session
