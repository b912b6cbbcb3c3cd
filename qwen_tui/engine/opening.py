"""Open an engine from a `ModelSpec`, with progress reports and a way to stop.

Everything here blocks and is called on a plain thread. `start_worker` starts the worker process at launch, so
that it imports torch while the screen comes up; `open_engine` loads a model into it.
"""

import threading
from collections.abc import Iterable
from pathlib import Path

from qwen_tui.engine.base import (
    Engine,
    LoadProgress,
    MakeRoom,
    ModelInfo,
    ModelSpec,
    ReportProgress,
    StopFlag,
)
from qwen_tui.engine.client import LocalEngine
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.engine.wire import GoOn, Load, Located
from qwen_tui.engine.worker import Worker, start_worker
from qwen_tui.errors import QwenTuiError

POLL_SECONDS = 0.02
"""How often the stop flag is polled while a model loads."""

SWEEP_SECONDS = 3.0
"""How long a stopped download may take, in the background, to remove its unfinished files."""


def open_engine(
    spec: ModelSpec,
    log_file: Path,
    report: ReportProgress,
    stop: StopFlag,
    worker: Worker | None = None,
    quantized: QuantizedCache | None = None,
    make_room: MakeRoom | None = None,
    used: Iterable[str] = (),
) -> Engine:
    """Load the model that `spec` names, or connect to its server, and return an engine; blocks until then.

    `worker` is one that `start_worker` made earlier and that has loaded nothing yet; it is ended if the load
    fails. `quantized` is the cache of quantized weights, `used` are the models used before, latest first. `report`
    is called on this thread, and so is `make_room.free`, once the model's files are on this machine. Raises
    QwenTuiError: `engine.load_stopped` within 100 ms after `stop` is set, otherwise the cause of the failure.
    """
    if spec.server is not None:
        from qwen_tui.engine.remote.opening import open_remote  # late: HTTP takes a while to import

        return open_remote(spec, report, stop)
    report(LoadProgress("starting"))
    if worker is None or not worker.alive:
        worker = start_worker(log_file)
    freed = make_room.freed if make_room is not None else None
    asked = worker.ask(Load(spec, quantized, waits=make_room is not None, freed=freed, used=tuple(used)))
    downloading = False
    while not stop.is_set():
        answer = asked.next(POLL_SECONDS)
        match answer:
            case LoadProgress(stage):
                downloading = stage == "downloading"
                report(answer)
            case Located(folder) if make_room is not None:
                make_room.free(folder)
                worker.forget(worker.ask(GoOn()))
            case ModelInfo():
                return LocalEngine(worker, answer)
            case QwenTuiError():
                worker.end(answer)
                raise answer
    stopped = QwenTuiError("engine.load_stopped")
    worker.stop(asked)
    grace_seconds = SWEEP_SECONDS if downloading else 0.0
    threading.Thread(target=worker.end_soon, args=(grace_seconds, stopped), daemon=True).start()
    raise stopped
