"""The engine of a running program: closed, opening, ready or failed, and how it gets from one to the other.

Opening takes seconds to minutes, so it happens on a daemon thread; the screen reads `state` on its timer.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from qwen_tui.engine.base import Engine, LoadProgress, ModelSpec, ReportProgress, StopFlag
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

SOON_SECONDS = 10.0
"""An engine that dies within this time after it was ready counts as one that keeps dying."""

MOST_DEATHS = 5
"""How many such deaths in a row end with an error instead of another start, which takes seconds of full load."""

OpenEngine = Callable[[ModelSpec, ReportProgress, StopFlag], Engine]


class Closed:
    """No engine, and none on its way."""


class Opening(NamedTuple):
    """A model is being loaded."""

    progress: LoadProgress


class Ready(NamedTuple):
    """A model can be asked."""

    engine: Engine
    spec: ModelSpec
    fallback: QwenTuiError | None = None
    """Why this is the model from before and not the one that was wanted last, if so."""


class Failed(NamedTuple):
    """There is no engine because opening one failed."""

    error: QwenTuiError


EngineState = Closed | Opening | Ready | Failed


class EngineHost:
    """Owns the one engine. All methods return at once; only one opening is under way at a time."""

    def __init__(self, open_engine: OpenEngine, on_ready: Callable[[Engine | None], None]) -> None:
        self._open_engine = open_engine
        self._on_ready = on_ready
        self._state: EngineState = Closed()
        self._stop = threading.Event()
        self._opening: threading.Thread | None = None
        self._ready_at = 0.0
        self._early_deaths = 0
        self._lock = threading.Lock()

    @property
    def state(self) -> EngineState:
        """As it stands now; a frozen value."""
        return self._state

    def open(self, spec: ModelSpec) -> None:
        """Load this model in place of what there is; if that fails, the one from before is loaded again."""
        with self._lock:
            self._early_deaths = 0
            self._begin(spec)

    def revive(self) -> bool:
        """Load the model again if its engine has died; True when that was needed.

        An engine that dies time and again soon after it was ready is given up, until someone opens one.
        """
        with self._lock:
            state = self._state
            if not isinstance(state, Ready) or state.engine.alive:
                return False
            died_soon = time.monotonic() - self._ready_at < SOON_SECONDS
            self._early_deaths = self._early_deaths + 1 if died_soon else 0
            if self._early_deaths < MOST_DEATHS:
                self._begin(state.spec)
            else:
                self._state = Failed(QwenTuiError("engine.keeps_dying", times=MOST_DEATHS))
                self._on_ready(None)
            return True

    def stop_opening(self) -> None:
        """Give up the opening that is under way."""
        self._stop.set()

    def close(self) -> None:
        """Free the engine; for leaving the program."""
        with self._lock:
            self._stop.set()
            state, self._state = self._state, Closed()
            self._on_ready(None)
        if isinstance(state, Ready):
            state.engine.close()

    def _begin(self, spec: ModelSpec) -> None:
        """Start an opening; to be called with the lock held."""
        self._stop.set()  # an opening that is under way gives up
        stop, previous = threading.Event(), self._opening
        self._stop = stop
        current = self._state if isinstance(self._state, Ready) else None
        self._state = Opening(LoadProgress("starting", spec.model or ""))
        self._on_ready(None)
        self._opening = threading.Thread(
            target=self._run, args=(spec, current, stop, previous), name="opening", daemon=True
        )
        self._opening.start()

    def _run(
        self, spec: ModelSpec, current: Ready | None, stop: threading.Event, previous: threading.Thread | None
    ) -> None:
        if previous is not None:
            previous.join()
        if current is not None:
            current.engine.close()
        try:
            self._become(Ready(self._open(spec, stop), spec), stop)
        except QwenTuiError as error:
            if current is None or current.spec == spec or stop.is_set():
                self._become(Failed(error), stop)
                return
            try:
                engine = self._open(current.spec, stop)
            except QwenTuiError:
                self._become(Failed(error), stop)
            else:
                self._become(Ready(engine, current.spec, fallback=error), stop)

    def _open(self, spec: ModelSpec, stop: threading.Event) -> Engine:
        try:
            return self._open_engine(spec, lambda progress: self._report(progress, stop), stop)
        except QwenTuiError:
            raise
        except Exception as error:  # the edge of the thread: a defect must not leave the state at Opening
            log.exception("opening an engine broke")
            raise QwenTuiError("error.unknown", detail=type(error).__name__) from error

    def _report(self, progress: LoadProgress, stop: threading.Event) -> None:
        with self._lock:
            if self._stop is stop:
                self._state = Opening(progress)

    def _become(self, state: EngineState, stop: threading.Event) -> None:
        """Take on a state, unless a newer `open` or `close` has made it stale."""
        with self._lock:
            stale = self._stop is not stop or isinstance(self._state, Closed)
            if not stale:
                self._state = state
                self._ready_at = time.monotonic()
                self._on_ready(state.engine if isinstance(state, Ready) else None)
        if stale and isinstance(state, Ready):
            state.engine.close()
