"""Which model is meant: the guide, a folder, or a repository on the hub."""

import re
from dataclasses import dataclass
from pathlib import Path

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.local.faults import one_line
from qwen_tui.errors import QwenTuiError

GUIDE = "guide"
"""The built-in model's name."""

PREFERRED = "Qwen/Qwen2.5-7B-Instruct"
"""What is taken when nothing is asked for, where it is on this machine already and fits."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """A model folder, and how it came to be chosen."""

    folder: Path
    name: str
    model: str
    """What would resolve to it again."""
    revision: str = ""
    note: str = ""
    """The code of a sentence about the choice, or empty."""


def guide(note: str = "") -> Resolved:
    """The built-in model."""
    from qwen_tui.guide import model_folder

    return Resolved(model_folder(), GUIDE, GUIDE, note=note)


def folder(model: str) -> Resolved:
    """A folder that the person named."""
    path = Path(model).expanduser().resolve()
    return Resolved(path, one_line(path.name), str(path))


def resolve(spec: ModelSpec) -> Resolved:
    """Find what `spec.model` means."""
    if spec.model == GUIDE:
        return guide()
    if spec.model is None:
        return guide("engine.note.guide")
    if Path(spec.model).expanduser().is_dir() or not re.fullmatch(r"[\w.-]+/[\w.-]+", spec.model):
        return folder(spec.model)
    raise QwenTuiError("engine.not_cached", model=spec.model)
