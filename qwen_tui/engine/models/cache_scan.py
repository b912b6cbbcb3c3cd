"""The models that are on this machine already: in the Hugging Face cache, and in folders opened before.

The cache's layout is read as it stands (huggingface_hub, "Understand caching"), since its library takes too long to
import for the screen's process:

    models--OWNER--NAME/
        refs/main                     the commit of a branch
        snapshots/COMMIT/FILE  ->     ../../blobs/HASH
        blobs/HASH, HASH.incomplete   what is being downloaded has the second name

Nothing is changed, nothing raises: what cannot be read is left out, or listed with what is amiss.
"""

import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from qwen_tui.engine.models.checkpoint import config_of, inspect
from qwen_tui.engine.models.size import ModelSize, context_window, layers, size_of, text_config
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

MOST_MODELS = 2000
"""How many folders of the cache are looked into."""

MOST_FILES = 5000
"""How many files of one model are looked at."""

SEEING_TOO = ("gemma3", "gemma3n", "gemma4", "gemma4_unified", "llama4", "mllama", "qwen3_5", "qwen3_5_moe")
"""Model types whose class is one for images as well, and which transformers also loads as a causal model."""

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
    """The commit, for one from the hub."""
    disk_bytes: int = 0
    """What its files take; a file that two revisions share counts once."""
    last_used: float = 0.0
    """Seconds since 1970; 0 when that is not known."""
    context_window: int = 0
    """In tokens."""
    size: ModelSize | None = None
    """What it takes to run; None while it is not whole."""
    problem: QwenTuiError | None = None
    """Why it cannot be loaded as it is, if so: incomplete, damaged, in another format."""

    @property
    def name(self) -> str:
        """As the person calls it."""
        return one_line(self.model.rstrip("/").rpartition("/")[2])

    @property
    def is_complete(self) -> bool:
        """Whether everything is there that loading needs."""
        return self.problem is None


def cache_folder() -> Path:
    """The hub's cache (huggingface_hub, "Environment variables")."""
    value = os.environ.get
    home = value("HF_HOME") or os.path.join(value("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    folder = value("HF_HUB_CACHE") or value("HUGGINGFACE_HUB_CACHE") or os.path.join(home, "hub")
    return Path(os.path.expanduser(os.path.expandvars(folder)))


def scan(cache: Path | None = None, used: Mapping[str, float] | None = None) -> list[LocalModel]:
    """All causal language models of the cache and of `used`, the last used first.

    `used` says when each model was last loaded, as `recent_models` keeps it; its folders are looked at, too.
    """
    times = dict(used or {})
    opened = (looked_at(Path(name), str(Path(name))) for name in times if os.path.isabs(name))
    found = (*_cached(cache or cache_folder()), *filter(None, opened))
    dated = (replace(each, last_used=max(each.last_used, times.get(each.model, 0.0))) for each in found)
    return sorted(dated, key=lambda model: (-model.last_used, model.model))


# --- The cache --------------------------------------------------------------------------------------------


def _cached(cache: Path) -> Iterator[LocalModel]:
    for entry in _entries(cache, MOST_MODELS):
        kind, _, name = entry.name.partition("--")
        if kind != "models" or not name:
            continue
        if model := _repository(Path(entry.path), name.replace("--", "/", 1)):
            yield model


def _repository(folder: Path, model: str) -> LocalModel | None:
    """What loading this repository finds: the snapshot that `main` names, be it whole or not.

    One of another revision is not loaded, but makes the rest of it quick to come; None when there is no language
    model in any of them.
    """
    main = ""
    with suppress(OSError, ValueError), open(folder / "refs" / "main", encoding="ascii") as file:
        main = file.read(100).strip()
    newest_first = sorted(_entries(folder / "snapshots", 100), key=_changed, reverse=True)
    for name in sorted((entry.name for entry in newest_first), key=lambda name: name != main):
        found = _snapshot(folder, folder / "snapshots" / name, model)
        if found is not None:
            is_loaded = name == main or not found.is_complete
            return found if is_loaded else _unfinished(found)
    return None


def _unfinished(model: LocalModel) -> LocalModel:
    return replace(model, size=None, problem=QwenTuiError("engine.half_downloaded", model=model.model))


def _snapshot(folder: Path, snapshot: Path, model: str) -> LocalModel | None:
    found = _looked_at(snapshot, model)
    if found is None:
        return None
    files = _files(folder / "blobs") or _files(snapshot)  # a file system without links has them there
    disk_bytes = sum(status.st_size for status in files)
    # When one was last read: the hub keeps no better record.
    last_used = max((status.st_atime for status in files), default=0.0)
    found = replace(found, revision=snapshot.name, disk_bytes=disk_bytes, last_used=last_used)
    code = found.problem.code if found.problem is not None else ""
    if code not in ("engine.no_model_in_folder", "engine.weights_missing"):
        return found
    is_begun = any(entry.name.endswith(".incomplete") for entry in _entries(folder / "blobs", MOST_FILES))
    if code == "engine.no_model_in_folder" and not is_begun:
        return None  # only its config or its tokenizer was ever wanted
    return _unfinished(found)


# --- A folder ---------------------------------------------------------------------------------------------


def looked_at(folder: Path, model: str) -> LocalModel | None:
    """The model in a folder, with what is amiss; None when there is none, or none that writes text.

    `model` is what loads it.
    """
    found = _looked_at(folder, model)
    return found and replace(found, disk_bytes=sum(status.st_size for status in _files(folder)))


def _looked_at(folder: Path, model: str) -> LocalModel | None:
    """As `looked_at`, but for the bytes."""
    try:
        config = config_of(folder)
    except QwenTuiError:
        return None
    if not (architecture := _architecture(config)):
        return None
    window = context_window(config)
    found = LocalModel(model=model, folder=folder, architecture=architecture, context_window=window)
    try:
        size = size_of(inspect(folder))
        if not any((folder / name).exists() for name in TOKENIZERS):
            raise QwenTuiError("engine.no_tokenizer", path=one_line(folder))
    except QwenTuiError as error:
        return replace(found, problem=error)
    return replace(found, size=size)


def _architecture(config: Mapping[str, Any]) -> str:
    """The class of a causal language model; empty for everything else."""
    named = config.get("architectures")
    name = str(named[0]) if isinstance(named, list) and named else ""
    model_type = str(config.get("model_type", ""))
    if not name:
        return one_line(model_type) if layers(text_config(config)) else ""
    if name.endswith("ForConditionalGeneration") and model_type not in SEEING_TOO:
        return ""
    return one_line(name)


def _files(folder: Path) -> list[os.stat_result]:
    """What the file system says of the plain files in a folder."""
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
