"""Unfinished files of downloads that were killed: noted while they grow, removed by the next download.

huggingface_hub names each attempt's file anew and removes it itself, unless the process is killed: then gigabytes
stay that nobody ever reads again. What this process has open is noted in a file that it keeps locked; a note
whose lock is free is that of a dead process.
"""

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

NOTE_SECONDS = 0.1
"""How often what is open is looked at: what was begun later than that before a kill waits for `ORPHAN_SECONDS`."""

ORPHAN_SECONDS = 3600.0
"""An unfinished file of anybody's that has not been written to for this long."""

_PATTERN = "*.incomplete"


class Unfinished:
    """The files of one repository that this process has begun; a context manager around the download."""

    def __init__(self, repository: Path) -> None:
        """`repository`: its folder in the hub's cache."""
        self._blobs = repository / "blobs"
        self._notes = repository.parent / ".locks" / repository.name
        self._note: Path | None = None
        self._descriptor = -1
        self._written = ""
        self._over = threading.Event()
        self._looking = threading.Thread(target=self._look, name="unfinished", daemon=True)

    def __enter__(self) -> "Unfinished":
        """Remove what the dead have left, and begin to note."""
        self._sweep()
        with contextlib.suppress(OSError):
            self._notes.mkdir(parents=True, exist_ok=True)
            self._note = self._notes / f"qwen-tui-{os.getpid()}.unfinished"
            self._descriptor = os.open(self._note, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._looking.start()
        return self

    def __exit__(self, *_: object) -> None:
        """The library has removed what it did not finish."""
        self._over.set()
        if self._looking.is_alive():
            self._looking.join()
        if self._note is not None:
            self._note.unlink(missing_ok=True)
        if self._descriptor >= 0:
            os.close(self._descriptor)

    def _look(self) -> None:
        """Note what is open, on a thread of its own until the download is over."""
        while not self._over.wait(NOTE_SECONDS):
            names = "\n".join(sorted({path.name for path in _open_files() if path.parent == self._blobs}))
            if names != self._written:
                with contextlib.suppress(OSError):  # a full disk: the age of the files must do then
                    os.ftruncate(self._descriptor, 0)
                    os.pwrite(self._descriptor, names.encode(), 0)
                    self._written = names

    def _sweep(self) -> None:
        for note in self._notes.glob("qwen-tui-*.unfinished"):
            for name in _names_of_the_dead(note):
                if Path(name).match(_PATTERN) and os.sep not in name:
                    (self._blobs / name).unlink(missing_ok=True)
        for orphan in self._blobs.glob(_PATTERN):
            with contextlib.suppress(OSError):
                if time.time() - orphan.stat().st_mtime > ORPHAN_SECONDS:
                    orphan.unlink(missing_ok=True)


def _names_of_the_dead(note: Path) -> list[str]:
    """What a process that is gone had begun; nothing while it lives. The note is removed."""
    try:
        with note.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            names = file.read(100_000).decode(errors="replace").splitlines()
            note.unlink(missing_ok=True)
            return names
    except OSError:
        return []


def _open_files() -> Iterator[Path]:
    """The files that this process has open; none where the system does not tell (macOS)."""
    try:
        descriptors = os.listdir("/proc/self/fd")
    except OSError:
        return
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            yield Path(os.readlink(f"/proc/self/fd/{descriptor}"))
