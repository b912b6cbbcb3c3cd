"""The files of a folder of conversations: which file contains which conversation, by the conversation's id."""

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from qwen_tui import strings
from qwen_tui.chat import index
from qwen_tui.chat.codec import decode, encode
from qwen_tui.chat.files import Stamp, move, move_into, shown, stamp_of, why, write_whole, written
from qwen_tui.chat.index import Entry, entry
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.names import file_stem, folded, plain, unique
from qwen_tui.errors import QwenTuiError

SUFFIX = ".json"
DAMAGED = "damaged"
"""Subfolder for unreadable files, which keep their names."""

LARGEST_BYTES = 512 * 2**20
"""Size limit for conversation files, far above any real one; reading a larger file would exhaust the memory."""


class Folder:
    """The known files of a folder: an `Entry` for each conversation, updated with every change made here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        """Entries by conversation id."""
        self.is_read = False
        """False until `refresh` has been called."""

    def refresh(self) -> tuple[QwenTuiError, ...]:
        """Update the entries; return the errors of unreadable files. Damaged files are set aside.

        Opens only files that are new or have changed.
        """
        known = {each.file: each for each in self.entries.values()} if self.is_read else index.read(self.path)
        found = dict(self._files())
        self.is_read = True
        self.entries = {}
        unknown = []
        for file, stamp in found.items():
            each = known.get(file)
            if each is not None and each.stamp == stamp and each.id not in self.entries:
                self.entries[each.id] = each
            else:
                unknown.append(file)
        problems = tuple(problem for file in unknown if (problem := self._take_in(file)) is not None)
        if unknown or len(known) != len(found):
            self.write_index()
        return problems

    def write_index(self) -> None:
        """Write the index, so that the next program need not open the files."""
        index.write(self.path, self.entries.values())

    def read(self, file: str) -> Conversation:
        """Read the conversation in a file and add its entry; raises `QwenTuiError`.

        A copied file has the id of its original, so it gets a new one.
        """
        path = self.path / file
        try:
            with path.open("rb") as opened:
                status = os.fstat(opened.fileno())
                if status.st_size > LARGEST_BYTES:
                    detail = strings.say("store.damage.too_large", megabytes=LARGEST_BYTES // 2**20)
                    raise QwenTuiError("store.unreadable", path=shown(path), detail=detail)
                data = opened.read()
        except FileNotFoundError:
            raise QwenTuiError("store.gone", name=shown(file)) from None
        except OSError as error:
            raise QwenTuiError("store.unreadable", path=shown(path), detail=why(error)) from error
        conversation = decode(data, path, written=written(status))
        owner = self.entries.get(conversation.id)
        if owner is not None and owner.file != file:
            conversation = replace(conversation, id=uuid.uuid4().hex)
        if not conversation.name:
            conversation = replace(conversation, name=plain(path.stem))
        self.entries[conversation.id] = entry(conversation, file, stamp_of(status))
        return conversation

    def load(self, known: Entry) -> Conversation:
        """Load the conversation of an entry under the entry's id, whatever the file says; raises `QwenTuiError`."""
        del self.entries[known.id]
        conversation = self.read(known.file)
        if conversation.id != known.id:
            read = self.entries.pop(conversation.id)
            self.entries[known.id] = replace(read, id=known.id)
        return replace(conversation, id=known.id)

    def write(self, conversation: Conversation, file: str) -> None:
        """Write a conversation to its file atomically; on OSError the file is unchanged.

        Also raises OSError if the file is no longer the one that was last read.
        """
        known = self.entries.get(conversation.id)
        stamp = known.stamp if known is not None and known.file == file else None
        write_whole(self.path / file, encode(conversation), replaces=stamp)
        self.entries[conversation.id] = entry(conversation, file, stamp_of((self.path / file).stat()))

    def put(self, conversation: Conversation) -> Conversation:
        """Write a conversation to the file of its name; return it, numbered if another has that name.

        On OSError the old file has its old content, though perhaps the new name.
        """
        known = self.entries.get(conversation.id)
        if known is not None and known.name == conversation.name:
            self.write(conversation, known.file)
            return conversation
        conversation = replace(conversation, name=self.free_name(conversation.name, conversation.id))
        file = self.free_file(conversation.name, known)
        if known is not None and file != known.file:
            move(self.path / known.file, self.path / file)
            self.entries[known.id] = replace(known, file=file)
        self.write(conversation, file)
        return conversation

    def free_name(self, name: str, own_id: str = "") -> str:
        """Return the name, numbered if another conversation has it."""
        taken = {folded(each.name) for each in self.entries.values() if each.id != own_id}
        return unique(name, lambda candidate: folded(candidate) in taken)

    def free_file(self, name: str, own: Entry | None = None) -> str:
        """Return a free file name for a conversation of this name, compared case-insensitively."""
        taken = {folded(each.file) for each in self.entries.values() if own is None or each.id != own.id}

        def is_taken(stem: str) -> bool:
            file = stem + SUFFIX
            own_file = own is not None and folded(own.file) == folded(file)
            return folded(file) in taken or (not own_file and os.path.lexists(self.path / file))

        return unique(file_stem(name), is_taken) + SUFFIX

    def set_aside(self, file: str, error: QwenTuiError) -> QwenTuiError:
        """Move a damaged file to `damaged/`, unchanged; return the error to report."""
        try:
            target = move_into(self.path / DAMAGED, self.path / file)
        except OSError:
            return error
        detail = error.parameters.get("detail", "")
        return QwenTuiError("store.set_aside", name=shown(file), path=shown(target), detail=detail)

    def _take_in(self, file: str) -> QwenTuiError | None:
        try:
            self.read(file)
        except QwenTuiError as error:
            if error.code == "store.gone":  # another program removed it first
                return None
            return self.set_aside(file, error) if error.code == "store.damaged" else error
        return None

    def _files(self) -> Iterator[tuple[str, Stamp]]:
        with os.scandir(self.path) as found:
            for each in found:
                if each.name.endswith(SUFFIX) and not each.name.startswith(".") and each.is_file():
                    yield each.name, stamp_of(each.stat())
