"""Find models in the Hugging Face cache without any request, or download them with accurate progress.

`from_pretrained` would do both, but without a network it keeps trying for 23 to 46 seconds, and it reports only
some of the bytes.
"""

import errno
import glob
import importlib.util
import os
import shutil
from collections.abc import Callable, Collection
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import huggingface_hub
from huggingface_hub import constants
from huggingface_hub.errors import (
    HfHubHTTPError,
    HFValidationError,
    OfflineModeIsEnabled,
)
from huggingface_hub.utils import filter_repo_objects

from qwen_tui.engine.base import LoadProgress
from qwen_tui.engine.local.loading.download_progress import bars
from qwen_tui.engine.local.loading.partial_downloads import noted
from qwen_tui.engine.models.cache_scan import TOKENIZERS, UNFINISHED, check_files, snapshot_to_load
from qwen_tui.engine.models.checkpoint import ADAPTER, CONFIG, INDEX, WEIGHTS, config_of, indexed_files
from qwen_tui.engine.models.file_list import is_adapter, weights_among
from qwen_tui.engine.models.fit import gigabytes
from qwen_tui.engine.models.hub_probe import missing_socks_proxy, no_network
from qwen_tui.engine.models.hub_refusal import CODE_HEADER, refusal
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

WANTED = ("*.safetensors", "*.json", "*.jinja", "*.model", "*.txt", "*.tiktoken", "*.py")
"""Weights, configuration, chat template, tokenizer, and code that `trust_remote_code` may run."""

_PATTERNS = {"allow_patterns": WANTED, "ignore_patterns": ("*/*",)}
"""Subfolders contain the same weights in other formats."""

FIRST = (CONFIG, INDEX)
"""Files fetched first, to decide whether the rest is worth it."""

CHUNK_BYTES = 1 << 20
"""Read size; with the library's own 10 MB, progress jumps and a stop is delayed."""

_NO_SPACE = os.strerror(errno.ENOSPC)


def cached(model: str) -> Path | None:
    """Return the folder of a model that is complete in the cache, or None. Makes no network request."""
    folder = snapshot_to_load(Path(constants.HF_HUB_CACHE, _folder_name(model)))
    if folder is None:
        return None
    try:
        check_files(folder)
    except QwenTuiError as error:
        if error.code in UNFINISHED:
            return None
        raise
    return folder


def download(
    model: str,
    report: Callable[[LoadProgress], None],
    is_stopped: Callable[[], bool],
    check: Callable[[Path], None],
) -> Path:
    """Download a model into the hub's cache and return its folder; existing files are reused.

    `check` is called with the folder before anything large is fetched, when it contains `config.json` and the
    weight index, if there is one; it may raise. Raises QwenTuiError (offline, no network, not found, gated, no
    usable files, disk full, interrupted) and `DownloadStopped`.
    """
    check_way(model)
    constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
    try:
        files = _files(model)
    except QwenTuiError:
        raise
    except Exception as error:
        raise _in_plain_words(error, model, "engine.hub_silent") from error
    names = [file.name for file in files]
    missing = [file for file in files if not file.is_here]
    try:
        with noted(Path(constants.HF_HUB_CACHE), _folder_name(model), (file.etag for file in missing)):
            first = [name for name in FIRST if name in names]
            folders = [Path(huggingface_hub.hf_hub_download(model, name)).parent for name in first]
            if CONFIG in first:
                check(folders[0])
            weights = _indexed(folders[-1], names) if INDEX in names else [WEIGHTS]
            wanted = [name for name in names if name in weights or not name.endswith(".safetensors")]
            total = sum(file.bytes for file in missing if file.name in wanted and file.name not in first)
            _check_disk(total)
            begun = LoadProgress("downloading", model.rpartition("/")[2], 0, total, 0, len(wanted))
            bar = bars(begun, report, is_stopped)
            patterns = [glob.escape(name) for name in wanted]
            folder = huggingface_hub.snapshot_download(model, allow_patterns=patterns, tqdm_class=bar)
    except QwenTuiError:
        raise
    except Exception as error:
        raise _in_plain_words(error, model, "engine.download_broke") from error
    return Path(folder)


def fetch_tokenizer(model: str, folder: Path) -> Path:
    """Return a folder with the model's files except weights: in the cache, else downloaded into this folder.

    Raises QwenTuiError as `download` does.
    """
    cached_folder = snapshot_to_load(Path(constants.HF_HUB_CACHE, _folder_name(model)))
    if cached_folder is not None and any((cached_folder / name).exists() for name in TOKENIZERS):
        return cached_folder
    small = [pattern for pattern in WANTED if pattern != "*.safetensors"]
    patterns = {"allow_patterns": small, "ignore_patterns": ("*/*", "*.index.json")}
    check_way(model)
    try:
        return Path(huggingface_hub.snapshot_download(model, **patterns, cache_dir=folder))
    except Exception as error:
        raise _in_plain_words(error, model, "engine.hub_silent") from error


