"""Which program has a conversation open: whoever has it writes in it, the others only read.

A claim is a lock on a file in `.open/` that ends with the process, however that ends. Where the file system knows
no locks everyone gets one, and `merge` keeps what each of them adds.
"""

import hashlib
import os
from contextlib import suppress
from pathlib import Path

from qwen_tui.chat.files import make_folder, try_lock

FOLDER = ".open"


class Claim:
    """A conversation that this program has open."""

    def __init__(self, path: Path | None = None, descriptor: int | None = None) -> None:
        self._path = path
        self._descriptor = descriptor
        self.is_held = True
        """Whether it has not been released."""

    def release(self) -> None:
        """Let others have it. Safe to call twice."""
        self.is_held = False
        if self._descriptor is not None and self._path is not None:
            with suppress(OSError):
                self._path.unlink()
            os.close(self._descriptor)
            self._descriptor = None


def claim(folder: Path, conversation_id: str) -> Claim | None:
    """Claim a conversation of this folder; None when another program, or another store of this one, has it."""
    # An id is whatever a file says: only a digest of it makes a safe file name.
    path = folder / FOLDER / hashlib.sha256(conversation_id.encode()).hexdigest()[:32]
    try:
        make_folder(path.parent)
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            if not try_lock(descriptor):
                os.close(descriptor)
                return None
            if _is_at(path, descriptor):
                return Claim(path, descriptor)
            os.close(descriptor)  # its owner has removed it between our two calls
    except OSError:
        return Claim()  # where nothing can be written, nothing can be lost to another


def is_claimed(folder: Path, conversation_id: str) -> bool:
    """Whether someone has a conversation of this folder open."""
    probe = claim(folder, conversation_id)
    if probe is not None:
        probe.release()
    return probe is None


def sweep(folder: Path) -> None:
    """Remove the files of programs that are gone."""
    with suppress(OSError), os.scandir(folder / FOLDER) as found:
        for file in found:
            with suppress(OSError):
                descriptor = os.open(file.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    if try_lock(descriptor):
                        os.unlink(file.path)
                finally:
                    os.close(descriptor)


def _is_at(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False
