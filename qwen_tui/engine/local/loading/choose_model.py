"""Resolve which model to load: the guide, a folder or a hub repository; and choose one if none was named.

Nothing is ever downloaded unless it was asked for by name.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_tui.engine.base import LoadProgress, ModelInfo, ModelSpec
from qwen_tui.engine.local.loading import hub_download as hub
from qwen_tui.engine.local.loading import placement
from qwen_tui.engine.local.loading.architecture import check_architecture
from qwen_tui.engine.local.loading.hub_weights_size import weigh
from qwen_tui.engine.models import fit
from qwen_tui.engine.models.catalogue import KNOWN
from qwen_tui.engine.models.checkpoint import config_of, inspect
from qwen_tui.engine.models.choices import GUIDE
from qwen_tui.engine.models.hub_address import NAME, repository_in
from qwen_tui.engine.models.load_plan import plan
from qwen_tui.engine.models.size import size_of
from qwen_tui.engine.models.weight_formats import check_format
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder


@dataclass(frozen=True, slots=True)
class Resolved:
    """A model folder, and how it was chosen."""

    folder: Path
    name: str
    """Display name."""
    model: str
    """What resolves to it again."""
    revision: str = ""
    note: str = ""
    """Code of a sentence about the choice, or empty."""


def resolve(
    spec: ModelSpec,
    report: Callable[[LoadProgress], None],
    is_stopped: Callable[[], bool],
    freed: ModelInfo | None = None,
    used: Sequence[str] = (),
) -> Resolved:
    """Find the folder of the model that `spec` names, downloading it if it is not on this machine.

    `freed` is the model that will be freed to make room, `used` are the models used before, latest first. Raises
    QwenTuiError if the model cannot be had, and `DownloadStopped` if a download was stopped.
    """
    if spec.model is None:
        return _choice(spec, used)
    if spec.model == GUIDE:
        return Resolved(model_folder(), GUIDE, GUIDE)
    path = Path(spec.model).expanduser()
    model = spec.model if path.exists() else repository_in(spec.model)
    if path.exists() or _looks_like_a_path(model):
        path = path.resolve()
        return Resolved(path, one_line(path.name), str(path))
    if not NAME.fullmatch(model):
        raise QwenTuiError("engine.not_a_name", model=one_line(model))
    snapshot = hub.cached(model) or hub.download(
        model, report, is_stopped, lambda folder: _check(model, folder, spec, freed)
    )
    return _from_hub(model, snapshot)


def _check(model: str, folder: Path, spec: ModelSpec, freed: ModelInfo | None) -> None:
    """Raise QwenTuiError if downloading gigabytes would be useless.

    The memory check is that of the load itself: the same tensors, the same plan.
    """
    devices = placement.usable()
    fit.allowed(devices, spec.device)
    config = config_of(folder)
    check_format(config, [file.name for file in folder.iterdir()])
    check_architecture(config, folder, spec)
    checkpoint = weigh(model, folder)
    if checkpoint is not None:
        there = fit.freed(devices, freed)
        plan(size_of(checkpoint), there, spec.quantization, spec.device, spec.dtype)


def _choice(spec: ModelSpec, used: Sequence[str]) -> Resolved:
    """Choose the model used last, else the newest of the catalogue that a GPU has room for, else the guide."""
    for model in used:
        with suppress(QwenTuiError):
            if (found := _on_this_machine(model)) is not None:
                _place(found, spec)
                return replace(found, note="engine.note.used_last") if model == used[0] else found
    note = "engine.note.guide"
    for entry in KNOWN:
        with suppress(QwenTuiError):
            if (found := _on_this_machine(entry.model)) is not None:
                note = "engine.note.guide_no_room"
                if _place(found, spec).device.type != "cpu":
                    return found
    return Resolved(model_folder(), GUIDE, GUIDE, note=note)


def _on_this_machine(model: str) -> Resolved | None:
    """Return a model by its folder or its name on the hub; None if it is not here, or is one of a server."""
    if model == GUIDE:
        return Resolved(model_folder(), GUIDE, GUIDE)
    folder = Path(model)
    if folder.is_absolute():
        return Resolved(folder, one_line(folder.name), str(folder)) if folder.is_dir() else None
    snapshot = hub.cached(model) if NAME.fullmatch(model) else None
    return _from_hub(model, snapshot) if snapshot is not None else None


def _place(found: Resolved, spec: ModelSpec) -> placement.Placement:
    """Return where a model goes. Raises QwenTuiError if it is damaged, unsupported or too large."""
    checkpoint = inspect(found.folder)
    check_architecture(checkpoint.config, found.folder, spec)
    return placement.place(spec, checkpoint)


def _from_hub(model: str, snapshot: Path) -> Resolved:
    # A snapshot's folder is named after its commit.
    return Resolved(snapshot, model.rpartition("/")[2], model, revision=snapshot.name)


def _looks_like_a_path(model: str) -> bool:
    if "://" in model:
        return False
    return model.startswith(("/", "./", "../", "~")) or model in (".", "..") or model.count("/") > 1
