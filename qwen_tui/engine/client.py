"""The local engine as the program uses it: `Engine` by way of a worker process."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress

from qwen_tui.engine.base import Event, Finished, ModelInfo, PromptMessage, Request, StopFlag, TokenCounts
from qwen_tui.engine.wire import Count, Measured, MeasureMemory, MeasurePlain, Prepare
from qwen_tui.engine.worker import Asked, Worker
from qwen_tui.errors import QwenTuiError

RELAY_SECONDS = 0.01
"""How often a stop flag is looked at while a reply is generated: what a stop waits before the worker sees it."""

STOP_SECONDS = 5.0
"""How long a stopped reply may take to end before its worker is killed."""


class LocalEngine:
    """A model in a worker process. `engine.opening` makes one; once it is not `alive` it stays so."""

    reads_ahead = True

    def __init__(self, worker: Worker, info: ModelInfo, stop_seconds: float = STOP_SECONDS) -> None:
        self.info = info
        self.pid = worker.pid
        self._worker = worker
        self._stop_seconds = stop_seconds
        self._ahead: Asked | None = None
        """What was asked to be read ahead last."""

    @property
    def alive(self) -> bool:
        """Whether the worker is there. When it is not, open another engine with the same spec."""
        return self._worker.alive

    def count(
        self,
        messages: Sequence[PromptMessage],
        thinking: bool | None = None,
        *,
        continues: bool = False,
        stop: StopFlag | None = None,
    ) -> TokenCounts:
        """Count the tokens of a prompt; see `Engine.count`."""
        if not messages:
            return TokenCounts(0, ())
        asked = self._worker.ask(Count(tuple(messages), thinking, continues))
        try:
            # For as long as it takes: a worker that is gone or hung is found out by others, and answered for.
            while (answer := asked.next(RELAY_SECONDS)) is None:
                if stop is not None and stop.is_set():
                    raise QwenTuiError("engine.stopped_early")
        finally:
            self._worker.forget(asked)
        if isinstance(answer, TokenCounts):
            return answer
        raise answer if isinstance(answer, QwenTuiError) else QwenTuiError("engine.no_answer")

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Generate one reply; see `Engine.stream`. Closing the iterator early stops the reply too."""
        asked = self._worker.ask(request)
        over = threading.Event()
        threading.Thread(
            target=self._relay, args=(asked, stop, over), name="engine stop relay", daemon=True
        ).start()
        try:
            while True:
                answer = asked.next()
                if isinstance(answer, QwenTuiError):
                    raise answer
                yield answer  # type: ignore[misc]  # to a Request only events and errors are answered
                if isinstance(answer, Finished):
                    return
        finally:
            over.set()
            self._worker.stop(asked)
            self._worker.forget(asked)

    def prepare(self, messages: Sequence[PromptMessage], thinking: bool | None = None) -> None:
        """Read ahead; see `Engine.prepare`."""
        before, self._ahead = self._ahead, None
        with suppress(QwenTuiError):  # a worker that is gone is told of when it is asked for something
            if before is not None:
                self._worker.stop(before)
            if messages:
                self._ahead = self._worker.ask(Prepare(tuple(messages), thinking))
                self._worker.forget(self._ahead)

    def measure(self, question: MeasurePlain | MeasureMemory) -> Measured:
        """Have something measured that replies are held against; raises QwenTuiError."""
        asked = self._worker.ask(question)
        answer = asked.next()
        if isinstance(answer, Measured):
            return answer
        raise answer if isinstance(answer, QwenTuiError) else QwenTuiError("engine.no_answer")

    def close(self) -> None:
        """End the worker and free the model, within a second. Safe to call twice."""
        self._worker.end()

    def _relay(self, asked: Asked, stop: StopFlag, over: threading.Event) -> None:
        """Carry the caller's stop flag to the worker until the reply is over; kill a worker that ignores it.

        A thread of its own, since the one that consumes the stream may be busy saving when the flag is set.
        """
        while not stop.is_set():
            if over.wait(RELAY_SECONDS):
                return
        self._worker.stop(asked)
        if not over.wait(self._stop_seconds) and not asked.answered:
            self._worker.end(QwenTuiError("engine.did_not_stop", seconds=self._stop_seconds))
