"""The local engine: the `Engine` contract on top of a worker process."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TypeVar

from qwen_tui.engine.base import (
    Event,
    Finished,
    ModelInfo,
    PromptMessage,
    Request,
    StopFlag,
    Thinking,
    TokenCounts,
)
from qwen_tui.engine.inspection import Lens, MemoryFacts, PromptTokens, Rounding
from qwen_tui.engine.wire import (
    Aside,
    Count,
    Facts,
    Inspect,
    Layers,
    Measured,
    MeasureMemory,
    MeasurePlain,
    Prepare,
    Round,
)
from qwen_tui.engine.worker import Asked, Worker
from qwen_tui.errors import QwenTuiError

T = TypeVar("T")

RELAY_SECONDS = 0.01
"""How often a stop flag is polled while a reply is generated: the delay before the worker sees a stop."""

STOP_SECONDS = 5.0
"""How long a stopped reply may take to end before its worker is killed."""


class LocalEngine:
    """A model in a worker process, made by `engine.opening`. Once it is not `alive` it stays so."""

    reads_ahead = True

    def __init__(self, worker: Worker, info: ModelInfo, stop_seconds: float = STOP_SECONDS) -> None:
        self.info = info
        self.pid = worker.pid
        self._worker = worker
        self._stop_seconds = stop_seconds
        self._ahead: Asked | None = None
        """The latest `Prepare` question."""
        self._replying: Asked | None = None
        """The running reply."""

    @property
    def alive(self) -> bool:
        """Whether the worker still runs. If not, open another engine with the same spec."""
        return self._worker.alive

    def count(
        self,
        messages: Sequence[PromptMessage],
        thinking: Thinking = None,
        *,
        continues: bool = False,
        stop: StopFlag | None = None,
    ) -> TokenCounts:
        """Count the tokens of a prompt; see `Engine.count`."""
        if not messages:
            return TokenCounts(0, ())
        return self._shown(Count(tuple(messages), thinking, continues), TokenCounts, stop)

    def inspect(
        self, request: Request, *, template: bool = True, stop: StopFlag | None = None
    ) -> PromptTokens:
        """Return the tokens of a prompt; see `Inspects.inspect`."""
        return self._shown(Inspect(request, template), PromptTokens, stop)

    def memory(self) -> MemoryFacts:
        """Return what stands in the memory of the device; see `Inspects.memory`."""
        return self._shown(Facts(), MemoryFacts, None)

    def rounding(self, matrix: str) -> Rounding:
        """Return what rounding does to a matrix; see `Inspects.rounding`."""
        return self._shown(Round(matrix), Rounding, None)

    def lens(self, request: Request) -> Lens:
        """Return what each layer would say; see `Inspects.lens`."""
        return self._shown(Layers(request), Lens, None)

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Generate one reply; see `Engine.stream`. Closing the iterator early stops the reply too."""
        asked = self._replying = self._worker.ask(request)
        over = threading.Event()
        threading.Thread(
            target=self._relay, args=(asked, stop, over), name="engine stop relay", daemon=True
        ).start()
        try:
            while True:
                answer = asked.next()
                if isinstance(answer, QwenTuiError):
                    raise answer
                yield answer  # type: ignore[misc]  # a Request is only answered with events and errors
                if isinstance(answer, Finished):
                    return
        finally:
            self._replying = None
            over.set()
            self._worker.stop(asked)
            self._worker.forget(asked)

    def answer_now(self) -> bool:
        """End the thinking of the running reply; see `Engine.answer_now`."""
        asked = self._replying  # read once: the reply may end at any moment
        if asked is not None:
            self._worker.answer_now(asked)
        return True

    def prepare(self, messages: Sequence[PromptMessage], thinking: Thinking = None) -> None:
        """Read messages ahead; see `Engine.prepare`."""
        before, self._ahead = self._ahead, None
        with suppress(QwenTuiError):  # a dead worker is reported by the next call that needs it
            if before is not None:
                self._worker.stop(before)
            if messages:
                self._ahead = self._worker.ask(Prepare(tuple(messages), thinking))
                self._worker.forget(self._ahead)

    def measure(self, question: MeasurePlain | MeasureMemory) -> Measured:
        """Run a measurement to compare replies with. Raises QwenTuiError."""
        asked = self._worker.ask(question)
        answer = asked.next()
        if isinstance(answer, Measured):
            return answer
        raise answer if isinstance(answer, QwenTuiError) else QwenTuiError("engine.no_answer")

    def close(self) -> None:
        """End the worker within a second, which frees the model. Safe to call twice."""
        self._worker.end()

    def _shown(self, question: Aside | Layers, kind: type[T], stop: StopFlag | None) -> T:
        asked = self._worker.ask(question)
        try:
            # No timeout: a dead or hung worker is detected elsewhere and answered with an error.
            while (answer := asked.next(RELAY_SECONDS)) is None:
                if stop is not None and stop.is_set():
                    raise QwenTuiError("engine.stopped_early")
        finally:
            self._worker.forget(asked)
        if isinstance(answer, kind):
            return answer
        raise answer if isinstance(answer, QwenTuiError) else QwenTuiError("engine.no_answer")

    def _relay(self, asked: Asked, stop: StopFlag, over: threading.Event) -> None:
        """Pass the caller's stop flag on to the worker until the reply is over; kill a worker that ignores it.

        Runs on its own thread, since the consumer of the stream may be busy saving when the flag is set.
        """
        while not stop.is_set():
            if over.wait(RELAY_SECONDS):
                return
        self._worker.stop(asked)
        if not over.wait(self._stop_seconds) and not asked.answered:
            self._worker.end(QwenTuiError("engine.did_not_stop", seconds=self._stop_seconds))
