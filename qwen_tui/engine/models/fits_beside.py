"""Decide whether a model can be loaded while the current one stays, so that a failure costs nothing."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qwen_tui.engine.base import ModelInfo, ModelSpec
from qwen_tui.engine.models.checkpoint import inspect
from qwen_tui.engine.models.devices import Device, usable
from qwen_tui.engine.models.fit import freed
from qwen_tui.engine.models.load_plan import LoadPlan, plan
from qwen_tui.engine.models.size import ModelSize, size_of
from qwen_tui.errors import QwenTuiError

WORKER_BYTES = 2_000_000_000
"""Main memory reserved for a second engine process, in addition to its weights.

Measured without CUDA, with the guide: 0.4 GB. CUDA's libraries need more.
"""


def fits_beside(
    spec: ModelSpec, folder: Path, loaded: ModelInfo, devices: Sequence[Device] | None = None
) -> bool:
    """Whether the model in `folder` gets the same form and context alongside the loaded one as without it.

    `devices` are in their current state, with the loaded model's memory in use. Also True if freeing the loaded
    model would not help, because the new one cannot be loaded in any case.
    """
    if loaded.server:
        return True
    there = usable() if devices is None else devices
    try:
        size = size_of(inspect(folder))
    except QwenTuiError:
        return True
    # An upper limit of what freeing it gives: the size of its KV cache is not known here.
    emptied = freed(there, replace(loaded, memory_bytes=1 << 60))
    if _plan(size, emptied, spec) is None:
        return True
    with_worker = tuple(
        each if each.is_gpu else each._replace(free_bytes=each.free_bytes - WORKER_BYTES) for each in there
    )
    beside, alone = _plan(size, with_worker, spec), _plan(size, freed(there, loaded), spec)
    if beside is None or alone is None:
        return False
    return beside.fit.form == alone.fit.form and beside.fit.context_tokens >= alone.fit.context_tokens


def _plan(size: ModelSize, devices: Sequence[Device], spec: ModelSpec) -> LoadPlan | None:
    """Return how it would be loaded; None if it does not fit, or main memory lacks room for the process."""
    if any(device.free_bytes <= 0 for device in devices if not device.is_gpu):
        return None
    try:
        return plan(size, devices, spec.quantization, spec.device, spec.dtype)
    except QwenTuiError:
        return None
