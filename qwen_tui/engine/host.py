"""The engine of a running program: closed, opening, ready, asleep or failed, and how it gets from one to the other.

Another model comes while the one before stays, as long as there is room for both: then nothing is lost when it
fails, and a reply that is being written is written to its end. Else the one before is freed once the new one is on
this machine, and loaded again if that fails.

Opening takes seconds to minutes, so it happens on a daemon thread; the screen reads `state` on its timer.
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
"""An engine that dies within this time after it was ready counts as one that keeps dying."""

MOST_DEATHS = 5
"""How many such deaths in a row end with an error instead of another start, which takes seconds of full load."""

LAST_WORDS_SECONDS = 0.05
"""How often it looks whether the engine before has come to the end of its reply."""

OpenEngine = Callable[[ModelSpec, ReportProgress, StopFlag, MakeRoom], Engine]

FitsBeside = Callable[[ModelSpec, Path, ModelInfo], bool]
"""See `fits_beside`."""


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
    has_stayed: bool = False
    """The model from before was there all the time; else it was loaded again."""


class Asleep(NamedTuple):
    """The model was unloaded since nothing was asked for long; it is loaded again when something is."""

    engine: Engine
    """The one that was ended: its `info` tells which model it was."""
    spec: ModelSpec


class Failed(NamedTuple):
    """There is no engine because opening one failed."""

    error: QwenTuiError


EngineState = Closed | Opening | Ready | Asleep | Failed


class EngineHost:
    """Owns the one engine. All methods return at once; only one opening is under way at a time."""

    def __init__(
        self,
        open_engine: OpenEngine,
        on_ready: Callable[[Engine | None], None],
        is_answering: Callable[[Engine], bool] = lambda _: False,
        fits_beside: FitsBeside = fits_beside,
    ) -> None:
        """`on_ready` is told which engine is to answer from now on, `is_answering` whether one still does."""
        self._open_engine = open_engine
        self._on_ready = on_ready
        self._is_answering = is_answering
        self._fits_beside = fits_beside
        self._state: EngineState = Closed()
        self._before: Ready | None = None
        """While another is opened: what there was before, which may be closed by now."""
        self._leaving: list[Engine] = []
        """Engines whose successor is there, and which are ended after their last reply."""
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
        """Load this model in place of what there is; if that fails, the one from before goes on."""
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

    def rest(self, seconds: float) -> None:
        """Unload a model that has been ready for so long, unless it answers; a server's takes nothing here.

        Whoever calls this knows that nothing was asked meanwhile.
        """
        with self._lock:
            state = self._state
            if not isinstance(state, Ready) or state.engine.info.server:
                return
            if time.monotonic() - self._ready_at < seconds:
                return
            self._on_ready(None)
            if self._is_answering(state.engine):  # something was asked just now
                self._on_ready(state.engine)
                return
            self._state = Asleep(state.engine, state.spec)
            self._see_off(state.engine)

    def wake(self) -> None:
        """Load the model that is asleep again; nothing happens where none is."""
        with self._lock:
            if isinstance(self._state, Asleep):
                self._begin(self._state.spec)

    def stop_opening(self) -> None:
        """Give up the opening that is under way."""
        self._stop.set()

    def close(self) -> None:
        """Free the engine; for leaving the program."""
        with self._lock:
            self._stop.set()
            there = (self._state, self._before)
            self._state, self._before = Closed(), None
            engines = [*(ready.engine for ready in there if isinstance(ready, Ready)), *self._leaving]
            self._on_ready(None)
        for engine in engines:
            engine.close()

    def _begin(self, spec: ModelSpec) -> None:
        """Start an opening; to be called with the lock held."""
        self._stop.set()  # an opening that is under way gives up
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
            if before.engine.alive and not is_afresh:  # another was chosen, and then this one again
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
        """What there is when an opening has failed: the engine from before, loaded again if need be."""
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
            log.exception("opening an engine broke")
            raise QwenTuiError("error.unknown", detail=type(error).__name__) from error

    def _report(self, progress: LoadProgress, stop: threading.Event) -> None:
        with self._lock:
            if self._stop is stop:
                self._state = Opening(progress)

    def _become(self, state: Ready | Failed, stop: threading.Event) -> None:
        """Take on a state, unless a newer `open` or `close` has made it stale."""
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
        """Have an engine ended, which takes a moment; to be called with the lock held."""
        self._leaving.append(engine)
        threading.Thread(target=self._let_go, args=(engine,), name="leaving", daemon=True).start()

    def _let_go(self, engine: Engine) -> None:
        """End an engine that nothing more is asked, after the reply that it may be writing."""
        while engine.alive and self._is_answering(engine):
            time.sleep(LAST_WORDS_SECONDS)
        engine.close()
        with self._lock:
            self._leaving = [each for each in self._leaving if each is not engine]
