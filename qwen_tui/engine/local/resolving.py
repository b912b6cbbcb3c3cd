"""Which model is meant: the guide, a folder, or a repository on the hub; and the choice when nothing was said.

Nothing is ever downloaded that was not asked for by name.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_tui.engine import fit
from qwen_tui.engine.base import LoadProgress, ModelSpec
from qwen_tui.engine.checkpoint import config_of, inspect
from qwen_tui.engine.listing import GUIDE
from qwen_tui.engine.local import hub, placement
from qwen_tui.engine.local.architecture import check_architecture
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.size import size_by_config
from qwen_tui.errors import QwenTuiError
from qwen_tui.guide import model_folder

SURE = 0.95
"""What is known before a download is an estimate: refused is only what would not fit with so much of it, either."""

PREFERRED = "Qwen/Qwen2.5-7B-Instruct"
"""What is taken when nothing is asked for, where it is on this machine already and a GPU has room for it."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A model folder, and how it came to be chosen."""

    folder: Path
    name: str
    """As the person calls it."""
    model: str
    """What would resolve to it again."""
    revision: str = ""
    note: str = ""
    """The code of a sentence about the choice, or empty."""


def resolve(
    spec: ModelSpec, report: Callable[[LoadProgress], None], is_stopped: Callable[[], bool]
) -> Resolved:
    """Find the folder of the model that `spec` asks for, downloading it if it is named and not here.

    Raises QwenTuiError when there is none, and `received.DownloadStopped` when a download was stopped.
    """
    if spec.model is None:
        return _choice(spec)
    if spec.model == GUIDE:
        return Resolved(model_folder(), GUIDE, GUIDE)
    path = Path(spec.model).expanduser()
    if path.exists() or _looks_like_a_path(spec.model):
        path = path.resolve()
        return Resolved(path, one_line(path.name), str(path))
    if not re.fullmatch(r"([\w.-]+/)?[\w.-]+", spec.model):
        raise QwenTuiError("engine.not_a_name", model=one_line(spec.model))
    snapshot = hub.cached(spec.model) or hub.download(
        spec.model, report, is_stopped, lambda folder, weights: _check(folder, weights, spec)
    )
    return _from_hub(spec.model, snapshot)


def _check(folder: Path, weight_bytes: int, spec: ModelSpec) -> None:
    """Raise QwenTuiError for what would make a download of so many bytes useless, by `config.json`."""
    devices, config = placement.look(), config_of(folder)
    fit.allowed(devices, spec.device)
    check_architecture(config, folder, spec)
    # Of what was saved quantized the size in memory is not to be told from here.
    if weight_bytes and "quantization_config" not in config:
        fit.plan(size_by_config(config, int(SURE * weight_bytes)), devices, spec.quantization, spec.device)


def _choice(spec: ModelSpec) -> Resolved:
    """The preferred model where it is complete in the cache and an accelerator can hold it, else the guide."""
    guide = Resolved(model_folder(), GUIDE, GUIDE, note="engine.note.guide")
    snapshot = hub.cached(PREFERRED)
    if snapshot is None:
        return guide
    try:
        device = placement.place(spec, inspect(snapshot)).device
    except QwenTuiError:
        return replace(guide, note="engine.note.guide_no_room")
    if device.type == "cpu":
        return replace(guide, note="engine.note.guide_no_room")
    return _from_hub(PREFERRED, snapshot)


def _from_hub(model: str, snapshot: Path) -> Resolved:
    # A snapshot's folder is named after its commit.
    return Resolved(snapshot, model.rpartition("/")[2], model, revision=snapshot.name)


def _looks_like_a_path(model: str) -> bool:
    return model.startswith(("/", "./", "../", "~")) or model in (".", "..") or model.count("/") > 1