def check_way(model: str) -> None:
    """Raise QwenTuiError if the hub cannot be asked at all: offline, no network, or an unusable proxy or token."""
    if constants.HF_HUB_OFFLINE:
        raise QwenTuiError("engine.offline", model=model)
    if (proxy := missing_socks_proxy(constants.ENDPOINT)) is not None:
        raise QwenTuiError("engine.socks_proxy", proxy=one_line(proxy))
    if not (huggingface_hub.get_token() or "").isascii():
        raise QwenTuiError("engine.bad_token", model=model)
    if importlib.util.find_spec("socksio") is None:
        # The hub is excepted from the proxy, but the library would fail to prepare for it.
        for name, value in list(os.environ.items()):
            if name.lower().endswith("_proxy") and value.startswith("socks"):
                del os.environ[name]
    if (problem := no_network(constants.ENDPOINT)) is not None:
        raise QwenTuiError("engine.no_network", model=model, detail=problem)


class _File(NamedTuple):
    """A file of a repository, as the hub lists it."""

    name: str
    bytes: int
    etag: str
    """Its name among the cache's blobs."""
    is_here: bool
    """Whether the cache already has it, even for another revision."""


def _folder_name(model: str) -> str:
    return str(huggingface_hub.file_download.repo_folder_name(repo_id=model, repo_type="model"))


def _files(model: str) -> list[_File]:
    """Return the files that make up the model, from one request for the repository's list."""
    # The timeout of every file later on, ten seconds or the user's own: the network is known to work by now.
    patience = constants.HF_HUB_ETAG_TIMEOUT
    info = huggingface_hub.HfApi().repo_info(model, files_metadata=True, timeout=patience)
    names = [file.rfilename for file in info.siblings if "/" not in file.rfilename]
    if is_adapter(names):
        config_of(
            Path(huggingface_hub.hf_hub_download(model, ADAPTER)).parent
        )  # raises the error with its base
    weights = weights_among(names, model)
    wanted = list(filter_repo_objects(info.siblings, key=attrgetter("rfilename"), **_PATTERNS))
    if WEIGHTS in weights:
        wanted = [file for file in wanted if file.rfilename != INDEX]  # nothing reads it
    blobs = Path(constants.HF_HUB_CACHE, _folder_name(model), "blobs")
    files = []
    for file in wanted:
        etag = (file.lfs.sha256 if file.lfs else file.blob_id) or ""
        found = huggingface_hub.try_to_load_from_cache(model, file.rfilename, revision=info.sha)
        is_here = isinstance(found, str) or bool(etag and (blobs / etag).exists())
        files.append(_File(file.rfilename, file.size or 0, etag, is_here))
    return files


def _indexed(folder: Path, names: Collection[str]) -> list[str]:
    """Return the weight files in the downloaded index. Raises QwenTuiError if the repository lacks any."""
    files = indexed_files(folder)
    if missing := [name for name in files if name not in names]:
        file = one_line(missing[0])
        raise QwenTuiError("engine.weights_missing", file=file, missing=len(missing), files=len(files))
    return files


def _check_disk(missing_bytes: int) -> None:
    """Raise QwenTuiError if the disk is too small for the download."""
    cache = Path(constants.HF_HUB_CACHE)
    cache.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(cache).free
    if missing_bytes > free:
        figures = {"needed_gb": gigabytes(missing_bytes), "free_gb": gigabytes(free)}
        raise QwenTuiError("engine.disk_full", **figures, path=one_line(cache))


def _in_plain_words(error: Exception, model: str, otherwise: str) -> QwenTuiError:
    """Return the error for what the hub or the system reported; `otherwise` is the code of any other failure."""
    if isinstance(error, HfHubHTTPError):
        status, code = error.response.status_code, error.response.headers.get(CODE_HEADER, "")
        said = refusal(model, status, code, has_token=bool(huggingface_hub.get_token()))
        detail = f"HTTP {status} {one_line(error.server_message or '')}".strip()
        return said or QwenTuiError(otherwise, model=model, detail=detail)
    if isinstance(error, HFValidationError):
        return QwenTuiError("engine.not_on_hub", model=one_line(model))
    if isinstance(error, OfflineModeIsEnabled):
        return QwenTuiError("engine.offline", model=model)
    # The library for large files reports system errors as its own, in the system's words.
    if (isinstance(error, OSError) and error.errno == errno.ENOSPC) or _NO_SPACE in str(error):
        return QwenTuiError("engine.disk_full_midway", model=model)
    detail = one_line(error.__cause__ or error) or type(error).__name__
    return QwenTuiError(otherwise, model=model, detail=detail)
