"""Which models were loaded, and when: a small file, so that folders opened before are found again.

The hub's cache keeps no time of last use but its files' times of last read, which many file systems do not record.
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
"""How many models are remembered; the longest unused are forgotten first."""

_MOST_BYTES = 1_000_000


def recent_models(file: Path) -> dict[str, float]:
    """When each was last loaded, in seconds since 1970, the last first; nothing when the file cannot be read.

    The names are those that load it again: a hub id, a folder's path, or a server's address.
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
    """Note that this model was loaded now; raises OSError when that cannot be written."""
    times = {**recent_models(file), model: time.time() if now is None else now}
    latest = sorted(times.items(), key=lambda item: -item[1])[:MOST]
    make_folder(file.parent)
    write_whole(file, json.dumps({"version": 1, "models": dict(latest)}, ensure_ascii=False).encode())


def note_use(file: Path, info: ModelInfo) -> None:
    """As `remember`; when it cannot be written only the log says so, since the model works all the same.

    Of a model on a server the server's address is noted.
    """
    model = info.server or info.model
    try:
        remember(file, model)
    except OSError as error:
        log.warning("that %s was loaded cannot be noted: %s", model, error)
