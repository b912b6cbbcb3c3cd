"""Save text to files, and import conversations from them."""

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from textual.message import Message as Posted
from textual.screen import Screen

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.exchange.formats import ENDINGS, Format, export, format_of
from qwen_tui.chat.exchange.saving import save
from qwen_tui.chat.files import shown
from qwen_tui.chat.index import Entry
from qwen_tui.chat.messages import Conversation
from qwen_tui.chat.names import file_stem
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.storage import Storage
from qwen_tui.strings import joined, say
from qwen_tui.ui.files.dialog import FileDialog

log = logging.getLogger(__name__)

Tell = Callable[[QwenTuiError | str], None]
"""Shows the outcome of an operation."""

Add = Callable[[Iterable[Conversation]], Iterator[Entry]]
"""Saves conversations, one by one."""


class FileDesk:
    """Asks for a file name in a dialog, and reads or writes the file."""

    @dataclass
    class Imported(Posted):
        """An import has ended; posted to the screen."""

        first_id: str
        """The id of the first imported conversation; empty if there is none."""
        said: str
        error: QwenTuiError | None
        """Why the import is incomplete, or None."""

    def __init__(self, screen: Screen[None], tell: Tell, add: Add, storage: Storage) -> None:
        self._screen = screen
        self._storage = storage
        self._tell = tell
        self._add = add

    def save_code(self, code: str, name: str, note: str) -> None:
        text = code if code.endswith("\n") else f"{code}\n"
        dialog = FileDialog(say("files.save_code"), note, name, writes=True)
        self._ask(dialog, lambda path: self._write(path, text.encode(errors="replace")))

    def export(self, conversation: Conversation, system_prompt: str) -> None:
        def use(path: Path) -> None:
            self._write(path, export(conversation, format_of(path.name) or Format.MARKDOWN, system_prompt))

        title, note = say("files.export", name=conversation.name), say("files.export.note")
        name = file_stem(conversation.name) + ENDINGS[Format.MARKDOWN]
        self._ask(FileDialog(title, note, name, writes=True, problem=_unknown_ending), use)

    def import_file(self) -> None:
        """Import the conversations in a file; `Imported` reports the result."""

        def use(path: Path) -> None:
            self._tell(say("files.importing", path=shown(path)))
            # On a separate thread: a large export takes seconds to read, and each conversation waits for the
            # disk.
            threading.Thread(target=self._import, args=(path,), name="import", daemon=True).start()

        self._ask(FileDialog(say("files.import"), say("files.import.note"), writes=False), use)

    def _ask(self, dialog: FileDialog, use: Callable[[Path], None]) -> None:
        self._screen.app.push_screen(dialog, lambda path: use(path) if path is not None else None)

    def _write(self, path: Path, data: bytes) -> None:
        async def write() -> None:
            try:
                await self._storage.run(lambda: save(path, data, overwrites=True))  # the dialog has asked
            except QwenTuiError as error:
                self._tell(error)
            else:
                self._tell(say("files.written", path=shown(path.absolute())))

        self._screen.run_worker(write())

    def _import(self, path: Path) -> None:
        from qwen_tui.chat.exchange.reading import read_file  # the first frame does not need it

        entries: list[Entry] = []
        notes: tuple[str, ...] = ()
        problem: QwenTuiError | None = None
        try:
            conversations, notes = read_file(path)
            for entry in self._add(conversations):
                entries.append(entry)  # one by one: those before an error are saved
        except QwenTuiError as error:
            problem = error
        except Exception as error:  # the person waits for an answer
            log.exception("import failed")
            problem = QwenTuiError("error.unknown", detail=one_line(str(error)))
        first_id = entries[0].id if entries else ""
        with suppress(RuntimeError):  # the program has quit meanwhile
            self._screen.post_message(self.Imported(first_id, _in_words(entries, notes), problem))


def _unknown_ending(path: Path) -> str:
    return "" if format_of(path.name) else say("files.export.ending", name=shown(path.name))


def _in_words(entries: list[Entry], notes: Iterable[str]) -> str:
    if not entries:
        return ""
    what = "files.imported.one" if len(entries) == 1 else "files.imported"
    return joined(say(what, name=entries[0].name, count=len(entries)), *notes)
