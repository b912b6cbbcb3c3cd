"""Cache of quantized weights, so that the next load reads them instead of quantizing again.

    FOLDER/NAME-KEY/entry.json, config.json, model.safetensors      an entry: one model in one form
    FOLDER/.writing-…/                                               an entry that is being written

An entry's key covers everything that determines its contents (`quantized_weights`), so an entry that is found is
the right one. It gets its name once it is complete and never changes afterwards; the modification time of
`entry.json` is the time of last use. Without torch, because commands read the cache as well.
"""

import contextlib
import fcntl
import json
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from qwen_tui.chat.files import make_folder, write_whole
from qwen_tui.engine.models.checkpoint import WEIGHTS

log = logging.getLogger(__name__)

ENTRY = "entry.json"
WRITING = ".writing-"
"""Prefix of folders that are being written."""

MOST_BYTES = 50_000_000_000
"""Default size limit of the cache, or a tenth of the disk if that is less."""

ABANDONED_SECONDS = 60.0
"""A folder that is being written contains a file locked by its writer, at the latest after this time."""

_VERSION = 1


class QuantizedModel(NamedTuple):
    """A cache entry: one quantized model in one form."""

    folder: Path
    name: str
    """The model's display name."""
    source: str
    """Folder of the model it was made from."""
    made_of: str
    """Fingerprint of the source's files; a different value means that they have changed."""
    weight_bytes: int
    """Length of the complete weights file."""
    disk_bytes: int
    last_used: float
    """Seconds since 1970."""


class QuantizedCache(NamedTuple):
    """The cache folder and its limits."""

    folder: Path
    most_bytes: int | None = None
    """None is `MOST_BYTES` or a tenth of the disk; 0 disables the cache."""
    least_free_bytes: int = 5_000_000_000
    """Disk space that must stay free."""

    def entries(self) -> list[QuantizedModel]:
        """Return all entries, most recently used first. Never raises: unreadable entries are skipped."""
        named = (folder for folder in _folders(self.folder) if not folder.name.startswith(WRITING))
        return sorted(filter(None, map(_read_entry, named)), key=lambda entry: -entry.last_used)

    def taken_bytes(self) -> int:
        """Return the cache's size on disk, unfinished entries included."""
        return sum(_bytes_in(folder) for folder in _folders(self.folder))

    def find(self, name: str, key: str) -> QuantizedModel | None:
        """Return the entry with this key and mark it as used; an incomplete entry is removed."""
        folder = self._folder_of(name, key)
        entry = _read_entry(folder)
        if entry is None:
            if folder.exists():
                self.drop(folder, "incomplete")
            return None
        with contextlib.suppress(OSError):  # an entry on a read-only disk is still usable
            os.utime(folder / ENTRY)
        return entry

    def drop(self, folder: Path, why: str) -> None:
        """Remove an unusable entry, with a message in the log."""
        log.warning("the quantized weights in %s are dropped: %s", folder, why)
        shutil.rmtree(folder, ignore_errors=True)

    def evict_for(self, wanted_bytes: int) -> str:
        """Remove the least recently used entries to make room; return an empty string, or why there is no room.

        Abandoned unfinished folders are removed first.
        """
        for folder in _folders(self.folder):
            if folder.name.startswith(WRITING) and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
        make_folder(self.folder)
        disk = shutil.disk_usage(self.folder)
        most = min(MOST_BYTES, disk.total // 10) if self.most_bytes is None else self.most_bytes
        if wanted_bytes > most:
            return f"{wanted_bytes:,} bytes exceed the cache's limit of {most:,}"
        if disk.free + self.taken_bytes() < wanted_bytes + self.least_free_bytes:
            return f"only {disk.free:,} bytes are free on the disk"
        entries = self.entries()
        while entries and not self._has_room(wanted_bytes, most):
            oldest = entries.pop()
            log.info("the quantized weights of %s are evicted: least recently used", oldest.name)
            shutil.rmtree(oldest.folder, ignore_errors=True)
        return "" if self._has_room(wanted_bytes, most) else "another program is writing to the cache"

    def new_folder(self) -> Path:
        """Create a folder in which to write an entry. Raises OSError."""
        folder = self.folder / f"{WRITING}{secrets.token_hex(8)}"
        make_folder(folder)
        return folder

    def add(self, written: Path, name: str, key: str, source: Path, made_of: str) -> None:
        """Turn a folder whose files are completely written into an entry. Raises OSError.

        Entries made from an older state of the same source are removed: their keys no longer match.
        """
        about = {
            "version": _VERSION,
            "name": name,
            "source": str(source),
            "made_of": made_of,
            "weight_bytes": (written / WEIGHTS).stat().st_size,
        }
        write_whole(written / ENTRY, json.dumps(about, ensure_ascii=False).encode())
        for entry in self.entries():
            if entry.source == str(source) and entry.made_of != made_of:
                shutil.rmtree(entry.folder, ignore_errors=True)
        try:
            written.rename(self._folder_of(name, key))
        except OSError:
            # Another program was faster with the same entry.
            if _read_entry(self._folder_of(name, key)) is None:
                raise
            shutil.rmtree(written, ignore_errors=True)

    def clear(self) -> int:
        """Remove everything except what another program is writing; return the number of bytes removed.

        A model loaded from the cache keeps working: its files disappear once it is unloaded.
        """
        before = self.taken_bytes()
        for folder in _folders(self.folder):
            if not folder.name.startswith(WRITING) or _is_abandoned(folder, patience_seconds=0.0):
                shutil.rmtree(folder, ignore_errors=True)
        return before - self.taken_bytes()

    def _has_room(self, wanted_bytes: int, most: int) -> bool:
        free = shutil.disk_usage(self.folder).free
        return self.taken_bytes() + wanted_bytes <= most and free >= wanted_bytes + self.least_free_bytes

    def _folder_of(self, name: str, key: str) -> Path:
        return self.folder / f"{re.sub(r'[^A-Za-z0-9._-]', '_', name)[:60].strip('.') or 'model'}-{key}"


def _folders(folder: Path) -> Iterator[Path]:
    """Yield the entries, complete or not; anything else in the folder is left alone."""
    with contextlib.suppress(OSError):
        for each in sorted(folder.iterdir()):
            is_ours = each.name.startswith(WRITING) or (each / ENTRY).is_file()
            if is_ours and each.is_dir() and not each.is_symlink():
                yield each


def _read_entry(folder: Path) -> QuantizedModel | None:
    """Read `entry.json`; None if that fails or the weights have another length."""
    try:
        status = (folder / ENTRY).stat()
        about = json.loads((folder / ENTRY).read_bytes()[:100_000])
        length = (folder / WEIGHTS).stat().st_size
        if about["version"] != _VERSION or about["weight_bytes"] != length:
            return None
        name, source, made_of = (str(about[key]) for key in ("name", "source", "made_of"))
        return QuantizedModel(folder, name, source, made_of, length, _bytes_in(folder), status.st_mtime)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _bytes_in(folder: Path) -> int:
    found = 0
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            with contextlib.suppress(OSError):
                found += file.stat().st_size
    return found


def _is_abandoned(folder: Path, patience_seconds: float = ABANDONED_SECONDS) -> bool:
    """Whether no process writes to this folder any more."""
    try:
        with (folder / WEIGHTS).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:  # no weights file yet
        with contextlib.suppress(OSError):
            return time.time() - folder.stat().st_mtime > patience_seconds
        return False
