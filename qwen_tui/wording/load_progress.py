"""Describe the progress of loading a model: the stage, the amount, the rate and the time left."""

import time
from collections import deque
from collections.abc import Callable

from qwen_tui.engine.base import LoadProgress
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say
from qwen_tui.wording.units import in_bytes, in_time

PACE_SECONDS = 8.0
"""The time over which the download rate is measured."""

UNKNOWN = "–"

LEAST_SECONDS = 1.5
"""A rate over less time than this would fluctuate."""


class Pace:
    """The recent download rate."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of: tuple[str, str] | None = None
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, progress: LoadProgress) -> None:
        """Record a figure; another stage or model resets the rate."""
        now = self._clock()
        if self._of != (progress.stage, progress.name) or (self._seen and progress.done < self._seen[-1][1]):
            self._of = (progress.stage, progress.name)
            self._seen.clear()
        self._seen.append((now, progress.done))

    @property
    def bytes_per_second(self) -> float | None:
        """The rate up to now, even without new figures; None if unknown."""
        now = self._clock()
        while len(self._seen) > 1 and self._seen[1][0] <= now - PACE_SECONDS:
            self._seen.popleft()
        if not self._seen or now - self._seen[0][0] < LEAST_SECONDS:
            return None
        (start, first), (_, last) = self._seen[0], self._seen[-1]
        return (last - first) / (now - start)


def fallback_in_words(error: QwenTuiError, *, has_stayed: bool) -> str:
    """Describe why another model than the requested one is loaded, and which."""
    return say("screen.fallback.stayed" if has_stayed else "screen.fallback", error=error)


def stage_in_words(progress: LoadProgress) -> str:
    """Return the name of the stage."""
    return say(f"header.stage.{progress.stage}")


def amounts_in_words(progress: LoadProgress, rate: float | None) -> list[str]:
    """Return the amount done, the rate, the time left and the files, most important first."""
    if not progress.total:
        return [in_bytes(progress.done)] if progress.done else []
    parts = [say("header.amount", done=in_bytes(progress.done), total=in_bytes(progress.total))]
    if progress.stage == "downloading":
        parts.append(_rate_in_words(rate))
        if rate and progress.done < progress.total:
            parts.append(say("header.left", time=in_time((progress.total - progress.done) / rate)))
    if progress.files > 1:
        parts.append(say("header.files", done=progress.files_done, total=progress.files))
    return parts


def amounts_in_short(progress: LoadProgress, rate: float | None) -> str:
    """Return the bytes, the rate and the time left in as little space as possible."""
    done, total = in_bytes(progress.done), in_bytes(progress.total)
    if done.split()[-1] == total.split()[-1]:
        done = done.split()[0]
    parts = [say("header.amount.short", done=done, total=total)]
    if progress.stage == "downloading":
        parts.append(_rate_in_words(rate))
        if rate and progress.done < progress.total:
            parts.append(in_time((progress.total - progress.done) / rate))
    return " · ".join(parts)


def _rate_in_words(rate: float | None) -> str:
    return say("header.rate", size=UNKNOWN if rate is None else in_bytes(rate))
