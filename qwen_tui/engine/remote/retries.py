"""Retry a request before its reply has begun: a few times, with growing pauses or the server's own."""

import random
import time

from qwen_tui.engine.base import StopFlag, TriesAgain
from qwen_tui.engine.remote.http_calls import POLL_SECONDS, Dropped

PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""Pause before each retry."""

LONGEST_SECONDS = 30.0
"""If a server asks for a longer pause, the request fails instead."""


class Retries:
    """The retries of one request."""

    def __init__(self, host: str, stop: StopFlag) -> None:
        self._host = host
        self._stop = stop
        self._done = 0

    def next(self, status: int = 0, retry_after: str = "") -> TriesAgain | None:
        """Return the next attempt, to be passed to `wait`, or None if there is none left.

        `status` is that of the refusal, if any, and `retry_after` its Retry-After header in seconds; the date
        form of the header is ignored.
        """
        if self._done == len(PAUSES_SECONDS):
            return None
        # Jitter, so that many clients refused at the same time do not all return at the same time.
        pause = PAUSES_SECONDS[self._done] * random.uniform(0.8, 1.2)
        if retry_after.isdecimal():
            pause = float(retry_after)
            if pause > LONGEST_SECONDS:
                return None
        self._done += 1
        return TriesAgain(self._host, pause, self._done + 1, len(PAUSES_SECONDS) + 1, status)

    def wait(self, attempt: TriesAgain) -> None:
        """Wait until the attempt is due. Raises `Dropped` if the stop flag is set."""
        end = time.monotonic() + attempt.seconds
        while (left := end - time.monotonic()) > 0:
            if self._stop.is_set():
                raise Dropped
            time.sleep(min(POLL_SECONDS, left))
