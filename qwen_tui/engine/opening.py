"""Opening an engine: from a wish to something that answers, with its progress reported and a way to stop.

Everything here blocks and is called on a plain thread. The worker process is started by `start_worker`, at
launch, so that it imports torch while the screen comes up; a model is loaded into it by `open_engine`.
"""

import threading
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
"""How often the stop flag is looked at while a model loads."""

SWEEP_SECONDS = 3.0
"""How long a stopped download may take to remove its unfinished files, out of sight."""


def open_engine(
    spec: ModelSpec,
    log_file: Path,
    report: ReportProgress,
    stop: StopFlag,
    worker: Worker | None = None,
    quantized: QuantizedCache | None = None,
    make_room: MakeRoom | None = None,
) -> Engine:
    """Load the model that `spec` asks for, or find its server, and return an engine; blocks until then.

    `worker` is one that `start_worker` made earlier and that has loaded nothing yet; it is ended when the load
    fails. `quantized` is where quantized weights are kept. `report` is called on this thread, and so is
    `make_room.free`, once the model is on this machine. Raises QwenTuiError: `engine.load_stopped` within 100 ms
    after `stop` is set, else what went wrong.
    """
    if spec.server is not None:
        from qwen_tui.engine.remote.opening import open_remote  # late: HTTP takes a while to import

        return open_remote(spec, report, stop)
    report(LoadProgress("starting"))
    if worker is None or not worker.alive:
        worker = start_worker(log_file)
    freed = make_room.freed if make_room is not None else None
    asked = worker.ask(Load(spec, quantized, waits=make_room is not None, freed=freed))
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
