"""How much work something is: its processor time, counted in a piece of work that is always the same.

Another machine, or one with more to do, takes longer for both.
"""

import time
from collections.abc import Callable


def _piece() -> int:
    return sum(len(str(number)) for number in range(200_000))


def seconds_of(what: Callable[[], object]) -> float:
    """The processor time that this takes."""
    began = time.process_time()
    what()
    return time.process_time() - began


def pieces(seconds: float) -> float:
    """So many seconds of processor time, in pieces of work."""
    return seconds / max(seconds_of(_piece), seconds_of(_piece))


def work_of(*steps: Callable[[], object]) -> float:
    """The processor time that the longest of these takes, in pieces of work: one takes some 15 ms here."""
    before = seconds_of(_piece)
    longest = max(map(seconds_of, steps))
    return longest / max(before, seconds_of(_piece))
