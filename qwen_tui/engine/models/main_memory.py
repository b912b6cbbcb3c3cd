"""Measure the main memory that this process can still use, within the limits of its containers."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")


class Memory(NamedTuple):
    """Total and free memory in bytes."""

    total: int
    free: int


def main_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> Memory:
    """Return the minimum of the machine's memory and the limits of every control group above this process.

    `MemAvailable` includes what the kernel can reclaim, such as caches (Linux, proc_meminfo). A group's limit is
    `memory.max`, in version 1 `memory.limit_in_bytes`; file caches in its usage can be reclaimed, too.
    """
    rooms = [_machine(proc), *_groups(proc, cgroups)]
    return Memory(min(room.total for room in rooms), max(0, min(room.free for room in rooms)))


def _machine(proc: Path) -> Memory:
    figures = _figures(proc / "meminfo")
    if "MemTotal" not in figures:  # not Linux
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return Memory(total, total)
    total = figures["MemTotal"] * 1024
    return Memory(total, figures.get("MemAvailable", figures["MemTotal"]) * 1024)


def _groups(proc: Path, cgroups: Path) -> Iterator[Memory]:
    """Yield the control groups of this process, up to the visible root."""
    try:
        lines = (proc / "self" / "cgroup").read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0" and not controllers:
            root, names = cgroups, ("memory.max", "memory.current", "inactive_file")
        elif "memory" in controllers.split(","):
            root = cgroups / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
        else:
            continue
        inside = [part for part in path.split("/") if part and part != ".."]
        for depth in range(len(inside), -1, -1):
            with suppress(OSError, ValueError):  # no limit: the file is missing, or it says `max`
                yield _group(root.joinpath(*inside[:depth]), *names)


def _group(folder: Path, limit_file: str, use_file: str, cache_figure: str) -> Memory:
    """Return one group's limit. Raises OSError or ValueError if it has none."""
    limit, use = (int((folder / name).read_text("ascii")) for name in (limit_file, use_file))
    return Memory(limit, limit - use + _figures(folder / "memory.stat").get(cache_figure, 0))


def _figures(file: Path) -> dict[str, int]:
    """Parse a file with lines of the form `name number` or `name: number kB`."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    named = (line.replace(":", " ").split() for line in lines)
    return {words[0]: int(words[1]) for words in named if len(words) > 1 and words[1].isdigit()}
