"""Giving up a reply in the middle of whatever the worker is doing for it."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

IsStopped = Callable[[], bool]

LOOK_SECONDS = 0.02
"""How often a stop is looked for while something is waited for."""


class Stopped(Exception):
    """The person stopped the reply."""


def never() -> bool:
    """For what nobody can stop."""
    return False


@contextmanager
def locked(lock: threading.Lock, is_stopped: IsStopped) -> Iterator[None]:
    """Within this, the lock is held; raises `Stopped` when a stop comes while it is waited for."""
    while not lock.acquire(timeout=LOOK_SECONDS):
        if is_stopped():
            raise Stopped
    try:
        yield
    finally:
        lock.release()
