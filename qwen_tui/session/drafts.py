"""Drafts on disk: the unsent text of each conversation, and messages that wait for an answer.

A message sent while the model is busy is not part of its conversation yet. It is saved with the draft until
it is, and is restored to the message box if the program ends first.
"""

import threading
from collections.abc import Collection
from dataclasses import replace

from qwen_tui.chat.drafts import Drafts, SavedDraft, UnsentEdit, Waiting
from qwen_tui.chat.messages import Conversation
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.draft import Draft, Written
from qwen_tui.session.requests import Edit, Send, TurnRequest
from qwen_tui.session.storage import Storage
from qwen_tui.session.turn_queue import TurnQueue


class DraftKeeper:
    """Records unsent text in memory, and has the storage thread write it to disk."""

    def __init__(self, drafts: Drafts, turns: TurnQueue, storage: Storage) -> None:
        self._drafts = drafts
        self.left_behind = drafts.left_behind
        self._turns = turns
        self._storage = storage
        self._is_due = False
        """Whether a write was requested that the storage thread has not started."""
        self._writing = threading.Lock()
        self._lock = threading.Lock()
        """Guards the state in memory; never locked during disk access."""
        self._here: dict[str, Written] = {}
        """By conversation id: the current or last content of its message box."""
        self._new: dict[str, Conversation] = {}
        """By id: the conversations that have no message, and so no file."""
        self._changed: set[str] = set()
        self._on_disk: frozenset[str] | None = None
        """The conversations that had a draft when the program started."""

    def open(self, conversation: Conversation) -> Written:
        """Return the unsent text of a conversation; reads its file the first time."""
        with self._lock:
            known = self._here.get(conversation.id)
        if known is not None:
            return known
        saved = self._drafts.load(conversation.id) or SavedDraft()
        # The program may have been killed between accepting a message and updating the draft file.
        lost = [each.text for each in saved.waiting if conversation.message(each.own_id) is None]
        edits = [each for each in saved.edits if conversation.message(each.message_id) is not None]
        lost += [each.text for each in saved.edits if each not in edits]
        draft = Draft.of("\n\n".join(filter(None, (*lost, saved.text))))
        draft = draft._replace(attachments=(*saved.attachments, *draft.attachments))
        with self._lock:
            return self._here.setdefault(conversation.id, Written(draft, tuple(edits), saved.editing))

    def among(self, conversation_ids: Collection[str]) -> frozenset[str]:
        """Return which of these conversations have unsent or unanswered text; lists the folder the first time."""
        if self._on_disk is None:
            self._on_disk = self._drafts.among(conversation_ids)
        with self._lock:
            here = {own_id: not written.is_empty for own_id, written in self._here.items()}
        return frozenset(each for each in conversation_ids if here.get(each, each in self._on_disk))

    def note(self, conversation: Conversation, written: Written) -> None:
        """Record the current content of a conversation's message box."""
        with self._lock:
            self._note_newness(conversation)
            if self._here.get(conversation.id) != written:
                self._here[conversation.id] = written
                self._changed.add(conversation.id)

    def give_back(self, conversation: Conversation, request: TurnRequest) -> None:
        """Move the text of a turn that will not be answered back to the unsent text of its conversation."""
        written = self.open(conversation)
        if isinstance(request, Edit):
            edits = [each for each in written.edits if each.message_id != request.message_id]
            later = [each.text for each in written.edits if each.message_id == request.message_id]
            edits.append(UnsentEdit(request.message_id, "\n\n".join((request.text, *later))))
            written = written._replace(edits=tuple(edits), editing=written.editing or request.message_id)
        elif isinstance(request, Send):
            text = "\n\n".join(filter(None, (request.text, written.draft.text)))
            draft = Draft.of(text)
            written = written._replace(
                draft=draft._replace(attachments=(*draft.attachments, *written.draft.attachments))
            )
        self.note(conversation, written)

    def note_queue(self, conversation: Conversation) -> None:
        """Record that the queued messages of this conversation have changed."""
        with self._lock:
            self._note_newness(conversation)
            self._changed.add(conversation.id)

    def keep(self) -> None:
        """Schedule a write of all changes on the storage thread; call from the event loop."""
        if not self._is_due:
            self._is_due = True
            self._storage.run(self.write)

    def write(self) -> QwenTuiError | None:
        """Write all changes, from any thread; return the error of a failed write, which will be retried."""
        problem: QwenTuiError | None = None
        self._is_due = False
        with self._writing:
            with self._lock:
                changed = list(self._changed)
            for conversation_id in changed:
                self._changed.discard(conversation_id)  # first: changes during the write count again
                try:
                    self._drafts.save(conversation_id, self._as_it_stands(conversation_id))
                except QwenTuiError as error:
                    problem = error
                    self._changed.add(conversation_id)
        return problem

    def _as_it_stands(self, conversation_id: str) -> SavedDraft:
        with self._lock:
            draft, edits, editing = self._here.get(conversation_id, Written())
            new = self._new.get(conversation_id)
        unsaved = self._turns.unsaved(conversation_id)
        waiting = tuple(Waiting(ask.own_id, ask.text) for ask in unsaved)
        saved = SavedDraft(draft.text, draft.attachments, waiting, edits, editing)
        if new is None:
            return saved
        name = new.name if new.named_by_person else ""
        return replace(saved, is_new=True, name=name, overrides=new.overrides)

    def _note_newness(self, conversation: Conversation) -> None:
        if conversation.messages:
            self._new.pop(conversation.id, None)
            return
        before = self._new.get(conversation.id)
        self._new[conversation.id] = conversation
        is_other = before is not None and conversation.name != before.name
        if is_other or conversation.overrides != (before.overrides if before is not None else {}):
            self._changed.add(conversation.id)
