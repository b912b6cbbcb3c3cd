"""The conversations of a person, each in a file of its own that is named after it.

```
conversations/
├── 广州美食.json         a conversation, written whole (`codec`)
├── 广州美食.partial      the reply that is being written to it (`partial`)
├── .index.json          what the list shows, so that it opens no files (`index`)
├── trash/               what was deleted
└── damaged/             what could not be read, unchanged
```

A file belongs to a conversation by the id in it, whatever either is called. Several programs may work on one
folder: they change it one at a time, and what another has added to a conversation is kept.
"""

import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_tui import strings
from qwen_tui.chat.files import locked, make_folder, sweep
from qwen_tui.chat.folder import Folder, move_into, why
from qwen_tui.chat.index import Entry, stamp_of
from qwen_tui.chat.merge import merge, with_recovered
from qwen_tui.chat.messages import Conversation, Message
from qwen_tui.chat.names import default_name, file_stem, folded, tidy, unique
from qwen_tui.chat.partial import SUFFIX as PARTIAL
from qwen_tui.chat.partial import Partial, Recovered, orphan, recover
from qwen_tui.errors import QwenTuiError

Entries = list[Entry]
Problems = list[QwenTuiError]

TRASH = "trash"


@dataclass(frozen=True, slots=True)
class Trashed:
    """A conversation in the trash, as `restore` takes it."""

    name: str
    path: Path


