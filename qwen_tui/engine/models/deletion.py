"""Delete a model from the Hugging Face cache, with everything that was quantized from it."""

import fcntl
import shutil
from contextlib import suppress
from pathlib import Path

from qwen_tui.engine.models.cache_scan import cache_folder
from qwen_tui.engine.models.choices import GUIDE, ModelChoice
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

_PARTS = ("blobs", "snapshots", "refs", ".no_exist")
"""What a repository of the cache consists of, the large files first; anything else in its folder stays."""


def repository_of(choice: ModelChoice) -> Path:
    """Return the folder of the cache that deleting this model removes. Raises QwenTuiError if it cannot be deleted.

    Only what the cache contains can be fetched again: a folder of the person's own is left to them.
    """
    if choice.model == GUIDE:
        raise QwenTuiError("models.delete_guide")
    if choice.local is None:
        raise QwenTuiError("models.nothing_to_delete", name=one_line(choice.model or choice.server))
    folder = choice.local.folder
    repository = folder.parent.parent
    is_cached = repository.parent == cache_folder() and repository.name.startswith("models--")
    if not is_cached or folder.parent.name != "snapshots":
        raise QwenTuiError("models.own_folder", path=one_line(folder))
    return repository


def is_from(repository: Path, model: str) -> bool:
    """Whether a model, by its name on the hub or its folder, was loaded from this repository of the cache."""
    is_named = repository.name == f"models--{model.replace('/', '--')}"
    return is_named or Path(model).is_relative_to(repository)


def delete(repository: Path, quantized: QuantizedCache) -> int:
    """Delete a repository of the cache, all its revisions included; return the number of bytes freed.

    A model that is loaded from it keeps working. Raises QwenTuiError while it is being downloaded, or if something
    could not be removed.
    """
    locks = repository.parent / ".locks" / repository.name
    if any(map(_is_locked, [*locks.glob("*.lock"), *locks.glob("*.unfinished")])):
        raise QwenTuiError("models.being_downloaded", name=one_line(repository.name))
    freed = sum(file.stat().st_size for file in _files_in(repository))
    for entry in quantized.entries():
        if Path(entry.source).is_relative_to(repository):
            freed += entry.disk_bytes
            quantized.drop(entry.folder, "its model was deleted")
    try:
        for part in (repository / name for name in _PARTS):
            if part.is_symlink():
                part.unlink()
            elif part.exists():
                shutil.rmtree(part)
    except OSError as error:
        why = one_line(error.strerror or error)
        raise QwenTuiError("models.not_deleted", path=one_line(repository), detail=why) from error
    shutil.rmtree(locks, ignore_errors=True)
    with suppress(OSError):  # something else is in it, or it is a link
        repository.unlink() if repository.is_symlink() else repository.rmdir()
    return freed


def _files_in(repository: Path) -> list[Path]:
    """Return its files; those of a snapshot are links to blobs, except in a cache without links."""
    found = (file for part in ("blobs", "snapshots") for file in (repository / part).rglob("*"))
    return [file for file in found if file.is_file() and not file.is_symlink()]


def _is_locked(file: Path) -> bool:
    """Whether a process is writing what this file stands for."""
    try:
        with file.open("rb") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
