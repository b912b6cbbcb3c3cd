"""How much of a download has come: counted from the library's own bars, and reported as one."""

import threading
from collections.abc import Callable
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped]

from qwen_tui.engine.base import LoadProgress


class DownloadStopped(KeyboardInterrupt):
    """A download was stopped. KeyboardInterrupt is the one that every way of downloading gives up for."""


def bars(
    begun: LoadProgress, report: Callable[[LoadProgress], None], is_stopped: Callable[[], bool]
) -> type[tqdm]:
    """The progress bar that `snapshot_download` makes three of: two of bytes, of which one counts, one of files.

    They are told as one, from `begun` on: `total` bytes and `files` are to come. From several threads.
    """
    lock = threading.Lock()
    done = files_done = 0
    report(begun)

    class Bar(tqdm):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._what = str(kwargs.get("desc", "")).partition(" ")[0]
            super().__init__(*args, **{**kwargs, "disable": True})

        def update(self, n: float | None = 1) -> None:
            nonlocal done, files_done
            if self._what != "Fetching" and is_stopped():
                raise DownloadStopped
            with lock:
                done += int(n or 0) if self._what == "Reconstructing" else 0
                files_done += int(n or 0) if self._what == "Fetching" else 0
                # More than the total comes when a broken connection makes a part come twice.
                now = min(done, begun.total), min(files_done, begun.files)
                report(begun._replace(done=now[0], files_done=now[1]))

    return Bar
