"""Remove unfinished files of killed downloads before the next download of any model.

huggingface_hub gives each attempt's file a new name and removes it itself, but a killed process leaves gigabytes
that nobody ever reads again. So each download is recorded beforehand in a note, a file that the process keeps
locked: a note that is not locked belongs to a dead process.
"""

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from huggingface_hub.utils import WeakFileLock

ORPHAN_SECONDS = 3600.0
"""Age since the last write at which any unfinished file counts as abandoned."""

LOCK_SECONDS = 0.05
"""How long to wait for a file's lock; a process that has it is still writing."""


@contextmanager
def noted(cache: Path, repository: str, etags: Iterable[str]) -> Iterator[None]:
    """Record a download of a repository while it runs, after removing the leftovers of dead processes.

    `repository` is its folder's name in the cache, `etags` are the names of its files there.
    """
    locks = cache / ".locks"
    for note in locks.glob("*/qwen-tui-*.unfinished"):
        for etag in _noted_by_the_dead(note):
            _remove(cache, note.parent.name, etag)
    for orphan in (cache / repository / "blobs").glob("*.incomplete"):
        with suppress(OSError):
            if time.time() - orphan.stat().st_mtime > ORPHAN_SECONDS:
                orphan.unlink(missing_ok=True)
    with ExitStack() as ours:
        with suppress(OSError):  # without a note or its lock, the age of the files must do
            (locks / repository).mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(".unfinished", "qwen-tui-", locks / repository)
            ours.callback(os.close, descriptor)
            ours.callback(Path(name).unlink, missing_ok=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(descriptor, "\n".join(sorted(etags)).encode())
        yield  # the library removes what it does not finish


def _remove(cache: Path, repository: str, etag: str) -> None:
    """Remove unfinished files with this etag, unless a program holds the library's lock to write one."""
    begun = list((cache / repository / "blobs").glob(f"{etag}.*.incomplete"))
    if not begun:
        return
    with (
        suppress(OSError),
        WeakFileLock(cache / ".locks" / repository / f"{etag}.lock", timeout=LOCK_SECONDS),
    ):
        for file in begun:
            file.unlink(missing_ok=True)


def _noted_by_the_dead(note: Path) -> list[str]:
    """Return the etags in a dead process's note, and remove it; empty while the process lives."""
    try:
        with note.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            etags = file.read(1_000_000).decode(errors="replace").splitlines()
            note.unlink(missing_ok=True)
    except OSError:
        return []
    return [etag for etag in etags if re.fullmatch(r"[\w-]+", etag)]
