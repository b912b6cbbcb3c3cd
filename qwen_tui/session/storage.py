"""The thread that accesses files for the screen, so that the event loop never waits for a disk.

Calls run one after another in the order they were made, so a rename and the listing after it cannot overtake
each other. A disk may take seconds (a full one, an NFS home); await a call in a task of its own.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import Callable
from typing import TypeVar

log = logging.getLogger(__name__)

T = TypeVar("T")


class Storage:
    """Runs calls on a daemon thread: on exit the program waits for it at most as long as `close` says."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="storage", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[], T]) -> "asyncio.Future[T]":
        """Run `work` on the storage thread; the future gets its result or exception.

        Call this on an event loop. If the future was cancelled or its loop has closed, the result is dropped,
        but the work is still done.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if future.cancelled():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def call() -> None:
            result, error = None, None
            try:
                result = work()
            except Exception as raised:  # passed on to the awaiting caller
                error = raised
            try:
                loop.call_soon_threadsafe(settle, result, error)
            except RuntimeError:  # the loop is closed: the program is quitting
                if error is not None:
                    log.warning("failed while quitting: %s", error)

        self._calls.put(call)
        return future

    def close(self, timeout_seconds: float) -> None:
        """Finish the calls made so far, waiting at most this long."""
        self._calls.put(None)
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
