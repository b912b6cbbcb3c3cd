"""Report the progress of a download, counted from the hub library's own progress bars."""

import threading
from collections.abc import Callable
from typing import Any

from tqdm import tqdm  # type: ignore[import-untyped]

from qwen_tui.engine.base import LoadProgress


class DownloadStopped(KeyboardInterrupt):
    """A download was stopped. A KeyboardInterrupt, because every download method gives up for that."""


def bars(
    begun: LoadProgress, report: Callable[[LoadProgress], None], is_stopped: Callable[[], bool]
) -> type[tqdm]:
    """Return the progress bar class for `snapshot_download`, which makes two bars of bytes and one of files.

    One bar of bytes and that of files are reported, from several threads, as one progress that starts at `begun`,
    with its totals.
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
                # A broken connection may transfer a part twice, exceeding the total.
                now = min(done, begun.total), min(files_done, begun.files)
                report(begun._replace(done=now[0], files_done=now[1]))

    return Bar
