"""The conversations of a person, each in a file named after it.

```
conversations/
├── 广州美食.json         a conversation, written whole (`codec`)
├── 广州美食.partial      the reply that is being written to it (`partial`)
├── .index.json          what the list shows, so that it opens no files (`index`)
├── .open/               which conversations a program has open (`claims`)
├── trash/               what was deleted (`trash`)
└── damaged/             what could not be read, unchanged
```

A file belongs to a conversation by the id in it, regardless of names. Several programs may share a folder:
they change it one at a time, and what another program adds to a conversation is merged (`merge`).
"""

import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from qwen_tui.chat import trash
from qwen_tui.chat.claims import Claim, Claims
from qwen_tui.chat.drafts import Drafts
from qwen_tui.chat.files import Stamp, locked, make_folder, shown, stamp_of, sweep, sync_folder, why
from qwen_tui.chat.folder import Folder
from qwen_tui.chat.index import Entry
from qwen_tui.chat.merge import merge
from qwen_tui.chat.messages import Conversation, Message, now
from qwen_tui.chat.names import default_name, file_stem, folded, tidy
from qwen_tui.chat.partial import SUFFIX as PARTIAL
from qwen_tui.chat.partial import Partial
from qwen_tui.chat.recovery import recover_replies
from qwen_tui.chat.trace_files import TraceFiles
from qwen_tui.chat.trash import Trashed
from qwen_tui.errors import QwenTuiError

Entries = list[Entry]


