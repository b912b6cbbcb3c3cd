"""The file of a reply that is still being written, so that a crash loses at most its last moment.

`NAME.partial` stands beside the conversation and only ever grows: what it costs does not depend on how long
the conversation is. Its first line says which message of which conversation it is, each further line is a piece:

```
{"version": 1, "conversation": "…", "message": {"role": "assistant", "content": "", "id": "…", "parent": "…"}}
{"thinking": "The user asks…"}
{"text": "广州的美食"}
```

A program that writes one holds a lock on it. A partial without a lock is an orphan: its program is gone.
"""

import json
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.codec import VERSION, decode_message, line, message_json
from qwen_tui.chat.fields import DamagedError
from qwen_tui.chat.files import shown, try_lock, why, write_all
from qwen_tui.chat.messages import Json, Message, Status
from qwen_tui.errors import QwenTuiError

SUFFIX = ".partial"

BEGINNING = b'{"version": '
"""How the first line begins, as far as it was written."""

SYNC_SECONDS = 1.0
"""Pieces reach the system at once, the disk at most this much later; what failed is tried again after it."""


class Partial:
    """A reply on its way to the disk. Nothing here raises: `error` tells whether the disk takes it.

    ```
    partial = store.partial(conversation, reply)
    partial.append_text("piece")
    store.save(conversation.with_message(finished))
    partial.discard()    # only now; `close` leaves the file, and the next `list` makes it the reply
    ```
    """

    def __init__(self, path: Path, conversation_id: str, message: Message) -> None:
        self.error: QwenTuiError | None = None
        """The first failure to write; what could not be written is tried again."""
        self._path = path
        self._file: int | None = None
        self._waiting = bytearray()
        """What is not in the file yet."""
        self._size = 0
        self._tried = self._synced = time.monotonic()
        try:
            how = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC
            self._file = os.open(path, how, 0o600)
        except OSError as error:
            self._failed(error)
        else:
            try_lock(self._file)
        self._append({"version": VERSION, "conversation": conversation_id, "message": message_json(message)})

    def append_text(self, text: str) -> None:
        """Add a piece of the answer."""
        if text:
            self._append({"text": text})

    def append_thinking(self, text: str) -> None:
        """Add a piece of the thinking."""
        if text:
            self._append({"thinking": text})

    def discard(self) -> None:
        """Remove the file: the reply is in the conversation's own file, or not wanted."""
        if self._file is not None:
            with suppress(OSError):
                self._path.unlink()
        self._let_go()

    def close(self) -> None:
        """Put everything on the disk and leave the file there."""
        if self._file is not None:
            self._flush()
            self._sync()
        self._let_go()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _append(self, value: Json) -> None:
        if self._file is None:
            return
        self._waiting += line(value)
        now = time.monotonic()
        if self.error is None or now - self._tried >= SYNC_SECONDS:
            self._tried = now
            self._flush()
        if now - self._synced >= SYNC_SECONDS:
            self._sync()

    def _flush(self) -> None:
        assert self._file is not None
        try:
            write_all(self._file, self._waiting)
        except OSError as error:
            self._failed(error)
            with suppress(OSError):  # half a line in the middle would be read as one that was never written
                os.ftruncate(self._file, self._size)
        else:
            self._size += len(self._waiting)
            self._waiting = bytearray()

    def _sync(self) -> None:
        assert self._file is not None
        self._synced = time.monotonic()
        try:
            os.fsync(self._file)
        except OSError as error:
            self._failed(error)

    def _failed(self, error: OSError) -> None:
        if self.error is None:
            path = shown(self._path)
            self.error = QwenTuiError("store.partial_not_saved", path=path, detail=why(error))

    def _let_go(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                os.close(self._file)
            self._file = None


@dataclass(frozen=True, slots=True)
class Recovered:
    """The reply that an orphan holds, marked as interrupted."""

    conversation_id: str
    reply: Message


@contextmanager
def orphan(path: Path) -> Iterator[bytes | None]:
    """The bytes of a partial that no program is writing, kept from others while the block runs; else None.

    Raises OSError.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        yield None
        return
    try:
        status = os.fstat(file)
        is_there = stat.S_ISREG(status.st_mode) and status.st_nlink > 0
        yield path.read_bytes() if is_there and try_lock(file) else None
    finally:
        os.close(file)


def recover(data: bytes) -> Recovered | None:
    """The reply in the bytes of a partial; None when nothing was written of one. Raises `DamagedError`.

    A last line that was torn by the crash is ignored, as is any other that cannot be read.
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
