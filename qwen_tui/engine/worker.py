"""Start, ask, stop and end the engine worker, from the program's side.

The worker is a separate process that imports torch, so that neither its imports nor its decode loop ever block
the screen, and so that it can be killed. It reads questions from a socket and exits when that closes: however
this process ends, no orphan keeps the GPU. Its output goes to the log file.
"""

import contextlib
import logging
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import NamedTuple

from qwen_tui.engine.models.hub_probe import hub_environment
from qwen_tui.engine.stop_flag import StopPage, new_page
from qwen_tui.engine.wire import MOST_BYTES, Answer, Load, Ping, Question, is_last, unpacked
from qwen_tui.engine.worker_log import keep_prints
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

END_SECONDS = 0.5
"""How long a worker that was asked to end may take before it is killed."""

PRINTS_SECONDS = 0.2
"""How long to wait for the worker's last output; one of its child processes may keep the pipe open."""

PING_SECONDS = 1.0
"""How often the worker is checked while an answer is pending."""

PING_NUMBER = 0
"""Number of a ping, whose answer nobody waits for."""


class Patience(NamedTuple):
    """How many seconds a worker may be silent before it counts as hung.

    A thread of the worker answers `Ping`, so neither a long prompt nor a slow disk makes it silent; imports and
    the start of a GPU driver can, for seconds.
    """

    loading: float = 60.0
    ready: float = 15.0


class Asked:
    """A question sent to the worker: its number, and the answers received so far."""

    def __init__(self, number: int, question: Question) -> None:
        self.number = number
        self.is_load = isinstance(question, Load)
        self.answered = False
        """Whether the last answer has arrived, even if nobody has fetched it."""
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def put(self, answer: Answer) -> None:
        """Add an answer; called by the thread that reads the pipe."""
        self.answered = self.answered or is_last(answer)
        self._answers.put(answer)

    def next(self, timeout_seconds: float | None = None) -> Answer | None:
        """Return the next answer, or None on timeout."""
        try:
            return self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            return None


class Worker:
    """A running worker process, made by `start_worker`."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        connection: Connection,
        page: StopPage,
        prints: threading.Thread,
        patience: Patience,
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._connection = connection
        self._page = page
        self._prints = prints
        self._patience = patience
        self._changed = threading.Condition()
        """Guards `_waiting`, `_ended` and the next number."""
        self._waiting: dict[int, Asked] = {}
        self._numbers: Iterator[int] = iter(range(1, sys.maxsize))
        self._ended: QwenTuiError | None = None
        self._over = threading.Event()
        """Set together with `_ended`."""
        self._heard = threading.Event()
        """Set by every message from the worker."""
        self._outgoing: queue.SimpleQueue[tuple[int, Question] | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="engine questions", daemon=True)
        self._writer.start()
        for target, name in ((self._read, "engine pipe"), (self._watch, "engine watch")):
            threading.Thread(target=target, name=name, daemon=True).start()

    @property
    def alive(self) -> bool:
        """Whether the worker can still be asked. Once False it stays False."""
        return self._ended is None

    def ask(self, question: Question) -> Asked:
        """Send a question; returns at once even if the worker is not reading.

        Raises the `QwenTuiError` that ended the worker if it has ended.
        """
        with self._changed:
            if self._ended is not None:
                # A copy: a raised error carries a traceback, and this one may be raised on several threads.
                raise QwenTuiError(self._ended.code, **self._ended.parameters)
            asked = Asked(next(self._numbers), question)
            self._waiting[asked.number] = asked
            self._outgoing.put((asked.number, question))
            self._changed.notify_all()
        return asked

    def stop(self, asked: Asked) -> None:
        """Ask the worker, through the stop flag it polls, to end this question and all before it."""
        self._page.stop(asked.number)

    def answer_now(self, asked: Asked) -> None:
        """Ask the worker to end the thinking of this reply."""
        self._page.answer_now(asked.number)

    def forget(self, asked: Asked) -> None:
        """Drop all further answers to this question."""
        with self._changed:
            self._waiting.pop(asked.number, None)

    def end_soon(self, seconds: float, reason: QwenTuiError) -> None:
        """Give the process that long to exit by itself, then `end` it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.end(reason)

    def end(self, reason: QwenTuiError | None = None) -> None:
        """End the process within a second; pending questions are answered with `reason`. Safe to call twice."""
        self._end_with(reason or QwenTuiError("engine.closed"))
        # SIGTERM keeps its default action in the worker, so the kernel ends it even inside a long torch call.
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        # Its last output is in the pipe by now.
        self._prints.join(PRINTS_SECONDS)

    def _write(self) -> None:
        """Send the questions, on a separate thread because a large one blocks while the worker hangs."""
        # If the pipe breaks, the reader sees its end as well and reports the cause.
        with contextlib.suppress(OSError):
            while (question := self._outgoing.get()) is not None:
                self._connection.send(question)

    def _read(self) -> None:
        """Read the pipe until it closes, and route each answer to its question."""
        try:
            while True:
                number, answer = unpacked(self._connection.recv_bytes(MOST_BYTES))
                self._heard.set()
                with self._changed:
                    asked = self._waiting.get(number)
                    if is_last(answer):
                        self._waiting.pop(number, None)
                if asked is not None:
                    asked.put(answer)
        except (EOFError, ConnectionError):
            self._end_with(self._death())
        except (ValueError, OSError):
            # The frame is no answer, or too large: the start of the next one cannot be found any more.
            log.exception("the engine's pipe contains something other than answers")
            self._process.kill()
            self._end_with(QwenTuiError("engine.garbled"))
        finally:
            self._outgoing.put(None)
            self._writer.join()
            self._connection.close()

    def _watch(self) -> None:
        """Ping the worker while an answer is pending; end it when it stays silent."""
        missed = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended)
                if self._ended:
                    return
                is_loading = any(asked.is_load for asked in self._waiting.values())
            if not missed:
                self._heard.clear()
                self._outgoing.put((PING_NUMBER, Ping()))
            # Count the waits, not the time: while this process is suspended, it cannot hear the worker.
            missed = 0 if self._heard.wait(PING_SECONDS) else missed + 1
            seconds = self._patience.loading if is_loading else self._patience.ready
            if missed * PING_SECONDS >= seconds:
                log.error("the engine has not answered for %s seconds", seconds)
                self.end(QwenTuiError("engine.hung", seconds=seconds))
            elif not missed:
                self._over.wait(PING_SECONDS)

    def _death(self) -> QwenTuiError:
        """Return why the pipe closed; waits for the exit code, which follows the end of the pipe."""
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return QwenTuiError("engine.worker_died", **_how(code))

    def _end_with(self, reason: QwenTuiError) -> None:
        with self._changed:
            self._ended = self._ended or reason
            self._over.set()
            left, self._waiting = list(self._waiting.values()), {}
            self._changed.notify_all()
        for asked in left:
            asked.put(self._ended)


