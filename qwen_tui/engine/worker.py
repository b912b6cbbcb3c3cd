"""The engine worker as this process holds it: started, asked, stopped, and ended.

The worker is a process of its own that imports torch, so that neither its imports nor its decode loop ever hold
up the screen, and so that it can be killed. It reads questions from a socket and ends itself when that closes:
whatever way this process goes, no orphan keeps the GPU. What it prints goes to the log file.
"""

import contextlib
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
from typing import IO

from qwen_tui.engine.stop_flag import StopPage, new_page
from qwen_tui.engine.wire import Answer, Question, is_last
from qwen_tui.errors import QwenTuiError

END_SECONDS = 0.5
"""How long a worker that was asked to end may take before it is killed."""


class Asked:
    """A question that was put to the worker: its number, and the answers as they come in."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.answered = False
        """Whether the last answer is in, be it fetched or not."""
        self._answers: queue.SimpleQueue[Answer] = queue.SimpleQueue()

    def put(self, answer: Answer) -> None:
        """Hand in an answer; called by whoever reads the pipe."""
        self.answered = self.answered or is_last(answer)
        self._answers.put(answer)

    def next(self, timeout_seconds: float | None = None) -> Answer | None:
        """The next answer, or None when none came in time."""
        try:
            return self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            return None


class Worker:
    """A running worker process. `start_worker` makes one."""

    def __init__(self, process: subprocess.Popen[bytes], connection: Connection, page: StopPage) -> None:
        self._process = process
        self._connection = connection
        self._page = page
        self._lock = threading.Lock()
        """Held while `_waiting`, `_ended` or the next number are read and changed together."""
        self._sending = threading.Lock()
        self._waiting: dict[int, Asked] = {}
        self._numbers: Iterator[int] = iter(range(1, sys.maxsize))
        self._ended: QwenTuiError | None = None
        threading.Thread(target=self._read, name="engine pipe", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id, as the log and the tests name it."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still be asked. Once False it stays so."""
        return self._ended is None

    def ask(self, question: Question) -> Asked:
        """Put a question; raises the `QwenTuiError` that ended the worker when there is none any more."""
        with self._lock:
            if self._ended is not None:
                # A copy: what is raised carries a traceback, and this one may be raised on several threads.
                raise QwenTuiError(self._ended.code, **self._ended.parameters)
            asked = Asked(next(self._numbers))
            self._waiting[asked.number] = asked
        # When the pipe is broken, the reader sees its end as well and answers with what happened.
        with contextlib.suppress(OSError), self._sending:
            self._connection.send((asked.number, question))
        return asked

    def stop(self, asked: Asked) -> None:
        """Raise the stop flag for this question and all before it; the worker polls it."""
        self._page.stop(asked.number)

    def forget(self, asked: Asked) -> None:
        """Nobody waits for this question's answers any more: drop what still comes."""
        with self._lock:
            self._waiting.pop(asked.number, None)

    def end_soon(self, seconds: float, reason: QwenTuiError) -> None:
        """Let the process end by itself for that long, then `end` it."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        self.end(reason)

    def end(self, reason: QwenTuiError | None = None) -> None:
        """End the process, within a second; whoever waits for an answer gets `reason`. Safe to call twice."""
        self._end_with(reason or QwenTuiError("engine.closed"))
        # SIGTERM keeps its default action in the worker, so the kernel ends it even inside a long torch call.
        self._process.terminate()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _read(self) -> None:
        """Read the pipe until it closes, and route each answer to whoever asked."""
        try:
            while True:
                number, answer = self._connection.recv()
                with self._lock:
                    asked = self._waiting.get(number)
                    if is_last(answer):
                        self._waiting.pop(number, None)
                if asked is not None:
                    asked.put(answer)
        except Exception:
            # EOFError and OSError when the worker is gone; anything else is an answer that cannot be unpickled,
            # after which the pipe cannot be trusted.
            self._end_with(self._death())
        finally:
            self._connection.close()

    def _death(self) -> QwenTuiError:
        """Why the pipe closed: waits for the exit code, which comes a moment after the end of the pipe."""
        try:
            code = self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        return QwenTuiError("engine.worker_died", how=_in_words(code))

    def _end_with(self, reason: QwenTuiError) -> None:
        with self._lock:
            self._ended = self._ended or reason
            left, self._waiting = list(self._waiting.values()), {}
        for asked in left:
            asked.put(self._ended)


def start_worker(log_file: Path) -> Worker:
    """Spawn a worker process; returns at once, while it imports torch. Raises QwenTuiError when it cannot."""
    ours, theirs = socket.socketpair()
    page = new_page()
    log = _open_log(log_file)
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno()), str(page)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(theirs.fileno(), page),
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1"},
            # A session of its own: ctrl+c and the terminal's hang-up are for the program, which ends the worker.
            start_new_session=True,
        )
        return Worker(process, Connection(ours.detach()), StopPage(page))
    except OSError as error:
        raise QwenTuiError("engine.cannot_start", detail=str(error)) from error
    finally:
        ours.close()
        theirs.close()
        os.close(page)
        log.close()


_PROGRAM = f"""\
import sys; sys.path.append({str(Path(__file__).parents[2])!r})
from qwen_tui.engine.local.main import main; main()"""
# `-P` and a path that is appended, rather than `-m`: a file called torch.py in the folder where the program was
# started must not be imported in torch's place.


def _open_log(log_file: Path) -> IO[bytes]:
    """The log file for appending, readable by its owner alone; nowhere when it cannot be opened."""
    try:
        log_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.fdopen(os.open(log_file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab")
    except OSError:
        return open(os.devnull, "wb")


def _in_words(code: int) -> str:
    """An exit code as the middle of a sentence."""
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"
