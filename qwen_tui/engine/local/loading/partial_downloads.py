"""Unfinished files of downloads that were killed: removed by the next download, of whichever model.

huggingface_hub gives each attempt's file a new name and removes it itself, unless the process is killed: then
gigabytes stay that nobody ever reads again. So what this process is about to download is noted beforehand, in a
file that it keeps locked: a note whose lock is free is that of a dead process.
"""

import contextlib
import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from huggingface_hub.utils import WeakFileLock

ORPHAN_SECONDS = 3600.0
"""An unfinished file of anybody's that has not been written to for this long."""

LOCK_SECONDS = 0.05
"""How long a file's lock is waited for; whoever has it is at work."""


class Unfinished:
    """What this process is about to download of one repository; a context manager around the download."""

    def __init__(self, cache: Path, repository: str, etags: Iterable[str]) -> None:
        """`repository`: its folder's name in the cache; `etags`: what its files are called in there."""
        self._locks = cache / ".locks"
        self._cache = cache
        self._repository = repository
        self._etags = sorted(etags)
        self._note: Path | None = None
        self._descriptor = -1

    def __enter__(self) -> "Unfinished":
        """Remove what the dead have left, and note what is begun."""
        for note in self._locks.glob("*/qwen-tui-*.unfinished"):
            for etag in _noted_by_the_dead(note):
                self._remove(note.parent.name, etag)
        for orphan in (self._cache / self._repository / "blobs").glob("*.incomplete"):
            with contextlib.suppress(OSError):
                if time.time() - orphan.stat().st_mtime > ORPHAN_SECONDS:
                    orphan.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # without a note, or a lock on it: the files' age must do then
            self._write()
        return self

    def __exit__(self, *_: object) -> None:
        """The library has removed what it did not finish."""
        if self._note is not None:
            self._note.unlink(missing_ok=True)
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _write(self) -> None:
        notes = self._locks / self._repository
        notes.mkdir(parents=True, exist_ok=True)
        self._descriptor, name = tempfile.mkstemp(".unfinished", "qwen-tui-", notes)
        self._note = Path(name)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._descriptor, "\n".join(self._etags).encode())

    def _remove(self, repository: str, etag: str) -> None:
        """Remove unfinished files of this etag, unless a program writes one now: the library locks it meanwhile."""
        begun = list((self._cache / repository / "blobs").glob(f"{etag}.*.incomplete"))
        if not begun:
            return
        with contextlib.suppress(OSError):
            lock = self._locks / repository / f"{etag}.lock"
            with WeakFileLock(lock, timeout=LOCK_SECONDS):
                for file in begun:
                    file.unlink(missing_ok=True)


def _noted_by_the_dead(note: Path) -> list[str]:
    """What a process that is gone had begun; nothing while it lives. The note is removed."""
    try:
        with note.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            etags = file.read(1_000_000).decode(errors="replace").splitlines()
            note.unlink(missing_ok=True)
    except OSError:
        return []
    return [etag for etag in etags if re.fullmatch(r"[\w-]+", etag)]
