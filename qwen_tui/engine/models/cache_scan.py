"""Find the models on this machine: in the Hugging Face cache, and in folders opened before.

The cache's layout is read directly (huggingface_hub, "Understand caching"), since its library takes too long to
import for the screen's process:

    models--OWNER--NAME/
        refs/main                     the commit of a branch
        snapshots/COMMIT/FILE  ->     ../../blobs/HASH
        blobs/HASH, HASH.incomplete   a file being downloaded has the second name

Nothing is changed and nothing raises: an unreadable model is skipped, or listed with its problem.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from qwen_tui.engine.models.checkpoint import Checkpoint, config_of, inspect
from qwen_tui.engine.models.size import ModelSize, context_window, layers, size_of, text_config
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

MOST_MODELS = 2000
"""How many folders of the cache are scanned."""

MOST_FILES = 5000
"""How many files of one model are examined."""

SEEING_TOO = ("gemma3", "gemma3n", "gemma4", "gemma4_unified", "llama4", "mllama", "qwen3_5", "qwen3_5_moe")
"""Model types whose class also handles images, but which transformers can load as a causal model."""

UNFINISHED = ("engine.no_model_in_folder", "engine.weights_missing", "engine.no_tokenizer")
"""Problems of a snapshot that downloading the rest solves."""

TOKENIZERS = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt")


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModel:
    """A causal language model on this machine."""

    model: str
    """What loads it: its name on the hub, or its folder."""
    folder: Path
    """The snapshot, or the folder itself."""
    architecture: str
    revision: str = ""
    """Commit of a model from the hub."""
    disk_bytes: int = 0
    """Size of its files; a file shared by two revisions counts once."""
    last_used: float = 0.0
    """Seconds since 1970; 0 if unknown."""
    context_window: int = 0
    """In tokens."""
    size: ModelSize | None = None
    """Memory requirements; None while the model is incomplete."""
    problem: QwenTuiError | None = None
    """Why it cannot be loaded as it is, if so: incomplete, damaged, in another format."""

    @property
    def name(self) -> str:
        """Display name."""
        return one_line(self.model.rstrip("/").rpartition("/")[2])

    @property
    def is_complete(self) -> bool:
        """Whether it can be loaded as it is."""
        return self.problem is None


def cache_folder() -> Path:
    """Return the hub's cache folder (huggingface_hub, "Environment variables")."""
    value = os.environ.get
    home = value("HF_HOME") or os.path.join(value("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    folder = value("HF_HUB_CACHE") or value("HUGGINGFACE_HUB_CACHE") or os.path.join(home, "hub")
    return Path(os.path.expanduser(os.path.expandvars(folder)))


def scan(cache: Path | None = None, used: Mapping[str, float] | None = None) -> list[LocalModel]:
    """Return all causal language models in the cache and in `used`, most recently used first.

    `used` maps models to the time they were last loaded (`recent_models`); folders among them are examined, too.
    """
    times = dict(used or {})
    opened = (looked_at(Path(name), str(Path(name))) for name in times if os.path.isabs(name))
    found = (*_cached(cache or cache_folder()), *filter(None, opened))
    dated = (replace(each, last_used=max(each.last_used, times.get(each.model, 0.0))) for each in found)
    return sorted(dated, key=lambda model: (-model.last_used, model.model))


def in_cache(model: str) -> LocalModel | None:
    """Return the model of this name on the hub that is in the cache, complete or not; None if there is none."""
    return _repository(cache_folder() / f"models--{model.replace('/', '--')}", model)


# --- The cache --------------------------------------------------------------------------------------------


def _cached(cache: Path) -> Iterator[LocalModel]:
    for entry in _entries(cache, MOST_MODELS):
        kind, _, name = entry.name.partition("--")
        if kind != "models" or not name:
            continue
        if model := _repository(Path(entry.path), name.replace("--", "/", 1)):
            yield model


def snapshot_to_load(repository: Path) -> Path | None:
    """Return the snapshot that loading a repository of the cache reads, complete or not; None if there is none.

    It is that of `main`. A copied or hand-made cache may not name it: then it is the newest complete one.
    """
    newest_first = _snapshots(repository)
    main = ""
    with suppress(OSError, ValueError), open(repository / "refs" / "main", encoding="ascii") as file:
        main = file.read(100).strip()
    if main:
        return next((each for each in newest_first if each.name == main), None)
    return next(filter(_is_usable, newest_first), next(iter(newest_first), None))


def check_files(folder: Path) -> Checkpoint:
    """Inspect the model in this folder. Raises QwenTuiError if its weights or its tokenizer cannot be used."""
    checkpoint = inspect(folder)
    if not any((folder / name).exists() for name in TOKENIZERS):
        raise QwenTuiError("engine.no_tokenizer", path=one_line(folder))
    return checkpoint


def _is_usable(folder: Path) -> bool:
    try:
        check_files(folder)
    except QwenTuiError:
        return False
    return True


def _snapshots(repository: Path) -> list[Path]:
    newest_first = sorted(_entries(repository / "snapshots", 100), key=_changed, reverse=True)
    return [repository / "snapshots" / entry.name for entry in newest_first]


def _repository(folder: Path, model: str) -> LocalModel | None:
    """Return the model that loading this repository finds, complete or not.

    A snapshot of another revision is not loaded but shortens the download, so it counts as incomplete. None if no
    snapshot contains a language model.
    """
    loaded = snapshot_to_load(folder)
    for snapshot in sorted(_snapshots(folder), key=lambda each: each != loaded):
        found = _snapshot(folder, snapshot, model)
        if found is not None:
            is_loaded = snapshot == loaded or not found.is_complete
            return found if is_loaded else _unfinished(found)
    return None


def _unfinished(model: LocalModel) -> LocalModel:
    return replace(model, size=None, problem=QwenTuiError("engine.half_downloaded", model=model.model))


def _snapshot(folder: Path, snapshot: Path, model: str) -> LocalModel | None:
    found = _looked_at(snapshot, model)
    if found is None:
        return None
    files = _files(folder / "blobs") or _files(snapshot)  # without symlinks, the snapshot has the files
    disk_bytes = sum(status.st_size for status in files)
    # The access time: the hub keeps no better record of the last use.
    last_used = max((status.st_atime for status in files), default=0.0)
    found = replace(found, revision=snapshot.name, disk_bytes=disk_bytes, last_used=last_used)
    code = found.problem.code if found.problem is not None else ""
    if code not in UNFINISHED:
        return found
    is_begun = any(entry.name.endswith(".incomplete") for entry in _entries(folder / "blobs", MOST_FILES))
    if code == "engine.no_model_in_folder" and not is_begun:
        return None  # only the config or the tokenizer was ever downloaded
    return _unfinished(found)


# --- A folder ---------------------------------------------------------------------------------------------


def looked_at(folder: Path, model: str) -> LocalModel | None:
    """Return the model in a folder, with its problem if any; None if there is none that generates text.

    `model` is the name that loads it.
    """
    found = _looked_at(folder, model)
    return found and replace(found, disk_bytes=sum(status.st_size for status in _files(folder)))


def _looked_at(folder: Path, model: str) -> LocalModel | None:
    """Like `looked_at`, without `disk_bytes`."""
    try:
        config = config_of(folder)
    except QwenTuiError:
        return None
    if not (architecture := _architecture(config)):
        return None
    window = context_window(config)
    found = LocalModel(model=model, folder=folder, architecture=architecture, context_window=window)
    try:
        size = size_of(check_files(folder))
    except QwenTuiError as error:
        return replace(found, problem=error)
    return replace(found, size=size)


def _architecture(config: Mapping[str, Any]) -> str:
    """Return the class name of a causal language model; empty for any other model."""
    named = config.get("architectures")
    name = str(named[0]) if isinstance(named, list) and named else ""
    model_type = str(config.get("model_type", ""))
    if not name:
        return one_line(model_type) if layers(text_config(config)) else ""
    if name.endswith("ForConditionalGeneration") and model_type not in SEEING_TOO:
        return ""
    return one_line(name)


def _files(folder: Path) -> list[os.stat_result]:
    """Return the status of each regular file in a folder."""
    found = []
    for entry in _entries(folder, MOST_FILES):
        with suppress(OSError):
            found.append(entry.stat())
    return [status for status in found if stat.S_ISREG(status.st_mode)]


def _entries(folder: Path, most: int) -> Iterable["os.DirEntry[str]"]:
    with suppress(OSError), os.scandir(folder) as entries:
        return list(islice(entries, most))
    return []


def _changed(entry: "os.DirEntry[str]") -> float:
    try:
        return entry.stat().st_mtime
    except OSError:
        return 0.0
