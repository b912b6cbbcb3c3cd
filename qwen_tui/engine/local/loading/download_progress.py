"""How much of a download has come: counted from the library's own bars, and reported as one."""

import threading
from collections.abc import Callable
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped]

from qwen_tui.engine.base import LoadProgress


class DownloadStopped(KeyboardInterrupt):
    """A download was stopped. KeyboardInterrupt is the one that every way of downloading gives up for."""


class Received:
    """Counts the bytes of all files as they come, and the files that are whole, from several threads."""

    def __init__(
        self,
        name: str,
        total_bytes: int,
        files: int,
        report: Callable[[LoadProgress], None],
        is_stopped: Callable[[], bool],
    ) -> None:
        """`name`: the model's; `total_bytes` and `files`: what is to come."""
        self._name = name
        self._total = total_bytes
        self._files = files
        self._report = report
        self._is_stopped = is_stopped
        self._lock = threading.Lock()
        self._done = self._finished = 0
        self._tell()

    def add(self, count: int) -> None:
        """Count some more bytes; raises DownloadStopped out of the download."""
        if self._is_stopped():
            raise DownloadStopped
        with self._lock:
            self._done += count
            self._tell()

    def finish(self, files: int) -> None:
        """Count some more files that are whole."""
        with self._lock:
            self._finished += files
            self._tell()

    def _tell(self) -> None:
        # More than the total comes when a broken connection makes a part come twice.
        done, finished = min(self._done, self._total), min(self._finished, self._files)
        self._report(LoadProgress("downloading", self._name, done, self._total, finished, self._files))


def bars(received: Received) -> type[tqdm]:
    """The progress bar that `snapshot_download` makes three of: two of bytes, of which one counts, one of files."""

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            description = str(kwargs.get("desc", ""))
            self._counts = description.startswith("Reconstructing")
            self._is_of_files = description.startswith("Fetching")
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            if self._is_of_files:
                received.finish(int(n or 0))
            else:
                received.add(int(n or 0) if self._counts else 0)

    return Bar
