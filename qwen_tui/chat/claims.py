"""Claims on open conversations: one program may write, all others only read.

A claim is a lock on a file in `.open/` that the system releases when the process ends, however it ends. On
file systems without locks every program gets a claim, and `merge` combines what each of them adds.
"""

import os
from contextlib import suppress
from pathlib import Path

from qwen_tui.chat.files import is_at, make_folder, try_lock
from qwen_tui.chat.names import id_stem

FOLDER = ".open"


class Claim:
    """A claim on one conversation that this program has open."""

    def __init__(self, path: Path | None = None, descriptor: int | None = None) -> None:
        self._path = path
        self._descriptor = descriptor
        self.is_held = True
        """False once the claim has been released."""

    def release(self) -> None:
        """Release the claim, so that other programs can write. Safe to call twice."""
        self.is_held = False
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None and self._path is not None:
            _remove(self._path, descriptor)
            os.close(descriptor)


class Claims:
    """The claims of one store on the conversations in a folder.

    `claim` and `sweep` must be called by one program at a time.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._own: dict[str, Claim] = {}

    def claim(self, conversation_id: str) -> Claim | None:
        """Claim a conversation; return None if another program, another store, or this one already has it."""
        if self._is_own(conversation_id):
            return None
        path = self._folder / id_stem(conversation_id)
        try:
            make_folder(self._folder)
            descriptor = _locked(path)
        except OSError:
            claim = Claim()  # if nothing can be written here, other programs cannot overwrite anything either
        else:
            if descriptor is None:
                return None
            claim = Claim(path, descriptor)
        self._own[conversation_id] = claim
        return claim

    def is_elsewhere(self, conversation_id: str) -> bool:
        """Return whether another program or another store has the conversation open."""
        if self._is_own(conversation_id):
            return False
        probe = self.claim(conversation_id)
        if probe is not None:
            probe.release()
        return probe is None

    def sweep(self) -> None:
        """Remove lock files left behind by programs that were killed."""
        with suppress(OSError), os.scandir(self._folder) as found:
            for file in found:
                with suppress(OSError):
                    descriptor = os.open(file.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
                    try:
                        if try_lock(descriptor):
                            _remove(Path(file.path), descriptor)
                    finally:
                        os.close(descriptor)

    def _is_own(self, conversation_id: str) -> bool:
        claim = self._own.get(conversation_id)
        if claim is not None and not claim.is_held:
            del self._own[conversation_id]
        return claim is not None and claim.is_held


def _locked(path: Path) -> int | None:
    """Open and lock the file at this path; return None if it is locked already. Raises OSError."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            if not try_lock(descriptor):
                os.close(descriptor)
                return None
            if is_at(path, descriptor):
                return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        # The previous owner removed the file between our open and lock; the path now names another file.
        os.close(descriptor)


def _remove(path: Path, descriptor: int) -> None:
    with suppress(OSError):
        if is_at(path, descriptor):
            os.unlink(path)
