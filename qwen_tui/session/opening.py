"""Choose and open the next conversation to show: saved, new, or unstarted with a draft."""

from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.session import ChatSession


class Opener:
    """Opens conversations with their drafts. Every method reads files: run them on the storage thread."""

    def __init__(self, library: Library, drafts: DraftKeeper) -> None:
        self._library = library
        self._drafts = drafts

    def first(self, name: str | None) -> tuple[ChatSession, QwenTuiError | None]:
        """Open the conversation to start with; also return why it is not the one with this name."""
        problem = None
        if name is not None:
            try:
                return self._with_draft(self._library.open_named(name, self._drafts.left_behind())), None
            except QwenTuiError as error:
                problem = error
        return self._with_draft(self._library.new_or_left_behind(self._drafts.left_behind())), problem

    def open(self, conversation_id: str | None) -> ChatSession:
        """Open a saved conversation, or an empty one for None; raises `QwenTuiError`."""
        if conversation_id is None:
            return self._with_draft(self._library.new())
        return self._with_draft(self._library.open(conversation_id))

    def next_new(self, shown_id: str) -> tuple[ChatSession, str]:
        """Open an unstarted conversation with a draft, or an empty one after the last of these.

        Such conversations have no row in the list. They are visited newest first; after the oldest comes an
        empty conversation. The second value is the code of a notice to show, or empty.
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
        """Open the conversation for writing if the other program has closed it, else return None."""
        try:
            opened = self._library.open(session.conversation.id)
        except QwenTuiError:
            return None
        return opened if opened is not session else None

    def _with_draft(self, session: ChatSession) -> ChatSession:
        self._drafts.open(session.conversation)  # reads the file that the message box needs next
        return session
