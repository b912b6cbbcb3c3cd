"""The conversations of this person: which there are, which are open, and taking back what was done to them.

Sits between the store (files) and the screen (rows). A conversation is opened once: a reply that is still being
written and the log that shows it share one `ChatSession`.
"""

from collections.abc import Callable
from dataclasses import replace

from qwen_tui.chat.index import Entry
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError
from qwen_tui.session import ChatSession

Undo = Callable[[], str]
"""Takes a change back; returns the name of the conversation it was done to. Raises `QwenTuiError`."""


class Library:
    """Open sessions, the list of all conversations, and undo for renaming and trashing."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store
        self._sessions: dict[str, ChatSession] = {}
        self._undo: list[Undo] = []
        self._entries: dict[str, Entry] = {}
        self._problems: list[QwenTuiError] = []
        self._told: set[tuple[object, ...]] = set()

    def entries(self) -> tuple[Entry, ...]:
        """All saved conversations, pinned ones first, then the one used last."""
        self._note_problems()  # what a save has found since: listing begins anew
        entries = self._store.list()
        self._note_problems()
        self._entries = {entry.id: entry for entry in entries}
        return tuple(sorted(entries, key=lambda entry: not entry.pinned))

    def take_problems(self) -> list[QwenTuiError]:
        """What could not be read since the last call, and where it was put: to be said once."""
        problems, self._problems = self._problems, []
        return problems

    def new(self, name: str | None = None) -> ChatSession:
        """An empty conversation; it gets a file with its first message."""
        conversation = self._store.create(name)
        self._note_problems()
        return self._keep(conversation)

    def open(self, conversation_id: str) -> ChatSession:
        """A saved conversation, or the session that already has it open; raises `QwenTuiError`."""
        session = self._sessions.get(conversation_id)
        if session is None:
            session = self._keep(self._store.load(self._entry(conversation_id)))
        return session

    def open_named(self, name: str) -> ChatSession:
        """The conversation of this name, or a new one under it; raises `QwenTuiError`."""
        entry = self._store.find(name)
        if entry is None:
            return self.new(name)
        self._entries[entry.id] = entry
        return self.open(entry.id)

    def forget(self, conversation_id: str) -> None:
        """Let an open session go that nobody shows and nobody writes in; its conversation is on disk."""
        self._sessions.pop(conversation_id, None)

    def rename(self, conversation_id: str, name: str) -> None:
        """Name a conversation; raises `QwenTuiError`."""
        session = self.open(conversation_id)
        before = session.conversation
        session.change(lambda conversation: replace(conversation, name=name, named_by_person=True))

        def undo() -> str:
            self.open(conversation_id).change(
                lambda it: replace(it, name=before.name, named_by_person=before.named_by_person)
            )
            return before.name

        self._undo.append(undo)

    def pin(self, conversation_id: str, pinned: bool) -> None:
        """Keep a conversation on top of the list, or no longer; raises `QwenTuiError`."""
        self.open(conversation_id).change(lambda conversation: replace(conversation, pinned=pinned))

    def trash(self, conversation_id: str) -> str:
        """Move a conversation to the trash and close it; returns its name. Raises `QwenTuiError`."""
        session = self._sessions.get(conversation_id)
        if session is not None and session.is_adjusted:
            session.save()
        trashed = self._store.trash(self._entry(conversation_id))
        if session is not None:
            session.close()
        self.forget(conversation_id)

        def undo() -> str:
            return self._store.restore(trashed).name

        self._undo.append(undo)
        return trashed.name

    def undo(self) -> str | None:
        """Take the last change of the list back; returns the conversation's name, None when there is none."""
        if not self._undo:
            return None
        name = self._undo[-1]()
        self._undo.pop()  # only now: one that failed can be tried again
        return name

    def _note_problems(self) -> None:
        for problem in self._store.problems:
            known = (problem.code, *problem.parameters.values())
            if known not in self._told:  # a file that stays where it is, is met at every look
                self._told.add(known)
                self._problems.append(problem)
        self._store.problems = ()

    def _keep(self, conversation: Conversation) -> ChatSession:
        return self._sessions.setdefault(conversation.id, ChatSession(conversation, self._store))

    def _entry(self, conversation_id: str) -> Entry:
        if conversation_id not in self._entries:
            self.entries()
        if conversation_id not in self._entries:
            raise QwenTuiError("store.gone", name=conversation_id)
        return self._entries[conversation_id]
