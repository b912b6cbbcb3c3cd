"""Models on the Hugging Face hub: found in its cache with no request at all, or downloaded with true progress.

`from_pretrained` would do both, but it tries for 23 to 46 seconds to reach a network that is not there, and
reports only some of its bytes.
"""

import errno
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from tqdm import tqdm  # type: ignore[import-untyped]

from qwen_tui.engine.base import LoadProgress
from qwen_tui.engine.checkpoint import inspect
from qwen_tui.engine.fit import gigabytes
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

WANTED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken", "*.py")
"""Weights, configuration, chat template, tokenizer, and code that `trust_remote_code` may run."""

UNWANTED = ("*/*",)
"""Subfolders hold the same weights in other formats."""

TIMEOUT_SECONDS = 4.0
"""How long the hub may take to answer the first request."""

CHUNK_BYTES = 1 << 20
"""How much is read at a time; the library's own 10 MB make progress jump and a stop wait."""

ORPHAN_SECONDS = 3600.0
"""An unfinished file that nobody has written to for this long belongs to a process that was killed."""


class DownloadStopped(KeyboardInterrupt):
    """A download was stopped. KeyboardInterrupt is the one that every way of downloading gives up for."""


def cached(model: str) -> Path | None:
    """The folder of a model that is complete in the cache, or None. Makes no network request."""
    try:
        folder = Path(
            huggingface_hub.snapshot_download(
                model, allow_patterns=WANTED, ignore_patterns=UNWANTED, local_files_only=True
            )
        )
        inspect(folder)
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    except QwenTuiError as error:
        # A snapshot that was left half finished, or of which only other files were ever wanted.
        if error.code in ("engine.weights_missing", "engine.no_model_in_folder"):
            return None
        raise
    return folder if _has_tokenizer(folder) else None


def download(model: str, report: Callable[[LoadProgress], None], is_stopped: Callable[[], bool]) -> Path:
    """Download a model into the hub's cache and return its folder; files that are there are kept.

    Raises QwenTuiError: offline, no network, not found, gated, nothing usable in it, disk full, broken off;
    and DownloadStopped.
    """
    if constants.HF_HUB_OFFLINE:
        raise QwenTuiError("engine.offline", model=model)
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    try:
        missing_bytes = _missing_bytes(model)
        _make_room(model, missing_bytes)
        bars = _bars(_Received(model, missing_bytes, report, is_stopped))
        folder = huggingface_hub.snapshot_download(
            model, allow_patterns=WANTED, ignore_patterns=UNWANTED, tqdm_class=bars
        )
    except QwenTuiError:
        raise
    except Exception as error:
        raise _in_plain_words(error, model) from error
    return Path(folder)


def _missing_bytes(model: str) -> int:
    """How much there is to download; looks at the repository's list of files in one request."""
    info = huggingface_hub.HfApi().repo_info(model, files_metadata=True, timeout=TIMEOUT_SECONDS)
    names = [file.rfilename for file in info.siblings]
    wanted = set(
        huggingface_hub.utils.filter_repo_objects(names, allow_patterns=WANTED, ignore_patterns=UNWANTED)
    )
    if not any(name.endswith(".safetensors") for name in wanted):
        weights = [name for name in names if name.endswith((".bin", ".pt", ".pth", ".gguf"))]
        if weights:
            raise QwenTuiError("engine.not_safetensors", file=one_line(weights[0]))
        raise QwenTuiError("engine.no_model_in_folder", path=model)
    return sum(
        file.size or 0
        for file in info.siblings
        if file.rfilename in wanted
        and not isinstance(
            huggingface_hub.try_to_load_from_cache(model, file.rfilename, revision=info.sha), str
        )
    )


def _make_room(model: str, missing_bytes: int) -> None:
    """Check the disk before anything is downloaded; remove what killed downloads of this model left."""
    cache = Path(constants.HF_HUB_CACHE)
    blobs = cache / huggingface_hub.file_download.repo_folder_name(repo_id=model, repo_type="model") / "blobs"
    for orphan in blobs.glob("*.incomplete"):
        if time.time() - orphan.stat().st_mtime > ORPHAN_SECONDS:
            orphan.unlink(missing_ok=True)
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if missing_bytes > free:
        raise QwenTuiError("engine.disk_full", needed_gb=gigabytes(missing_bytes), free_gb=gigabytes(free))


class _Received:
    """Counts the bytes of all files as they come, from several threads."""

    def __init__(
        self, model: str, total: int, report: Callable[[LoadProgress], None], is_stopped: Callable[[], bool]
    ) -> None:
        self._name = model.rpartition("/")[2]
        self._total = total
        self._report = report
        self._is_stopped = is_stopped
        self._lock = threading.Lock()
        self._done = 0
        report(LoadProgress("downloading", self._name, 0, total))

    def add(self, count: int) -> None:
        """Count some more; raises DownloadStopped out of the download."""
        if self._is_stopped():
            raise DownloadStopped
        with self._lock:
            self._done += count
            # More than the total comes when a broken connection makes a part come twice.
            self._report(LoadProgress("downloading", self._name, min(self._done, self._total), self._total))


def _bars(received: _Received) -> type[tqdm]:
    """The progress bar that `snapshot_download` makes three of; the one that counts written bytes counts here."""

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._counts = str(kwargs.get("desc", "")).startswith("Reconstructing")
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            received.add(int(n or 0) if self._counts else 0)

    return Bar


def _has_tokenizer(folder: Path) -> bool:
    names = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")
    return any((folder / name).exists() for name in names)


def _in_plain_words(error: Exception, model: str) -> QwenTuiError:
    if isinstance(error, GatedRepoError):
        return QwenTuiError("engine.gated", model=model)
    if isinstance(error, RepositoryNotFoundError | HFValidationError):
        return QwenTuiError("engine.not_on_hub", model=one_line(model))
    if isinstance(error, OfflineModeIsEnabled):
        return QwenTuiError("engine.offline", model=model)
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return QwenTuiError("engine.disk_full_midway", model=model)
    detail = one_line(error.__cause__ or error)
    if isinstance(error, HfHubHTTPError):
        return QwenTuiError("engine.download_broke", model=model, detail=detail)
    return QwenTuiError("engine.no_network", model=model, detail=detail)
