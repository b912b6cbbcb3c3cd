"""Remember in a small file which models were loaded and when, so that opened folders are found again.

The hub's cache records a last use only as its files' access times, which many file systems do not keep.
"""

import json
import logging
import math
import time
from pathlib import Path

from qwen_tui.chat.files import make_folder, write_whole
from qwen_tui.engine.base import ModelInfo

log = logging.getLogger(__name__)

MOST = 200
"""How many models are remembered; the least recently used are dropped first."""

FOR_WANT_OF_ANOTHER = ("engine.note.guide", "engine.note.guide_no_room")
"""Notes of a model that nobody chose."""

_MOST_BYTES = 1_000_000


def recent_models(file: Path) -> dict[str, float]:
    """Return when each model was last loaded, in seconds since 1970, latest first; empty if unreadable.

    The keys are what loads a model again: a hub id, a folder's path, or a server's address.
    """
    try:
        with file.open("rb") as stream:
            kept = json.loads(stream.read(_MOST_BYTES))
        models = kept["models"].items()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    times = {name: float(at) for name, at in models if isinstance(at, int | float) and math.isfinite(at)}
    return dict(sorted(times.items(), key=lambda item: -item[1])[:MOST])


def remember(file: Path, model: str, now: float | None = None) -> None:
    """Record that this model was loaded now. Raises OSError if the file cannot be written."""
    times = {**recent_models(file), model: time.time() if now is None else now}
    latest = sorted(times.items(), key=lambda item: -item[1])[:MOST]
    make_folder(file.parent)
    write_whole(file, json.dumps({"version": 1, "models": dict(latest)}, ensure_ascii=False).encode())


def note_use(file: Path, info: ModelInfo) -> None:
    """Record the use of a model, on a server by its address; only log a write error, which harms nothing.

    The guide is not recorded if it was loaded for want of another: then the next model downloaded comes first.
    """
    if info.note in FOR_WANT_OF_ANOTHER:
        return
    model = info.server or info.model
    try:
        remember(file, model)
    except OSError as error:
        log.warning("the use of %s could not be recorded: %s", model, error)
