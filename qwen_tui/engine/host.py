"""The engine of a running program and its states: closed, opening, ready, asleep or failed.

The current model stays while another one is loaded, as long as both fit: then a failed load costs nothing, and
a running reply finishes. Otherwise the current model is freed once the new one's files are on this machine, and
reloaded if the new one fails.

Opening takes seconds to minutes, so it runs on a daemon thread; the screen polls `state`.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from qwen_tui.engine.base import (
    Engine,
    LoadProgress,
    MakeRoom,
    ModelInfo,
    ModelSpec,
    ReportProgress,
    StopFlag,
)
from qwen_tui.engine.models.fits_beside import fits_beside
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

SOON_SECONDS = 10.0
"""An engine that dies this soon after it was ready counts as one that keeps dying."""

MOST_DEATHS = 5
"""Number of such deaths in a row after which restarting, which takes seconds of full load, is given up."""

LAST_WORDS_SECONDS = 0.05
"""How often to check whether the previous engine has finished its reply."""

OpenEngine = Callable[[ModelSpec, ReportProgress, StopFlag, MakeRoom], Engine]

FitsBeside = Callable[[ModelSpec, Path, ModelInfo], bool]
"""The signature of `fits_beside`."""


class Closed:
    """There is no engine, and none is being opened."""


class Opening(NamedTuple):
    """A model is being loaded."""

    progress: LoadProgress


class Ready(NamedTuple):
    """A model is ready to answer."""

    engine: Engine
    spec: ModelSpec
    fallback: QwenTuiError | None = None
    """Why the previous model is in use rather than the one chosen last, if so."""
    has_stayed: bool = False
    """Whether the previous model stayed loaded; False if it had to be reloaded."""


class Asleep(NamedTuple):
    """The model was unloaded after an idle period and is loaded again on the next request."""

    engine: Engine
    """The closed engine; its `info` identifies the model."""
    spec: ModelSpec


class Failed(NamedTuple):
    """There is no engine because opening one failed."""

    error: QwenTuiError


EngineState = Closed | Opening | Ready | Asleep | Failed


class EngineHost:
    """Owner of the program's one engine. Methods return at once; only one opening runs at a time."""

    def __init__(
        self,
        open_engine: OpenEngine,
        on_ready: Callable[[Engine | None], None],
        is_answering: Callable[[Engine], bool] = lambda _: False,
        fits_beside: FitsBeside = fits_beside,
    ) -> None:
        """`on_ready` gets the engine that answers from now on, or None; `is_answering` says if one is busy."""
        self._open_engine = open_engine
        self._on_ready = on_ready
        self._is_answering = is_answering
        self._fits_beside = fits_beside
        self._state: EngineState = Closed()
        self._before: Ready | None = None
        """While another engine is being opened: the previous one, which may already be closed."""
        self._leaving: list[Engine] = []
        """Replaced engines that are closed after their last reply."""
        self._stop = threading.Event()
        self._opening: threading.Thread | None = None
        self._ready_at = 0.0
        self._early_deaths = 0
        self._lock = threading.Lock()

    @property
    def state(self) -> EngineState:
        """The current state, a frozen value."""
        return self._state

    def open(self, spec: ModelSpec) -> None:
        """Load this model in place of the current one, which stays in use if that fails."""
        with self._lock:
            self._early_deaths = 0
            self._begin(spec)

    def revive(self) -> bool:
        """Reload the model if its engine has died, and return whether it had.

        After `MOST_DEATHS` deaths in a row soon after it was ready, gives up with the state `Failed`.
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

    def rest(self, seconds: float) -> None:
        """Unload a model that has been ready for that long, unless it is answering or runs on a server.

        The caller makes sure that there was no request meanwhile.
        """
        with self._lock:
            state = self._state
            if not isinstance(state, Ready) or state.engine.info.server:
                return
            if time.monotonic() - self._ready_at < seconds:
                return
            self._on_ready(None)
            if self._is_answering(state.engine):  # a request has just come in
                self._on_ready(state.engine)
                return
            self._state = Asleep(state.engine, state.spec)
            self._see_off(state.engine)

    def wake(self) -> None:
        """Reload a sleeping model; do nothing if none is asleep."""
        with self._lock:
            if isinstance(self._state, Asleep):
                self._begin(self._state.spec)

    def stop_opening(self) -> None:
        """Cancel the current opening."""
        self._stop.set()

    def close(self) -> None:
        """Close every engine, when the program quits."""
        with self._lock:
            self._stop.set()
            there = (self._state, self._before)
            self._state, self._before = Closed(), None
            engines = [*(ready.engine for ready in there if isinstance(ready, Ready)), *self._leaving]
            self._on_ready(None)
        for engine in engines:
            engine.close()

    def _begin(self, spec: ModelSpec) -> None:
        """Start an opening. The caller holds the lock."""
        self._stop.set()  # cancels an opening in progress
        stop, previous = threading.Event(), self._opening
        self._stop = stop
        state = self._state
        is_afresh = isinstance(state, Ready | Asleep)
        if isinstance(state, Ready | Asleep):
            self._before = Ready(state.engine, state.spec)
        self._state = Opening(LoadProgress("starting", spec.model or ""))
        self._on_ready(None)
        run = partial(self._run, spec, self._before, is_afresh, stop, previous)
        self._opening = threading.Thread(target=run, name="opening", daemon=True)
        self._opening.start()

    def _run(
        self,
        spec: ModelSpec,
        before: Ready | None,
        is_afresh: bool,
        stop: threading.Event,
        previous: threading.Thread | None,
    ) -> None:
        if previous is not None:
            previous.join()
        if before is not None and before.spec == spec:
            if before.engine.alive and not is_afresh:  # the user chose another model, then this one again
                self._become(Ready(before.engine, spec), stop)
                return
            before.engine.close()
        there = before.engine if before is not None and before.engine.alive else None

        def free(folder: Path) -> None:
            if there is not None and there.alive and not self._fits_beside(spec, folder, there.info):
                there.close()

        freed = there.info if there is not None else None
        try:
            self._become(Ready(self._open(spec, stop, MakeRoom(free, freed)), spec), stop)
        except QwenTuiError as error:
            self._become(self._after(error, spec, before, stop), stop)

    def _after(
        self, error: QwenTuiError, spec: ModelSpec, before: Ready | None, stop: threading.Event
    ) -> Ready | Failed:
        """Return the state after a failed opening: the previous engine, reloaded if need be, or the failure."""
        if before is None or before.spec == spec:
            return Failed(error)
        if before.engine.alive:
            return Ready(before.engine, before.spec, fallback=error, has_stayed=True)
        if stop.is_set():
            return Failed(error)
        try:
            return Ready(self._open(before.spec, stop, MakeRoom(lambda _: None)), before.spec, fallback=error)
        except QwenTuiError:
            return Failed(error)

    def _open(self, spec: ModelSpec, stop: threading.Event, make_room: MakeRoom) -> Engine:
        try:
            return self._open_engine(spec, lambda progress: self._report(progress, stop), stop, make_room)
        except QwenTuiError:
            raise
        except Exception as error:  # the edge of the thread: a defect must not leave the state at Opening
            log.exception("opening an engine failed unexpectedly")
            raise QwenTuiError("error.unknown", detail=type(error).__name__) from error

    def _report(self, progress: LoadProgress, stop: threading.Event) -> None:
        with self._lock:
            if self._stop is stop:
                self._state = Opening(progress)

    def _become(self, state: Ready | Failed, stop: threading.Event) -> None:
        """Enter a state, unless a newer `open` or `close` has made it stale."""
        engine = state.engine if isinstance(state, Ready) else None
        with self._lock:
            before = self._before.engine if self._before is not None else None
            stale = self._stop is not stop or isinstance(self._state, Closed)
            if not stale:
                self._state = state
                self._before = None
                self._ready_at = time.monotonic()
                self._on_ready(engine)
                if before is not None and before is not engine:
                    self._see_off(before)
        if stale and engine is not None and engine is not before:
            engine.close()

    def _see_off(self, engine: Engine) -> None:
        """Close an engine in the background, since that takes a moment. The caller holds the lock."""
        self._leaving.append(engine)
        threading.Thread(target=self._let_go, args=(engine,), name="leaving", daemon=True).start()

    def _let_go(self, engine: Engine) -> None:
        """Close a replaced engine once it has finished the reply it may be generating."""
        while engine.alive and self._is_answering(engine):
            time.sleep(LAST_WORDS_SECONDS)
        engine.close()
        with self._lock:
            self._leaving = [each for each in self._leaving if each is not engine]
