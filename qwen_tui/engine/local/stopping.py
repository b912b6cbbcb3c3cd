"""Abandon a reply in the middle of whatever the worker is doing for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

IsStopped = Callable[[], bool]

LOOK_SECONDS = 0.02
"""How often to check for a stop while waiting."""


class Stopped(Exception):
    """The user stopped the reply."""


class Ended(Stopped):
    """The reply is complete, for another reason than its end token."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        """As in `Run.stop_reason`."""


def never() -> bool:
    """Return False: for work that cannot be stopped."""
    return False


@contextmanager
def locked(lock: threading.Lock, is_stopped: IsStopped) -> Iterator[None]:
    """Hold the lock. Raises `Stopped` if a stop comes while waiting for it."""
    while not lock.acquire(timeout=LOOK_SECONDS):
        if is_stopped():
            raise Stopped
    try:
        yield
    finally:
        lock.release()
