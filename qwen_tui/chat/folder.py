"""The files of a folder of conversations: which file holds which conversation, by the conversation's id."""

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
"""Where files go that cannot be read: beside the conversations, under their own names."""

LARGEST_BYTES = 512 * 2**20
"""A larger file is not opened: no conversation comes near, and reading it would take the machine's memory."""


class Folder:
    """What is known of the files: an `Entry` for each conversation, kept in step with every change here."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.entries: dict[str, Entry] = {}
        """By conversation id."""
        self.is_read = False
        """False until `refresh` has been called."""

    def refresh(self) -> tuple[QwenTuiError, ...]:
        """Bring the entries up to date; returns what could not be read. Damaged files are set aside.

        Only files that the index does not know as they are now are opened.
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
        """Note down what is known now, so that the next program need not open the files."""
        index.write(self.path, self.entries.values())

    def read(self, file: str) -> Conversation:
        """The conversation in a file, which is known from then on; raises `QwenTuiError`.

        A copy of a file carries the id of its original: it gets one of its own.
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
        """The conversation of an entry; raises `QwenTuiError`. The entry's id holds, not the one in the file."""
        del self.entries[known.id]
        conversation = self.read(known.file)
        if conversation.id != known.id:
            read = self.entries.pop(conversation.id)
            self.entries[known.id] = replace(read, id=known.id)
        return replace(conversation, id=known.id)

    def write(self, conversation: Conversation, file: str) -> None:
        """Write a conversation whole into its file; raises OSError, and then the file is what it was.

        That is also raised when the file is no longer the one that was read last.
        """
        known = self.entries.get(conversation.id)
        stamp = known.stamp if known is not None and known.file == file else None
        write_whole(self.path / file, encode(conversation), replaces=stamp)
        self.entries[conversation.id] = entry(conversation, file, stamp_of((self.path / file).stat()))

    def put(self, conversation: Conversation) -> Conversation:
        """Write a conversation into the file of its name; returns it with a number if another has the name.

        Raises OSError, and then its old file is what it was, though perhaps under the new name.
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
        """The name, with a number if another conversation has it."""
        taken = {folded(each.name) for each in self.entries.values() if each.id != own_id}
        return unique(name, lambda candidate: folded(candidate) in taken)

    def free_file(self, name: str, own: Entry | None = None) -> str:
        """A file name for a conversation of this name that no other file has, or has but for upper case."""
        taken = {folded(each.file) for each in self.entries.values() if own is None or each.id != own.id}

        def is_taken(stem: str) -> bool:
            file = stem + SUFFIX
            own_file = own is not None and folded(own.file) == folded(file)
            return folded(file) in taken or (not own_file and os.path.lexists(self.path / file))

        return unique(file_stem(name), is_taken) + SUFFIX

    def set_aside(self, file: str, error: QwenTuiError) -> QwenTuiError:
        """Move a damaged file away, unchanged and under its name; returns the error that says so."""
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
            if error.code == "store.gone":  # another program was quicker
                return None
            return self.set_aside(file, error) if error.code == "store.damaged" else error
        return None

    def _files(self) -> Iterator[tuple[str, Stamp]]:
        with os.scandir(self.path) as found:
            for each in found:
                if each.name.endswith(SUFFIX) and not each.name.startswith(".") and each.is_file():
                    yield each.name, stamp_of(each.stat())