class ConversationStore:
    """The conversations in a folder, which is created on demand. Usable from any thread."""

    def __init__(self, folder: Path, drafts: Drafts | None = None) -> None:
        """Open the store; `drafts` and traces of conversations purged from the trash are removed."""
        self.path = folder
        self._folder = Folder(folder)
        self._claims = Claims(folder)
        self._drafts = drafts
        self.traces = TraceFiles(folder)
        self._mutex = threading.RLock()
        self._held: dict[str, tuple[Stamp, Conversation]] = {}
        """By conversation id: the file's stamp and the conversation as last loaded or saved here."""
        self.problems: tuple[QwenTuiError, ...] = ()
        """Files that could not be read since the start of the last `list`, and where they were moved."""

    def list(self) -> Entries:
        """Return all conversations, most recently used first. Never raises: see `problems`.

        Replies interrupted by a crash are added to their conversations; damaged files are set aside.
        """
        with self._mutex:
            self.problems = ()
            try:
                with self._alone():
                    self._refresh()
                    self._recover_all()
                    sweep(self.path)
                    self._claims.sweep()
                    for conversation_id in trash.purge(self.path):
                        self.traces.remove(conversation_id)
                        if self._drafts is not None:
                            self._drafts.remove(conversation_id)
            except OSError as error:
                problem = QwenTuiError("store.unreadable", path=shown(self.path), detail=why(error))
                self.problems += (problem,)
            return sorted(self._folder.entries.values(), key=lambda entry: entry.updated, reverse=True)

    def find(self, name: str) -> Entry | None:
        """Find the conversation with this name; case matters only if several names differ in nothing else."""
        name = tidy(name)
        alike = [entry for entry in self.list() if folded(entry.name) == folded(name)]
        return next((entry for entry in alike if entry.name == name), alike[0] if alike else None)

    def create(self, name: str | None = None) -> Conversation:
        """Create a conversation with a free name; its file is created by `save`."""
        given = tidy(name or "")
        with self._mutex:
            with suppress(OSError):  # if the folder cannot be read, every name is free
                self._refresh()
            free = self._folder.free_name(given or default_name())
            return Conversation(name=free, named_by_person=bool(given))

    def load(self, entry: Entry) -> Conversation:
        """Load a conversation, including a reply interrupted by a crash; raises `QwenTuiError`."""
        with self._changing("store.unreadable", entry.file):
            known = self._known(entry)
            if (self.path / known.file).with_suffix(PARTIAL).exists():
                self._refresh()
                self._recover_all()
            return self._hold(self._folder.load(self._known(entry)))

    def save(self, conversation: Conversation) -> Conversation:
        """Save a conversation; return it as stored.

        Its name is numbered if another conversation has it, messages added by another program are merged in,
        and its file is renamed with it. Raises `QwenTuiError` (`store.not_saved`); the old file is unchanged
        then.
        """
        conversation = replace(conversation, name=tidy(conversation.name) or default_name())
        with self._changing("store.not_saved", f"{file_stem(conversation.name)}.json"):
            return self._hold(self._folder.put(self._with_changes_of_others(conversation)))

    def forget(self, conversation_id: str) -> None:
        """Drop the merge base of a conversation that is no longer open here."""
        with self._mutex:
            self._held.pop(conversation_id, None)

    def claim(self, conversation_id: str) -> Claim | None:
        """Claim a conversation for writing; None if another program has it open."""
        try:
            with self._alone():
                return self._claims.claim(conversation_id)
        except OSError:
            return self._claims.claim(conversation_id)

    def duplicate(self, entry: Entry) -> Conversation:
        """Copy a conversation under a new name and id; raises `QwenTuiError`."""
        with self._changing("store.not_saved", entry.file):
            original = self._folder.load(self._known(entry))
            self._refresh()
            name = self._folder.free_name(original.name)
            copy = replace(original, id=uuid.uuid4().hex, name=name, pinned=False, updated=now())
            return self._folder.put(copy)

    def add(self, conversations: Iterable[Conversation]) -> Iterator[Entry]:
        """Save imported conversations one by one, as the entries are iterated.

        A conversation whose id or name is taken gets a new id or a numbered name. Raises `QwenTuiError`
        (`store.not_added`) at the first that cannot be written; earlier ones remain saved.
        """
        try:
            for number, conversation in enumerate(conversations):
                try:
                    # Refresh only once: checking every file for each of a thousand conversations would
                    # dominate the import.
                    entry = self._add(conversation, looks=number == 0)
                except QwenTuiError as error:
                    reason = error.explanation.sentence
                    raise QwenTuiError("store.not_added", done=number, reason=reason) from error
                yield entry
        finally:
            self._folder.write_index()

    def rename(self, entry: Entry, name: str) -> Entry:
        """Rename a conversation and its file; an open session follows at its next save. Raises `QwenTuiError`."""
        return self._change(entry, name=tidy(name) or default_name(), named_by_person=True)

    def pin(self, entry: Entry, pinned: bool) -> Entry:
        """Pin or unpin a conversation; raises `QwenTuiError`."""
        return self._change(entry, pinned=pinned)

    def trash(self, entry: Entry) -> Trashed:
        """Move a conversation to the trash, where `restore` finds it for thirty days. Raises `QwenTuiError`."""
        with self._changing("store.not_moved", entry.file):
            known = self._known(entry)
            if self._claims.is_elsewhere(known.id):
                raise QwenTuiError("store.open_elsewhere", name=known.name)
            try:
                trashed = trash.put(self.path, self.path / known.file, known.name)
            except FileNotFoundError:
                raise QwenTuiError("store.gone", name=known.name) from None
            del self._folder.entries[known.id]
            return trashed

    def trashed(self) -> tuple[Trashed, ...]:
        """Return the contents of the trash, newest first."""
        return tuple(trash.trashed(self.path))

    def restore(self, trashed: Trashed) -> Entry:
        """Restore a conversation from the trash; raises `QwenTuiError`."""
        with self._changing("store.not_moved", trashed.path.name):
            self._refresh()
            try:
                file = self._folder.free_file(trashed.name)
                os.rename(trashed.path, self.path / file)
            except FileNotFoundError:
                raise QwenTuiError("store.gone", name=trashed.name) from None
            conversation = self._folder.read(file)
            free = self._folder.free_name(conversation.name, conversation.id)
            if free != conversation.name:
                self._folder.write(replace(conversation, name=free), file)
            sync_folder(self.path)
            return self._folder.entries[conversation.id]

    def partial(self, conversation: Conversation, message: Message) -> Partial:
        """Create the partial file of a reply. Never raises; see `Partial.error`."""
        with self._mutex:
            known = self._folder.entries.get(conversation.id)
        stem = Path(known.file).stem if known else file_stem(conversation.name)
        return Partial(self.path / (stem + PARTIAL), conversation.id, message)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Lock the folder against other threads and programs; raises OSError."""
        with self._mutex:
            make_folder(self.path)
            with locked(self.path):
                yield

    @contextmanager
    def _changing(self, code: str, file: str) -> Iterator[None]:
        """Lock the folder and turn OSErrors into a `QwenTuiError` about this file."""
        try:
            with self._alone():
                yield
        except OSError as error:
            raise QwenTuiError(code, path=shown(self.path / file), detail=why(error)) from error

    def _add(self, conversation: Conversation, *, looks: bool) -> Entry:
        name = tidy(conversation.name) or default_name()
        with self._changing("store.not_saved", f"{file_stem(name)}.json"):
            if looks:
                self._refresh()
            is_known = conversation.id in self._folder.entries
            own_id = uuid.uuid4().hex if is_known else conversation.id
            imported = self.traces.detached(replace(conversation, id=own_id, name=name))
            added = self._folder.put(imported)
            return self._folder.entries[added.id]

    def _refresh(self) -> None:
        self.problems += self._folder.refresh()

    def _recover_all(self) -> None:
        partials = [self.path / name for name in os.listdir(self.path) if name.endswith(PARTIAL)]
        self.problems += recover_replies(self._folder, partials)

    def _known(self, entry: Entry) -> Entry:
        """Return the current entry of a listed conversation, whose file may have been renamed since."""
        known = self._folder.entries.get(entry.id)
        if known is None or not (self.path / known.file).exists():
            self._refresh()
            known = self._folder.entries.get(entry.id)
        if known is None:
            raise QwenTuiError("store.gone", name=entry.name)
        return known

    def _change(self, entry: Entry, **values: object) -> Entry:
        with self._changing("store.not_saved", entry.file):
            conversation = self._folder.load(self._known(entry))
            if "name" in values:
                self._refresh()  # another program may have taken the name
            saved = self._folder.put(replace(conversation, **values))  # type: ignore[arg-type]
            return self._folder.entries[saved.id]

    def _with_changes_of_others(self, conversation: Conversation) -> Conversation:
        """Merge what other programs have written to the conversation's file since it was last read here.

        A file that is gone or unreadable is ignored, and the conversation gets a new one. The entries stay as
        they are until the write, so that a file that becomes readable meanwhile is not replaced.
        """
        known = self._folder.entries.get(conversation.id)
        stamp, base = self._held.get(conversation.id, (None, None))
        if known is not None and known.name == conversation.name:  # a rename must refresh first
            with suppress(FileNotFoundError):
                if stamp_of((self.path / known.file).stat()) == stamp:
                    return conversation
        self._refresh()
        known = self._folder.entries.get(conversation.id)
        if known is None or known.stamp == stamp:
            return conversation
        return merge(conversation, self._folder.load(known), base)

    def _hold(self, conversation: Conversation) -> Conversation:
        self._held[conversation.id] = self._folder.entries[conversation.id].stamp, conversation
        return conversation
