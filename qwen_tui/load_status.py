"""How far the loading of a model has come, in words: what is happening, how much, how fast, how long still."""

import time
from collections import deque
from collections.abc import Callable

from qwen_tui.amounts import in_bytes, in_time
from qwen_tui.engine.base import LoadProgress
from qwen_tui.errors import QwenTuiError
from qwen_tui.strings import say

PACE_SECONDS = 10.0
"""Over how long a time the rate of a download is measured."""

LEAST_SECONDS = 1.5
"""A rate over less than this would jump about."""


class Pace:
    """How fast bytes have been coming lately."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._of: tuple[str, str] | None = None
        self._seen: deque[tuple[float, int]] = deque()

    def note(self, progress: LoadProgress) -> None:
        """Take in another figure; another stage or model begins anew."""
        now = self._clock()
        if self._of != (progress.stage, progress.name) or (self._seen and progress.done < self._seen[-1][1]):
            self._of = (progress.stage, progress.name)
            self._seen.clear()
        self._seen.append((now, progress.done))
        while self._seen[0][0] < now - PACE_SECONDS:
            self._seen.popleft()

    @property
    def bytes_per_second(self) -> float | None:
        """The rate, None while it is not known."""
        if not self._seen:
            return None
        (start, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - start) if end - start >= LEAST_SECONDS and last > first else None


def fallback_in_words(error: QwenTuiError, *, has_stayed: bool) -> str:
    """Why there is another model than the one that was wanted last, and which."""
    return say("screen.fallback.stayed" if has_stayed else "screen.fallback", error=error)


def stage_in_words(progress: LoadProgress) -> str:
    """What is happening."""
    return say(f"header.stage.{progress.stage}")


def amounts_in_words(progress: LoadProgress, rate: float | None) -> list[str]:
    """How much of it is done, how fast it goes and how long it still takes: as many of them as are known."""
    if not progress.total:
        return [in_bytes(progress.done)] if progress.done else []
    parts = [say("header.amount", done=in_bytes(progress.done), total=in_bytes(progress.total))]
    if rate and progress.stage == "downloading":
        parts.append(say("header.rate", size=in_bytes(rate)))
        parts.append(in_time((progress.total - progress.done) / rate))
    if progress.files > 1:
        parts.append(say("header.files", done=progress.files_done, total=progress.files))
    return parts
