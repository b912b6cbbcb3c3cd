"""Atomic file writes, in folders that only one program changes at a time."""

import errno
import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from qwen_tui import strings
from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.names import unique

TEMPORARY = ".qwen-tui-"
"""Prefix of temporary files that are still being written."""

LONG_AGO = "1970-01-01T00:00:00.000+00:00"
"""Stands for an unknown time."""

PATIENCE_SECONDS = 2.0
"""How long to wait for another program's lock; a suspended program must not block this one."""


Stamp = tuple[int, int, int]
"""Identifies a file's state: mtime in nanoseconds, size in bytes, inode."""


def stamp_of(status: os.stat_result) -> Stamp:
    """Return the stamp of a stat result."""
    return status.st_mtime_ns, status.st_size, status.st_ino


def shown(path: Path | str) -> str:
    """Return a path safe to display: file names may contain anything, even escape sequences."""
    return one_line(str(path), 4096)


def written(status: os.stat_result) -> str:
    """Return when a file was last written, ISO 8601 in UTC."""
    try:
        return datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="milliseconds")
    except (ValueError, OverflowError, OSError):  # a clock can be set to any year
        return LONG_AGO


def why(error: OSError) -> str:
    """Return the system's message for an error."""
    return error.strerror or str(error)


def make_folder(folder: Path) -> None:
    """Create a folder, and missing ones above it, readable by the owner only; raises OSError."""
    # `mkdir(parents=True)` would create the parents with the permissions of the umask.
    if not folder.is_dir():
        if folder.parent != folder:
            make_folder(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def write_whole(path: Path, data: bytes, *, durable: bool = True, replaces: Stamp | None = None) -> None:
    """Replace a file atomically, readable by the owner only; on OSError the old file is unchanged.

    With `replaces`, only a file with this stamp is replaced: a program that was suspended in the middle must
    not overwrite what others have written since (see `PATIENCE_SECONDS`).

    With `durable`, waits until the data is on disk. After a crash or for a concurrent reader, the file is the
    old or the new one, never a part. Symbolic links are followed: the target is replaced, the link stays.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f"{TEMPORARY}{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            write_all(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if replaces is not None:
            with suppress(FileNotFoundError):
                if stamp_of(os.stat(path)) != replaces:
                    raise OSError(errno.EAGAIN, strings.say("store.changed_meanwhile"), str(path))
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    if durable:
        sync_folder(path.parent)


def write_all(descriptor: int, data: bytes | bytearray) -> None:
    """Write every byte: `os.write` may write fewer, for example on a nearly full disk."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_folder(folder: Path) -> None:
    """Make new names in a folder survive a loss of power, where the file system supports it."""
    # Some network file systems refuse to sync a folder; nothing more can be done for its files then.
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def move(source: Path, target: Path) -> None:
    """Move a file to a free name; raises OSError, including FileExistsError."""
    if os.path.lexists(target) and not _same(source, target):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    os.rename(source, target)


def move_into(folder: Path, source: Path, ending: str = "") -> Path:
    """Move a file into another folder under its own name, numbered if that is taken; raises OSError.

    `ending` replaces the file's own suffix, such as `.json`.
    """
    make_folder(folder)
    ending = ending or source.suffix
    stem = unique(source.stem, lambda stem: os.path.lexists(folder / (stem + ending)))
    target = folder / (stem + ending)
    if source.is_symlink():  # a relative link would be broken after the move
        os.symlink(os.path.realpath(source), target)
        os.unlink(source)
    else:
        os.rename(source, target)
    sync_folder(folder)
    sync_folder(source.parent)
    return target


def _same(first: Path, second: Path) -> bool:
    # `Foo.json` and `foo.json` are the same file on case-insensitive file systems.
    return os.path.samestat(os.lstat(first), os.lstat(second))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other programs from changing the folder while the block runs, where the file system supports locks.

    The lock is on the folder itself: no lock file is left behind, and it ends with the process.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock(descriptor, PATIENCE_SECONDS)
        yield
    finally:
        os.close(descriptor)


def lock(descriptor: int, patience_seconds: float) -> bool:
    """Lock an open file or folder, waiting at most this long for another owner to release it."""
    give_up = time.monotonic() + patience_seconds
    while not (is_ours := try_lock(descriptor)) and time.monotonic() < give_up:
        time.sleep(0.005)
    return is_ours


def try_lock(descriptor: int) -> bool:
    """Lock an open file or folder until it is closed; return False if another owner has it.

    Always succeeds on file systems without locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def is_at(path: Path, descriptor: int) -> bool:
    """Return whether the path still names this open file; raises OSError."""
    try:
        return os.path.samestat(os.stat(path, follow_symlinks=False), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def sweep(folder: Path, older_than_seconds: float = 3600) -> None:
    """Remove temporary files left behind by writers that were killed."""
    limit = time.time() - older_than_seconds
    with suppress(OSError), os.scandir(folder) as found:
        for file in found:
            if file.name.startswith(TEMPORARY) and file.stat(follow_symlinks=False).st_mtime < limit:
                with suppress(OSError):
                    os.unlink(file.path)
