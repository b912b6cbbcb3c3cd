"""The conversations of a person, each in a file of its own that is named after it.

```
conversations/
├── 广州美食.json         a conversation, written whole (`codec`)
├── 广州美食.partial      the reply that is being written to it (`partial`)
├── .index.json          what the list shows, so that it opens no files (`index`)
├── trash/               what was deleted
└── damaged/             what could not be read, unchanged
```

A file belongs to a conversation by the id in it, whatever either is called. Several programs may work in one
folder: they change it one at a time, and what another has added to a conversation is kept (`merge`).
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_tui.chat.files import locked, make_folder, shown, sweep, sync_folder, why
from qwen_tui.chat.folder import Folder, move_into
from qwen_tui.chat.index import Entry, stamp_of
from qwen_tui.chat.merge import merge
from qwen_tui.chat.messages import Conversation, Message
from qwen_tui.chat.names import default_name, file_stem, folded, tidy, unique
from qwen_tui.chat.partial import SUFFIX as PARTIAL
from qwen_tui.chat.partial import Partial
from qwen_tui.chat.recovery import recover_replies
from qwen_tui.errors import QwenTuiError

Entries = list[Entry]

TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Trashed:
    """A conversation in the trash, as `restore` takes it."""

    name: str
    path: Path


class ConversationStore:
    """The conversations in a folder, which is made when it is needed. May be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._path = folder
        self._folder = Folder(folder)
        self._mutex = threading.RLock()
        self._held: dict[str, Entry] = {}
        """By conversation id: the state of the file that those who have the conversation open know of."""
        self.problems: tuple[QwenTuiError, ...] = ()
        """What could not be read since `list` was last called, that call included, and where it was put."""

    def list(self) -> Entries:
        """All conversations, the one used last first. Never raises: see `problems`.

        Replies that a crash cut short become part of their conversations; damaged files are set aside.
        """
        with self._mutex:
            self.problems = ()
            try:
                with self._alone():
                    self._refresh()
                    self._recover_all()
                    sweep(self._path)
            except OSError as error:
                self.problems += (
                    QwenTuiError("store.unreadable", path=shown(self._path), detail=why(error)),
                )
            return sorted(self._folder.entries.values(), key=lambda entry: entry.updated, reverse=True)

    def find(self, name: str) -> Entry | None:
        """The conversation of this name; upper and lower case count only where both exist."""
        name = tidy(name)
        alike = [entry for entry in self.list() if folded(entry.name) == folded(name)]
        return next((entry for entry in alike if entry.name == name), alike[0] if alike else None)

    def create(self, name: str | None = None) -> Conversation:
        """A new conversation under a name that no other has; `save` gives it its file."""
        given = tidy(name or "")
        with self._mutex:
            with suppress(OSError):  # where nothing can be read every name is free
                self._refresh()
            free = self._folder.free_name(given or default_name())
            return Conversation(name=free, named_by_person=bool(given))

    def load(self, entry: Entry) -> Conversation:
        """Read a conversation, with the reply that a crash cut short if there is one.

        Raises `QwenTuiError`.
        """
        with self._changing("store.unreadable", entry.file):
            known = self._known(entry)
            # What cannot be recovered stays where it is, and `list` says so.
            recover_replies(self._folder, [(self._path / known.file).with_suffix(PARTIAL)])
            conversation = self._folder.load(self._known(entry))
            self._held[entry.id] = self._folder.entries[entry.id]
            return conversation

    def save(self, conversation: Conversation) -> Conversation:
        """Write a conversation whole; returns it as it stands in the file.

        It gets a number after its name if another has that name, and messages that another program has added
        since. Its file follows its name. Raises `QwenTuiError` (`store.not_saved`); the old file stands then.
        """
        conversation = replace(conversation, name=tidy(conversation.name) or default_name())
        with self._changing("store.not_saved", f"{file_stem(conversation.name)}.json"):
            if not self._folder.is_read:
                self._refresh()
            saved = self._put(self._with_changes_of_others(conversation))
            self._held[saved.id] = self._folder.entries[saved.id]
            return saved

    def rename(self, entry: Entry, name: str) -> Entry:
        """Name a conversation and its file; raises `QwenTuiError`.

        Where it is open it has the new name after the next save.
        """
        return self._change(entry, name=tidy(name) or default_name(), named_by_person=True)

    def pin(self, entry: Entry, pinned: bool) -> Entry:
        """Pin or unpin a conversation; raises `QwenTuiError`."""
        return self._change(entry, pinned=pinned)

    def trash(self, entry: Entry) -> Trashed:
        """Move a conversation to the trash; `restore` brings it back. Raises `QwenTuiError`."""
        with self._changing("store.not_moved", entry.file):
            known = self._known(entry)
            try:
                path = move_into(self._path / TRASH, self._path / known.file)
            except FileNotFoundError:
                raise QwenTuiError("store.gone", name=known.name) from None
            del self._folder.entries[known.id]
            return Trashed(known.name, path)

    def restore(self, trashed: Trashed) -> Entry:
        """Bring a conversation back from the trash; raises `QwenTuiError`."""
        with self._changing("store.not_moved", trashed.path.name):
            self._refresh()
            try:
                file = self._folder.free_file(trashed.path.stem)
                os.rename(trashed.path, self._path / file)
            except FileNotFoundError:
                raise QwenTuiError("store.gone", name=trashed.name) from None
            conversation = self._folder.read(file)
            free = self._folder.free_name(conversation.name, conversation.id)
            if free != conversation.name:
                self._folder.write(replace(conversation, name=free), file)
            sync_folder(self._path)
            return self._folder.entries[conversation.id]

    def partial(self, conversation: Conversation, message: Message) -> Partial:
        """The file that takes the pieces of a reply while it is written; see `Partial.error`, never raises."""
        with self._mutex:
            known = self._folder.entries.get(conversation.id)
        path = self._path / (known.file if known else f"{file_stem(conversation.name)}.json")
        try:
            # Alone, so that no other program takes it for an orphan before it has its lock.
            with self._alone():
                stem = unique(path.stem, lambda stem: os.path.lexists(self._path / (stem + PARTIAL)))
                partial = Partial(self._path / (stem + PARTIAL), conversation.id, message)
                sync_folder(self._path)
                return partial
        except OSError:
            return Partial(path.with_suffix(PARTIAL), conversation.id, message)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and programs from changing the folder; raises OSError."""
        with self._mutex:
            make_folder(self._path)
            with locked(self._path):
                yield

    @contextmanager
    def _changing(self, code: str, file: str) -> Iterator[None]:
        """The same, and what the system refuses becomes a `QwenTuiError` about this file."""
        try:
            with self._alone():
                yield
        except OSError as error:
            raise QwenTuiError(code, path=shown(self._path / file), detail=why(error)) from error

    def _refresh(self) -> None:
        self.problems += self._folder.refresh()

    def _recover_all(self) -> None:
        partials = [self._path / name for name in os.listdir(self._path) if name.endswith(PARTIAL)]
        self.problems += recover_replies(self._folder, partials)

    def _known(self, entry: Entry) -> Entry:
        """What is known now of a conversation that was listed; its file may have another name by now."""
        known = self._folder.entries.get(entry.id)
        if known is None or not (self._path / known.file).exists():
            self._refresh()
            known = self._folder.entries.get(entry.id)
        if known is None:
            raise QwenTuiError("store.gone", name=entry.name)
        return known

    def _change(self, entry: Entry, **values: object) -> Entry:
        with self._changing("store.not_saved", entry.file):
            conversation = self._folder.load(self._known(entry))
            saved = self._put(replace(conversation, **values))  # type: ignore[arg-type]
            return self._folder.entries[saved.id]

    def _put(self, conversation: Conversation) -> Conversation:
        """Write a conversation into its file; a new name asks for a look at the names that others have."""
        known = self._folder.entries.get(conversation.id)
        if known is None or known.name != conversation.name:
            self._refresh()
        return self._folder.put(conversation)

    def _with_changes_of_others(self, conversation: Conversation) -> Conversation:
        """The conversation with what has come into its file since whoever has it open last saw it.

        A file that cannot be read any more, or is gone, no longer counts: a new one takes the conversation.
        """
        held, known = self._held.get(conversation.id), self._folder.entries.get(conversation.id)
        if known is None:
            return conversation
        with suppress(FileNotFoundError):
            if held is not None and stamp_of((self._path / known.file).stat()) == held.stamp:
                return conversation
        self._refresh()
        known = self._folder.entries.get(conversation.id)
        if known is None:
            return conversation
        base = held or known
        return merge(conversation, self._folder.load(known), base_name=base.name, base_pinned=base.pinned)
