"""Waiting for a condition instead of sleeping."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

HANGS = 60.0
"""Seconds: what takes longer has hung, however busy the machine is. How fast things are is for the measurements."""


def wait_for(condition: Callable[[], T], seconds: float = HANGS) -> T:
    """The first true value of `condition`; AssertionError when none comes in time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < end, f"still not: {condition}"
        time.sleep(0.005)
    return value
