"""A disk that takes its time, a network's for one."""

import os
import threading
from collections import Counter
from pathlib import Path


class Disk:
    """Syncs when it is let; tells who waited for it and which files were put in their places."""

    def __init__(self) -> None:
        self.is_quick = threading.Event()
        self.is_quick.set()
        self.waits = 0
        self.waited_for_on: set[str] = set()
        self.written: Counter[str] = Counter()
        self._replace = os.replace

    def stop(self) -> None:
        """Take its time from here on, which is counted anew."""
        self.waited_for_on.clear()
        self.written.clear()
        self.is_quick.clear()

    def sync(self, descriptor: int) -> None:
        self.waited_for_on.add(threading.current_thread().name)
        self.waits += 1
        assert self.is_quick.wait(30), "the disk was never let go"
        self.waits -= 1

    def replace(self, source, target, **kwargs) -> None:
        self._replace(source, target, **kwargs)
        self.written[Path(target).name] += 1