class ConversationStore:
    """The conversations in a folder. It may be used from any thread; the folder is made when it is needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = Folder(folder)
        self._mutex = threading.RLock()
        self.problems: tuple[QwenTuiError, ...] = ()
        """What the last `list` could not read, and where it was put."""

    def list(self) -> Entries:
        """All conversations, the one used last first. Never raises: see `problems`.

        Replies that a crash cut short become part of their conversations; damaged files are set aside.
        """
        try:
            with self._alone():
                problems = self._folder.refresh()
                problems += self._recover(self._partials())
                sweep(self._folder.path)
        except OSError as error:
            problems = [QwenTuiError("store.unreadable", path=str(self._folder.path), detail=why(error))]
        self.problems = tuple(problems)
        return sorted(self._folder.entries.values(), key=lambda each: each.updated, reverse=True)

    def find(self, name: str) -> Entry | None:
        """The conversation of this name; upper and lower case count only where both exist."""
        alike = [each for each in self.list() if folded(each.name) == folded(tidy(name))]
        return next((each for each in alike if each.name == name), alike[0] if alike else None)

    def create(self, name: str | None = None) -> Conversation:
        """A new conversation under a name that no other has; `save` gives it its file."""
        with self._mutex:
            self._look()
            wanted = tidy(name or "") or default_name()
            return Conversation(name=self._folder.free_name(wanted), named_by_person=name is not None)

    def load(self, entry: Entry) -> Conversation:
        """Read a conversation, with the reply that a crash cut short if there is one; raises `QwenTuiError`."""
        with self._reporting("store.unreadable", self._folder.path), self._alone():
            known = self._known(entry)
            self._recover([self._folder.path / (Path(known.file).stem + PARTIAL)])
            return self._read(self._known(entry))

    def save(self, conversation: Conversation) -> Conversation:
        """Write a conversation whole; returns it as it stands in the file.

        It gets a number after its name if another has that name, and messages that another program has added
        since. Its file follows its name. Raises `QwenTuiError` (`store.not_saved`), and then the old file stands.
        """
        wanted = tidy(conversation.name) or default_name()
        path = self._folder.path / f"{file_stem(wanted)}.json"
        with self._reporting("store.not_saved", path), self._alone():
            self._look()
            known = self._folder.entries.get(conversation.id)
            conversation = replace(conversation, name=wanted)
            if known is not None:
                theirs = self._changed_by_others(known)
                if theirs is not None:
                    conversation = merge(conversation, theirs, base_name=known.name, base_pinned=known.pinned)
                known = self._folder.entries.get(conversation.id)
            if known is None or known.name != conversation.name:
                free = self._folder.free_name(conversation.name, conversation.id)
                conversation = replace(conversation, name=free)
            if known is None:
                file = self._folder.free_file(conversation.name)
            elif known.name != conversation.name:
                file = self._folder.rename(known, conversation.name)
            else:
                file = known.file
            self._folder.write(conversation, file)
            return conversation

    def rename(self, entry: Entry, name: str) -> Entry:
        """Name a conversation that is not open, and its file; raises `QwenTuiError`.

        One that is open is renamed by saving it under its new name: its owner would save the old one again.
        """
        return self._change(entry, name=tidy(name) or default_name(), named_by_person=True)

    def pin(self, entry: Entry, pinned: bool) -> Entry:
        """Pin a conversation that is not open, or unpin it; raises `QwenTuiError`."""
        return self._change(entry, pinned=pinned)

    def trash(self, entry: Entry) -> Trashed:
        """Move a conversation to the trash; `restore` brings it back. Raises `QwenTuiError`."""
        with self._reporting("store.not_moved", self._folder.path / entry.file), self._alone():
            known = self._known(entry)
            path = move_into(self._folder.path / TRASH, self._folder.path / known.file)
            del self._folder.entries[known.id]
            return Trashed(known.name, path)

    def restore(self, trashed: Trashed) -> Entry:
        """Bring a conversation back from the trash; raises `QwenTuiError`."""
        with self._reporting("store.not_moved", trashed.path), self._alone():
            self._look()
            file = self._folder.free_file(trashed.path.stem)
            try:
                os.rename(trashed.path, self._folder.path / file)
            except FileNotFoundError:
                raise QwenTuiError("store.gone", name=trashed.name) from None
            conversation = self._folder.read(file)
            free = self._folder.free_name(conversation.name, conversation.id)
            if free != conversation.name:
                self._folder.write(replace(conversation, name=free), file)
            return self._folder.entries[conversation.id]

    def partial(self, conversation: Conversation, message: Message) -> Partial:
        """The file that takes the pieces of this reply while it is written; never raises, see `Partial.error`."""
        known = self._folder.entries.get(conversation.id)
        stem = Path(known.file).stem if known is not None else file_stem(conversation.name)
        folder = self._folder.path
        try:
            # Alone, so that no other program takes it for an orphan between its creation and its lock.
            with self._alone():
                free = unique(stem, lambda each: os.path.lexists(folder / (each + PARTIAL)))
                return Partial(folder / (free + PARTIAL), conversation.id, message)
        except OSError:
            return Partial(folder / (stem + PARTIAL), conversation.id, message)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other threads and programs from changing the folder; raises OSError."""
        with self._mutex:
            make_folder(self._folder.path)
            with locked(self._folder.path):
                yield

    @contextmanager
    def _reporting(self, code: str, path: Path) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise QwenTuiError(code, path=str(path), detail=why(error)) from error

    def _look(self) -> None:
        """Know the folder; once, since saving must not depend on how many conversations there are."""
        if not self._folder.is_read and self._folder.path.exists():
            self.problems += tuple(self._folder.refresh())

    def _known(self, entry: Entry) -> Entry:
        self._look()
        if entry.id not in self._folder.entries:
            self._folder.refresh()
        if entry.id not in self._folder.entries:
            raise QwenTuiError("store.gone", name=entry.name)
        return self._folder.entries[entry.id]

    def _read(self, known: Entry) -> Conversation:
        # The entry's id holds: a copy of a file carries the id of its original.
        conversation = self._folder.read(known.file)
        if conversation.id != known.id:
            del self._folder.entries[conversation.id]
            conversation = replace(conversation, id=known.id)
        return conversation

    def _change(self, entry: Entry, **values: object) -> Entry:
        with self._mutex:
            conversation = replace(self.load(entry), **values)  # type: ignore[arg-type]
            return self._folder.entries[self.save(conversation).id]

    def _changed_by_others(self, known: Entry) -> Conversation | None:
        """The conversation as another program has saved it since this one did; None when none has.

        A file that has gone, or cannot be read any more, no longer counts as the conversation's.
        """
        path = self._folder.path / known.file
        try:
            if stamp_of(path.stat()) == known.stamp:
                return None
            theirs = self._folder.read(known.file)
            if theirs.id == known.id:
                return theirs
        except FileNotFoundError:
            pass
        except QwenTuiError as error:
            if error.code == "store.damaged":
                self.problems += (self._folder.set_aside(known.file, error),)
        self._folder.entries.pop(known.id, None)
        return None

    def _partials(self) -> Iterator[Path]:
        names = [name for name in os.listdir(self._folder.path) if name.endswith(PARTIAL)]
        return (self._folder.path / name for name in names)

    def _recover(self, partials: Iterable[Path]) -> Problems:
        """Make orphans the replies they are; what cannot be recovered now stays, what never can is set aside."""
        return [problem for path in partials if (problem := self._recover_one(path)) is not None]

    def _recover_one(self, path: Path) -> QwenTuiError | None:
        with orphan(path) as data:
            if data is None:
                return None
            try:
                found = recover(data)
                if found is not None:
                    self._add_recovered(found)
            except ValueError as error:
                damaged = QwenTuiError("store.damaged", path=str(path), detail=str(error))
                return self._folder.set_aside(path.name, damaged)
            except QwenTuiError as error:
                return error
            except OSError as error:
                return QwenTuiError("store.not_saved", path=str(path), detail=why(error))
            with suppress(OSError):
                path.unlink()
        return None

    def _add_recovered(self, found: Recovered) -> None:
        known = self._folder.entries.get(found.conversation_id)
        if known is None:
            raise ValueError(strings.say("store.damage.no_conversation"))
        conversation = self._read(known)
        whole = with_recovered(conversation, found.reply)
        if whole is not conversation:
            self._folder.write(whole, known.file)
