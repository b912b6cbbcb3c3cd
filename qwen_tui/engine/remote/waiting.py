"""Trying again before a reply has begun: a few times, each later than the one before, as the server wishes."""

import random
import time

from qwen_tui.engine.base import StopFlag
from qwen_tui.engine.remote.calls import POLL_SECONDS, Dropped

PAUSES_SECONDS = (0.5, 1.0, 2.0, 4.0)
"""How long is waited before each further attempt."""

LONGEST_SECONDS = 30.0
"""If a server wants more than this the person is told instead."""


class Retries:
    """The further attempts of one request."""

    def __init__(self, stop: StopFlag) -> None:
        self._stop = stop
        self._left = list(PAUSES_SECONDS)

    def wait(self, retry_after: str = "") -> bool:
        """Wait for the next attempt; False when there is none. Raises `Dropped` when the flag is set.

        `retry_after` is the header of that name, in seconds; its form as a date is not heeded.
        """
        if not self._left:
            return False
        # Some more or less, so that many clients that were refused at once do not come back at once.
        pause = self._left.pop(0) * random.uniform(0.8, 1.2)
        if retry_after.isdecimal():
            pause = float(retry_after)
            if pause > LONGEST_SECONDS:
                return False
        end = time.monotonic() + pause
        while (left := end - time.monotonic()) > 0:
            if self._stop.is_set():
                raise Dropped
            time.sleep(min(POLL_SECONDS, left))
        return True
