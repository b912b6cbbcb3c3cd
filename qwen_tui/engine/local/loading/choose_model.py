"""Resolve which model to load: the guide, a folder or a hub repository; and choose one if none was named.

Nothing is ever downloaded unless it was asked for by name.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_tui.engine.base import LoadProgress, ModelInfo, ModelSpec
from qwen_tui.engine.local.loading import hub_download as hub
from qwen_tui.engine.local.loading import placement
from qwen_tui.engine.local.loading.architecture import check_architecture
from qwen_tui.engine.local.loading.hub_weights_size import weigh
from qwen_tui.engine.models import fit
from qwen_tui.engine.models.checkpoint import config_of, inspect
from qwen_tui.engine.models.choices import GUIDE
from qwen_tui.engine.models.hub_model import NAME
from qwen_tui.engine.models.load_plan import plan
from qwen_tui.engine.models.size import size_of
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder

PREFERRED = "Qwen/Qwen2.5-7B-Instruct"
"""Default model, if it is already on this machine and a GPU has room for it."""


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
) -> Resolved:
    """Find the folder of the model that `spec` names, downloading it if it is not on this machine.

    `freed` is the model that will be freed to make room. Raises QwenTuiError if the model cannot be had, and
    `DownloadStopped` if a download was stopped.
    """
    if spec.model is None:
        return _choice(spec)
    if spec.model == GUIDE:
        return Resolved(model_folder(), GUIDE, GUIDE)
    path = Path(spec.model).expanduser()
    if path.exists() or _looks_like_a_path(spec.model):
        path = path.resolve()
        return Resolved(path, one_line(path.name), str(path))
    if not NAME.fullmatch(spec.model):
        raise QwenTuiError("engine.not_a_name", model=one_line(spec.model))
    snapshot = hub.cached(spec.model) or hub.download(
        spec.model, report, is_stopped, lambda folder: _check(folder, spec, freed)
    )
    return _from_hub(spec.model, snapshot)


def _check(folder: Path, spec: ModelSpec, freed: ModelInfo | None) -> None:
    """Raise QwenTuiError if downloading gigabytes would be useless.

    The memory check is that of the load itself: the same tensors, the same plan.
    """
    devices = placement.usable()
    fit.allowed(devices, spec.device)
    check_architecture(config_of(folder), folder, spec)
    assert spec.model is not None  # it is being downloaded
    checkpoint = weigh(spec.model, folder)
    if checkpoint is not None:
        there = fit.freed(devices, freed)
        plan(size_of(checkpoint), there, spec.quantization, spec.device, spec.dtype)


def _choice(spec: ModelSpec) -> Resolved:
    """Choose the preferred model if it is complete in the cache and fits on an accelerator, else the guide."""
    guide = Resolved(model_folder(), GUIDE, GUIDE, note="engine.note.guide")
    snapshot = hub.cached(PREFERRED)
    if snapshot is None:
        return guide
    with suppress(QwenTuiError):
        if placement.place(spec, inspect(snapshot)).device.type != "cpu":
            return _from_hub(PREFERRED, snapshot)
    return replace(guide, note="engine.note.guide_no_room")


def _from_hub(model: str, snapshot: Path) -> Resolved:
    # A snapshot's folder is named after its commit.
    return Resolved(snapshot, model.rpartition("/")[2], model, revision=snapshot.name)


def _looks_like_a_path(model: str) -> bool:
    return model.startswith(("/", "./", "../", "~")) or model in (".", "..") or model.count("/") > 1
