"""The file of a reply that is still being written, so that a crash loses at most the last moment.

`NAME.partial` is next to the conversation's file and only grows: its cost does not depend on the length of
the conversation. Its first line says which message of which conversation it is; each further line is a piece:

```
{"version": 1, "conversation": "…", "message": {"role": "assistant", "content": "", "id": "…", "parent": "…"}}
{"thinking": "The user asks…"}
{"text": "广州的美食"}
```

The program that writes one holds a lock on it. A partial without a lock is an orphan: its program has ended.
"""

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.codec import VERSION, decode_message, line, message_json
from qwen_tui.chat.fields import DamagedError
from qwen_tui.chat.files import is_at, lock, make_folder, shown, sync_folder, try_lock, why, write_all
from qwen_tui.chat.messages import Json, Message, Status
from qwen_tui.chat.names import unique
from qwen_tui.errors import QwenTuiError

SUFFIX = ".partial"

BEGINNING = b'{"version": '
"""The start of the first line, which may have been written only in part."""

SYNC_SECONDS = 1.0
"""Pieces are written at once and fsynced after at most this delay; failed writes are retried after it."""


LOCK_SECONDS = 0.5
"""How long to wait for a program that is checking whether the new file is an orphan."""

BEGINNING_SECONDS = 60.0
"""Maximum age at which an empty file may belong to a program that has not locked it yet."""


class Partial:
    """The partial file of one reply. Nothing here raises; see `error`."""

    def __init__(self, path: Path, conversation_id: str, message: Message) -> None:
        """Create the partial; its name is numbered if it is taken."""
        self.error: QwenTuiError | None = None
        """The first write error; what could not be written is retried."""
        self._wanted = self._path = path
        self._file: int | None = None
        self._is_over = False
        self._waiting = bytearray()
        """Bytes that are not in the file yet."""
        self._size = 0
        self._tried = self._synced = time.monotonic()
        self._append({"version": VERSION, "conversation": conversation_id, "message": message_json(message)})

    def append_text(self, text: str) -> None:
        """Append a piece of the answer."""
        if text:
            self._append({"text": text})

    def append_thinking(self, text: str) -> None:
        """Append a piece of the thinking."""
        if text:
            self._append({"thinking": text})

    def discard(self) -> None:
        """Remove the file, once the reply is saved in the conversation's own file or is not wanted."""
        if self._file is not None:
            with suppress(OSError):
                if is_at(self._path, self._file):
                    self._path.unlink()
        self._let_go()

    def flush(self) -> None:
        """Write and fsync everything, as far as possible; the file stays locked."""
        if not self._is_over:
            self._flush()
            self._sync()

    def close(self) -> None:
        """Write everything and leave the file: the next `ConversationStore.list` recovers it."""
        self.flush()
        self._let_go()

    def _append(self, value: Json) -> None:
        if self._is_over:
            return
        self._waiting += line(value)
        now = time.monotonic()
        if self.error is None or now - self._tried >= SYNC_SECONDS:
            self._tried = now
            self._flush()
        if now - self._synced >= SYNC_SECONDS:
            self._sync()

    def _flush(self) -> None:
        try:
            if self._file is None:
                self._open()
            assert self._file is not None
            write_all(self._file, self._waiting)
        except OSError as error:
            self._failed(error)
            if self._file is not None:
                # A partial line in the middle would corrupt the piece after it.
                with suppress(OSError):
                    os.ftruncate(self._file, self._size)
        else:
            self._size += len(self._waiting)
            self._waiting = bytearray()

    def _open(self) -> None:
        make_folder(self._wanted.parent)
        stem = unique(self._wanted.stem, lambda stem: os.path.lexists(self._wanted.with_name(stem + SUFFIX)))
        self._path = self._wanted.with_name(stem + SUFFIX)
        how = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
        self._file = os.open(self._path, how, 0o600)
        # Lock before the first byte is written: `orphan` spares an empty file for a while.
        lock(self._file, LOCK_SECONDS)
        sync_folder(self._path.parent)

    def _sync(self) -> None:
        self._synced = time.monotonic()
        try:
            if self._file is not None:
                self._move_out_of_a_removed_file(self._file)
                os.fsync(self._file)
        except OSError as error:
            self._failed(error)

    def _move_out_of_a_removed_file(self, file: int) -> None:
        """Write to a new file if this one, or its folder, was deleted; raises OSError."""
        if os.fstat(file).st_nlink == 0:
            self._waiting[:0] = os.pread(file, self._size, 0)
            self._file, self._size = None, 0
            os.close(file)
            self._flush()

    def _failed(self, error: OSError) -> None:
        if self.error is None:
            path = shown(self._path)
            self.error = QwenTuiError("store.partial_not_saved", path=path, detail=why(error))

    def _let_go(self) -> None:
        self._is_over = True
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """The reply in an orphaned partial, marked as interrupted."""

    conversation_id: str
    reply: Message


@contextmanager
def orphan(path: Path) -> Iterator[bytes | None]:
    """Open a partial that no program writes and lock it; yield its bytes, else None. Raises OSError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        yield None
        return
    try:
        yield os.pread(file, os.fstat(file).st_size, 0) if _is_orphan(file) else None
    finally:
        os.close(file)


def _is_orphan(file: int) -> bool:
    if not stat.S_ISREG(os.fstat(file).st_mode) or not try_lock(file):
        return False
    status = os.fstat(file)  # stat after locking: the previous owner may have removed the file
    is_beginning = status.st_size == 0 and time.time() - status.st_mtime < BEGINNING_SECONDS
    return status.st_nlink > 0 and not is_beginning


def recover(data: bytes) -> Recovered | None:
    """Recover the reply from the bytes of a partial; None if it has no text. Raises `DamagedError`.

    A last line torn by the crash is ignored, as is any other unreadable line.
    """
    lines = data.split(b"\n")[:-1]
    if not lines and data[: len(BEGINNING)] == BEGINNING[: len(data)]:
        return None
    first = _json(lines[0]) if lines else None
    if not isinstance(first, dict) or not isinstance(first.get("conversation"), str):
        raise DamagedError("not_a_partial")
    begun = decode_message(first.get("message"))
    pieces = [piece for piece in map(_json, lines[1:]) if isinstance(piece, dict)]
    text, thinking = (
        "".join(piece[kind] for piece in pieces if isinstance(piece.get(kind), str))
        for kind in ("text", "thinking")
    )
    if not text and not thinking:
        return None
    reply = replace(
        begun,
        content=clean(begun.content + text),
        thinking=clean(begun.thinking + thinking),
        status=Status.INTERRUPTED,
    )
    return Recovered(first["conversation"], reply)


def _json(data: bytes) -> Json:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
