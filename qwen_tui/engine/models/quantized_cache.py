"""Weights that were quantized once and are kept, so that the next load reads them instead of quantizing again.

    FOLDER/NAME-KEY/entry.json, config.json, model.safetensors      one model in one form: an entry
    FOLDER/.writing-…/                                               one that is being written

An entry's key is made of everything that decides what is in it (`quantized_weights`), so that one which is
found is the right one. It gets its name when it is whole, and is never changed afterwards; of `entry.json` the time
of last change says when it was last used. Without torch: the commands look in here too.
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
"""How the name of a folder begins that is being written."""

MOST_BYTES = 50_000_000_000
"""What all entries may take by default, where a tenth of the disk is not less."""

ABANDONED_SECONDS = 60.0
"""A folder that is being written has a file that its writer holds locked, at the latest after this time."""

_VERSION = 1


class QuantizedModel(NamedTuple):
    """One model in one form, quantized."""

    folder: Path
    name: str
    """As the person calls the model."""
    source: str
    """The folder of the model that it was made of."""
    made_of: str
    """What the source's files were like then; another value means that they have changed."""
    weight_bytes: int
    """The length that its file of weights has when it is whole."""
    disk_bytes: int
    last_used: float
    """Seconds since 1970."""


class QuantizedCache(NamedTuple):
    """The folder of the entries, and how much they may take."""

    folder: Path
    most_bytes: int | None = None
    """None is `MOST_BYTES`, or a tenth of the disk; 0 neither keeps nor uses any."""
    least_free_bytes: int = 5_000_000_000
    """So much stays free on the disk."""

    def entries(self) -> list[QuantizedModel]:
        """All entries, the last used first. Does not raise: what cannot be read is no entry."""
        named = (folder for folder in _folders(self.folder) if not folder.name.startswith(WRITING))
        return sorted(filter(None, map(_read_entry, named)), key=lambda entry: -entry.last_used)

    def taken_bytes(self) -> int:
        """What is on the disk, unfinished entries included."""
        return sum(_bytes_in(folder) for folder in _folders(self.folder))

    def find(self, name: str, key: str) -> QuantizedModel | None:
        """The whole entry of this key, which counts as used now; what is not whole is dropped."""
        folder = self._folder_of(name, key)
        entry = _read_entry(folder)
        if entry is None:
            if folder.exists():
                self.drop(folder, "it is not whole")
            return None
        with contextlib.suppress(OSError):  # on a disk that cannot be written to it can be used all the same
            os.utime(folder / ENTRY)
        return entry

    def drop(self, folder: Path, why: str) -> None:
        """Remove an entry that cannot be used, and say so in the log."""
        log.warning("the quantized weights in %s are dropped: %s", folder, why)
        shutil.rmtree(folder, ignore_errors=True)

    def evict_for(self, wanted_bytes: int) -> str:
        """Remove the longest unused entries until there is room for one more; else why there is none, or nothing.

        Half-written folders that nobody writes any more go first.
        """
        for folder in _folders(self.folder):
            if folder.name.startswith(WRITING) and _is_abandoned(folder):
                shutil.rmtree(folder, ignore_errors=True)
        make_folder(self.folder)
        disk = shutil.disk_usage(self.folder)
        most = min(MOST_BYTES, disk.total // 10) if self.most_bytes is None else self.most_bytes
        if wanted_bytes > most:
            return f"they have {wanted_bytes:,} bytes, and the cache may take {most:,}"
        if disk.free + self.taken_bytes() < wanted_bytes + self.least_free_bytes:
            return f"only {disk.free:,} bytes are free on the disk"
        entries = self.entries()
        while entries and not self._has_room(wanted_bytes, most):
            oldest = entries.pop()
            log.info("the quantized weights of %s make room: they were not used for longest", oldest.name)
            shutil.rmtree(oldest.folder, ignore_errors=True)
        return "" if self._has_room(wanted_bytes, most) else "another program writes there"

    def new_folder(self) -> Path:
        """A folder to write an entry in, before it has a name; raises OSError."""
        folder = self.folder / f"{WRITING}{secrets.token_hex(8)}"
        make_folder(folder)
        return folder

    def add(self, written: Path, name: str, key: str, source: Path, made_of: str) -> None:
        """Make an entry of a folder whose files are whole and on the disk; raises OSError.

        Entries of the same source as it was before its files changed go: nothing finds them any more.
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
            # Another program has been quicker with the same one.
            if _read_entry(self._folder_of(name, key)) is None:
                raise
            shutil.rmtree(written, ignore_errors=True)

    def clear(self) -> int:
        """Remove everything but what another program writes now; returns how many bytes that was.

        A model that was loaded from here goes on: its files are gone when it is.
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
    """The entries, whole or not: what is no folder of the cache is not touched."""
    with contextlib.suppress(OSError):
        for each in sorted(folder.iterdir()):
            is_ours = each.name.startswith(WRITING) or (each / ENTRY).is_file()
            if is_ours and each.is_dir() and not each.is_symlink():
                yield each


def _read_entry(folder: Path) -> QuantizedModel | None:
    """What `entry.json` says; None when it cannot be read, or the weights are not as long as it says."""
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
    """Whether nobody writes there any more."""
    try:
        with (folder / WEIGHTS).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False
    except OSError:  # there is no file yet
        with contextlib.suppress(OSError):
            return time.time() - folder.stat().st_mtime > patience_seconds
        return False
