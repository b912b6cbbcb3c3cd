"""Unfinished files of downloads that were killed: removed by the next download, of whichever model.

huggingface_hub gives each attempt's file a new name and removes it itself, unless the process is killed: then
gigabytes stay that nobody ever reads again. So what this process is about to download is noted beforehand, in a
file that it keeps locked: a note whose lock is free is that of a dead process.
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
"""An unfinished file of anybody's that has not been written to for this long."""

LOCK_SECONDS = 0.05
"""How long a file's lock is waited for; whoever has it is at work."""


@contextmanager
def noted(cache: Path, repository: str, etags: Iterable[str]) -> Iterator[None]:
    """Within this, a repository is downloaded: what the dead have left is removed, and what is begun is noted.

    `repository`: its folder's name in the cache; `etags`: what its files are called in there.
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
        with suppress(OSError):  # without a note, or a lock on it: the files' age must do then
            (locks / repository).mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(".unfinished", "qwen-tui-", locks / repository)
            ours.callback(os.close, descriptor)
            ours.callback(Path(name).unlink, missing_ok=True)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(descriptor, "\n".join(sorted(etags)).encode())
        yield  # the library removes what it does not finish


def _remove(cache: Path, repository: str, etag: str) -> None:
    """Remove unfinished files of this etag, unless a program writes one now: the library locks it meanwhile."""
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
    """What a process that is gone had begun; nothing while it lives. The note is removed."""
    try:
        with note.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            etags = file.read(1_000_000).decode(errors="replace").splitlines()
            note.unlink(missing_ok=True)
    except OSError:
        return []
    return [etag for etag in etags if re.fullmatch(r"[\w-]+", etag)]
