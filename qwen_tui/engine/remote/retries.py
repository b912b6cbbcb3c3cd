"""Trying again before a reply has begun: a few times, each later than the one before, as the server wishes."""

import random
import time

from qwen_tui.engine.base import StopFlag, TriesAgain
from qwen_tui.engine.remote.http_calls import POLL_SECONDS, Dropped

PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""How long is waited before each further attempt."""

LONGEST_SECONDS = 30.0
"""If a server wants more than this the person is told instead."""


class Retries:
    """The further attempts of one request."""

    def __init__(self, host: str, stop: StopFlag) -> None:
        self._host = host
        self._stop = stop
        self._done = 0

    def next(self, status: int = 0, retry_after: str = "") -> TriesAgain | None:
        """The next attempt, for which to `wait`; None when there is none.

        `status` is that of the refusal, if there was one, and `retry_after` its header of that name, in seconds;
        its form as a date is not heeded.
        """
        if self._done == len(PAUSES_SECONDS):
            return None
        # Some more or less, so that many clients that were refused at once do not come back at once.
        pause = PAUSES_SECONDS[self._done] * random.uniform(0.8, 1.2)
        if retry_after.isdecimal():
            pause = float(retry_after)
            if pause > LONGEST_SECONDS:
                return None
        self._done += 1
        return TriesAgain(self._host, pause, self._done + 1, len(PAUSES_SECONDS) + 1, status)

    def wait(self, attempt: TriesAgain) -> None:
        """Wait until it is time for this attempt; raises `Dropped` when the flag is set."""
        end = time.monotonic() + attempt.seconds
        while (left := end - time.monotonic()) > 0:
            if self._stop.is_set():
                raise Dropped
            time.sleep(min(POLL_SECONDS, left))
