"""The worker's end of the pipe, and the control thread that reads questions from it.

The thread ends the process as soon as the pipe closes: nobody is left to answer, and no orphan may keep the GPU.
Another thread counts tokens, even while a reply is generated.
"""

import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

from qwen_tui.engine import wire
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.stop_flag import StopPage
from qwen_tui.engine.wire import Answer, Aside, Count, Inspect, Ping, Shown
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)


class Job(NamedTuple):
    """A question for the main thread."""

    number: int
    question: wire.Job
    arrived: float
    """`time.monotonic()` when it was read from the pipe."""


class WorkerPipe:
    """The worker's end of the pipe."""

    def __init__(self, connection: Connection, page: StopPage) -> None:
        self._connection = connection
        self._page = page
        self._sending = threading.Lock()
        self.jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
        self.answer_aside: Callable[[Aside], Shown] = _not_ready
        """Answers what needs no GPU; set by the main thread once there is a model. May raise QwenTuiError."""
        self._asides: queue.SimpleQueue[tuple[int, Aside]] = queue.SimpleQueue()

    def send(self, number: int, answer: Answer) -> None:
        """Answer the question with this number."""
        with self._sending:
            self._connection.send((number, answer))

    def is_stopped(self, number: int) -> bool:
        """Whether the question with this number is to be abandoned."""
        return self._page.is_stopped(number)

    def answers_now(self, number: int) -> bool:
        """Whether the reply with this number is to end its thinking."""
        return self._page.answers_now(number)

    def listen(self) -> None:
        """Read questions until the pipe closes, then end the process whatever the other threads are doing."""
        threading.Thread(target=self._answer_asides, name="asides", daemon=True).start()
        try:
            while True:
                number, question = self._connection.recv()
                match question:
                    case Ping():
                        self.send(number, question)
                    case Count() | Inspect():
                        self._asides.put((number, question))
                    case _:
                        self.jobs.put(Job(number, question, time.monotonic()))
        except (EOFError, OSError):
            os._exit(0)
        except BaseException:
            log.exception("the pipe cannot be read")
            os._exit(1)

    def _answer_asides(self) -> None:
        while True:
            number, question = self._asides.get()
            answer: Answer
            try:
                answer = self.answer_aside(question)
            except QwenTuiError as error:
                answer = error
            except Exception as error:
                log.exception("answering %s failed", type(question).__name__)
                detail = one_line(f"{type(error).__name__}: {error}")
                answer = QwenTuiError("engine.unexpected", detail=detail)
            self.send(number, answer)


def _not_ready(_: Aside) -> Shown:
    raise QwenTuiError("engine.not_ready")
