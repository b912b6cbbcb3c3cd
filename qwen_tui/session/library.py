"""The person's conversations: the list, the open sessions, and undo.

The library is between the store (files) and the screen (rows). A conversation is opened once: a reply that is
still being written and the log that shows it share one `ChatSession`. An open conversation is claimed, so
that a second program can only read it.

Methods that access files wait for the disk and must be called on one thread (the screen's is `storage`).
Properties, `name` and `note_edit` only use memory and may be called from any thread.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial

from qwen_tui.chat.branches import brought_back
from qwen_tui.chat.claims import Claim
from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.drafts import LeftBehind
from qwen_tui.chat.index import Entry
from qwen_tui.chat.messages import Conversation, Status, new_message_id, now
from qwen_tui.chat.names import tidy
from qwen_tui.chat.search import Hit, Search
from qwen_tui.chat.store import ConversationStore
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.session import ChatSession
from qwen_tui.session.undo import Change, UndoStack


class Library:
    """Open sessions, the list of all conversations, and undo of changes to them."""

    def __init__(self, store: ConversationStore) -> None:
        self._store = store
        self._open: dict[str, ChatSession] = {}
        self._claims: dict[str, Claim] = {}
        """Claims on open conversations; a conversation that another program has open is read-only and has none."""
        self._search = Search(store.path)
        self._entries: dict[str, Entry] = {}
        self._told: set[tuple[object, ...]] = set()
        self.add = store.add
        """Saves imported conversations as the entries are iterated; usable from any thread."""
        self.changes = UndoStack()
        """Changes to conversations that can be undone."""
        self.problems: tuple[QwenTuiError, ...] = ()
        """Unreadable files and where they were moved; the caller of `entries` reports them once."""

    def entries(self) -> tuple[Entry, ...]:
        """Return all saved conversations: pinned ones first, then the most recently used."""
        problems = self._store.problems  # listing clears those found by a save since
        entries = self._store.list()
        for problem in (*problems, *self._store.problems):
            known = (problem.code, *problem.parameters.values())
            if known not in self._told:  # a file that cannot be moved is found at every listing
                self._told.add(known)
                self.problems += (problem,)
        self._store.problems = ()
        self._entries = {entry.id: entry for entry in entries}
        return tuple(sorted(entries, key=lambda entry: not entry.pinned))

    def recent(self, most: int) -> tuple[Entry, ...]:
        """Return the most recently used conversations, pinned or not, newest first."""
        return tuple(sorted(self.entries(), key=lambda entry: entry.updated, reverse=True)[:most])

    def search(self, query: str, is_stopped: Callable[[], bool]) -> Iterator[Hit]:
        """Search the last listing for conversations in which every word occurs, by name or content."""
        return self._search.hits(tuple(self._entries.values()), query, is_stopped)

    # --- Open conversations -----------------------------------------------------------------------------

    def new(self, name: str | None = None, *, left_behind: LeftBehind | None = None) -> ChatSession:
        """Create an empty conversation, or continue `left_behind`; its file is created with its first message."""
        conversation = self._store.create(left_behind.name or None if left_behind is not None else name)
        if left_behind is not None:
            conversation = replace(conversation, id=left_behind.own_id, overrides=left_behind.overrides)
        return self._keep(conversation, self._store.claim(conversation.id))

    def new_or_left_behind(self, left_behind: Iterable[LeftBehind], name: str | None = None) -> ChatSession:
        """Return the first of these unstarted conversations that is free (and has this name), else a new one."""
        for left in left_behind:
            is_wanted = name is None or left.name == tidy(name)
            known = self._writable(left.own_id)
            is_begun = known is not None and bool(known.conversation.messages)
            if is_wanted and not is_begun and all(entry.id != left.own_id for entry in self.entries()):
                session = known or self.new(left_behind=left)
                if not session.is_read_only:
                    return session
                self._close(left.own_id)
        return self.new(name)

    def open(self, conversation_id: str) -> ChatSession:
        """Open a saved conversation, or return the session that already has it open; raises `QwenTuiError`.

        If another program has it open, the session is read-only until it is opened again after that.
        """
        known = self._open.get(conversation_id)
        if known is not None and not known.is_read_only:
            return known
        claim = self._store.claim(conversation_id)
        if known is not None and claim is None:
            return known
        try:
            return self._keep(self._store.load(self._entry(conversation_id)), claim)
        except QwenTuiError:
            if claim is not None:
                claim.release()
            raise

    def open_named(self, name: str, left_behind: Iterable[LeftBehind] = ()) -> ChatSession:
        """Open the conversation with this name, else call `new_or_left_behind`; raises `QwenTuiError`."""
        entry = self._store.find(name)
        if entry is None:
            return self.new_or_left_behind(left_behind, name)
        self._entries[entry.id] = entry
        return self.open(entry.id)

    def let_go(self, is_needed: Callable[[str], bool]) -> None:
        """Close the conversations that are fully saved and no longer in use.

        Do not call between opening a conversation and showing it: a closed session no longer saves anything.
        """
        for conversation_id, session in list(self._open.items()):
            if session.is_saved and not is_needed(conversation_id):
                self._close(conversation_id)

    def release(self) -> None:
        """Release all claims on quitting, so that other programs can write. A reply still running is saved."""
        for claim in list(self._claims.values()):
            claim.release()

    @property
    def has_failed_to_save(self) -> bool:
        """True if the last attempt to save an open conversation failed."""
        return any(session.has_failed_to_save for session in list(self._open.values()))

    def save_changes(self) -> QwenTuiError | None:
        """Save all unsaved changes of open conversations; return the first error."""
        errors: list[QwenTuiError] = []
        for session in list(self._open.values()):
            if not session.is_saved:
                try:
                    session.save()
                except QwenTuiError as error:
                    errors.append(error)
        return errors[0] if errors else None

    def name(self, conversation_id: str) -> str:
        """Return the name of a conversation, as far as this program knows; empty if it is unknown."""
        session, entry = self._writable(conversation_id), self._entries.get(conversation_id)
        return session.conversation.name if session is not None else entry.name if entry is not None else ""

    # --- Changes with undo ------------------------------------------------------------------------------

    def rename(self, conversation_id: str, name: str) -> None:
        """Rename a conversation, even one without a file; raises `QwenTuiError`."""
        session = self._writable(conversation_id)
        before = session.conversation if session is not None else self._entry(conversation_id)
        by_person = session is None or session.conversation.named_by_person

        def set_name(name: str, by_person: bool) -> str:
            return self._change(
                conversation_id,
                lambda it: replace(it, name=tidy(name) or it.name, named_by_person=by_person),
                lambda entry: self._store.rename(entry, name),
            )

        set_name(name, True)
        take_back = partial(set_name, before.name, by_person)
        self.changes.push(Change("undone.rename", conversation_id, take_back))

    def pin(self, conversation_id: str, pinned: bool) -> None:
        """Pin or unpin a conversation at the top of the list; raises `QwenTuiError`."""

        def set_pin(pinned: bool) -> str:
            return self._change(
                conversation_id,
                lambda it: replace(it, pinned=pinned),
                lambda entry: self._store.pin(entry, pinned),
            )

        set_pin(pinned)
        what = "undone.pin" if pinned else "undone.unpin"
        self.changes.push(Change(what, conversation_id, partial(set_pin, not pinned)))

    def trash(self, conversation_id: str) -> str:
        """Move a conversation to the trash and close it; return its name. Raises `QwenTuiError`."""
        session = self._writable(conversation_id)
        if session is not None:
            session.save()
        trashed = self._store.trash(self._entry(conversation_id))
        self._close(conversation_id)
        self.changes.push(Change("undone.trash", conversation_id, lambda: self._store.restore(trashed).name))
        return trashed.name

    def delete(self, session: ChatSession, message_id: str) -> None:
        """Delete a message from an open conversation (see `branches.without`); raises `QwenTuiError`."""
        before = session.conversation
        try:
            session.delete(message_id)
        finally:
            if session.conversation is not before:  # even if it could not be saved
                _note(
                    self,
                    "undone.delete",
                    before.id,
                    lambda it: it.change(lambda at: brought_back(at, before)),
                )

    def rewrite(self, session: ChatSession, reply_id: str, text: str) -> None:
        """Add a person's version of a reply as a variant; raises `QwenTuiError`."""
        reply = session.conversation.message(reply_id)
        if reply is None:
            return
        edited = replace(
            reply,
            id=new_message_id(),
            content=clean(text),
            status=Status.COMPLETE,
            edited=True,
            error=None,
            created=now(),
            receipt=(),
        )
        self.note_edit(session, reply_id)
        session.change(lambda it: it.with_message(edited))

    def note_edit(self, session: ChatSession, message_id: str) -> None:
        """Make undo show this message again, after another version of it is shown."""
        _note(self, "undone.edit", session.conversation.id, lambda it: it.show(message_id))

    def duplicate(self, conversation_id: str) -> str:
        """Copy a conversation under a new name; return the copy's id. Raises `QwenTuiError`."""
        session = self._writable(conversation_id)
        if session is not None:
            session.save()
        return self._store.duplicate(self._entry(conversation_id)).id

    # --- Internals --------------------------------------------------------------------------------------

    def _change(
        self,
        conversation_id: str,
        here: Callable[[Conversation], Conversation],
        in_file: Callable[[Entry], Entry],
    ) -> str:
        """Change a conversation in its open session, or else only in its file; return its name."""
        session = self._writable(conversation_id)
        if session is None:
            return in_file(self._entry(conversation_id)).name
        session.change(here)
        return session.conversation.name

    def _writable(self, conversation_id: str) -> ChatSession | None:
        """Return the writable session of a conversation; None if only its file can be changed."""
        session = self._open.get(conversation_id)
        return None if session is None or session.is_read_only else session

    def _keep(self, conversation: Conversation, claim: Claim | None) -> ChatSession:
        session = self._open[conversation.id] = ChatSession(
            conversation, self._store, read_only=claim is None
        )
        if claim is not None:
            self._claims[conversation.id] = claim
        return session

    def _close(self, conversation_id: str) -> None:
        session, claim = self._open.pop(conversation_id, None), self._claims.pop(conversation_id, None)
        if session is not None:
            session.close()
            self._store.forget(conversation_id)
        if claim is not None:
            claim.release()

    def _entry(self, conversation_id: str) -> Entry:
        if conversation_id not in self._entries:
            self.entries()
        if conversation_id not in self._entries:
            raise QwenTuiError("store.gone", name=conversation_id)
        return self._entries[conversation_id]


def _note(library: Library, what: str, conversation_id: str, how: Callable[[ChatSession], None]) -> None:
    """Push an undo step on a conversation, which is opened again if it has been closed."""

    def take_back() -> str:
        session = library.open(conversation_id)
        how(session)
        return session.conversation.name

    library.changes.push(Change(what, conversation_id, take_back))