def start_worker(log_file: Path, patience: Patience | None = None) -> Worker:
    """Spawn a worker process and return at once, while it imports torch. Raises QwenTuiError on failure."""
    ours, theirs = socket.socketpair()
    page = new_page()
    prints, keeping = keep_prints(log_file)
    try:
        process = subprocess.Popen(
            python("from qwen_tui.engine.local.main import main; main()", theirs.fileno(), page),
            stdin=subprocess.DEVNULL,
            stdout=prints,
            stderr=prints,
            pass_fds=(theirs.fileno(), page),
            env={
                **_DEFAULTS,
                **os.environ,
                **hub_environment(),
                "TOKENIZERS_PARALLELISM": "false",
                "PYTHONUNBUFFERED": "1",
            },
            # A session of its own: ctrl+c and a terminal hang-up are for the program, which ends the worker.
            start_new_session=True,
        )
        return Worker(process, Connection(ours.detach()), StopPage(page), keeping, patience or Patience())
    except OSError as error:
        raise QwenTuiError("engine.cannot_start", detail=str(error)) from error
    finally:
        ours.close()
        theirs.close()
        os.close(page)
        os.close(prints)


_DEFAULTS = {
    # CUDA's own order is fastest GPU first; by bus, the numbers match those of the driver's tools.
    "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
    # Otherwise the holes left by a growing KV cache cost a fifth of the context that fits (see `fit`).
    "PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:True",
}
"""Defaults that the user's environment may override."""


def python(code: str, *arguments: object) -> list[str]:
    """Return the command of a Python process that runs this code with the package importable.

    `-P` and an appended path, rather than `-m`: a file named torch.py in the working directory must not be
    imported in place of torch.
    """
    path = f"import sys; sys.path.append({str(Path(__file__).parents[2])!r}); "
    return [sys.executable, "-P", "-c", path + code, *map(str, arguments)]


def _how(code: int) -> dict[str, str | int]:
    """How a process with this exit code ended, as parameters of an error: a code and what fills its placeholder."""
    if code >= 0:
        return {"how": "engine.ended.code", "code": code}
    name = f"signal {-code}"
    with contextlib.suppress(ValueError):
        name = signal.Signals(-code).name
    return {"how": "engine.ended.signal", "signal": name}
