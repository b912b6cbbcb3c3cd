"""How much main memory this process may still take: the machine's, and what its containers allow."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

PROC = Path("/proc")
CGROUPS = Path("/sys/fs/cgroup")


class Memory(NamedTuple):
    """In bytes."""

    total: int
    free: int


def main_memory(proc: Path = PROC, cgroups: Path = CGROUPS) -> Memory:
    """The least of what the machine has and of what each control group above this process allows.

    `MemAvailable` counts what the kernel would give back, caches for one (Linux, proc_meminfo). A group's limit
    is `memory.max` or in version 1 `memory.limit_in_bytes`; the file caches in its use are given back, too.
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
    """The control groups of this process, up to the root of what it can see of them."""
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
            with suppress(OSError, ValueError):  # it does not limit: there is no such file, or it says `max`
                yield _group(root.joinpath(*inside[:depth]), *names)


def _group(folder: Path, limit_file: str, use_file: str, cache_figure: str) -> Memory:
    """What one group allows; raises OSError or ValueError when it does not limit."""
    limit, use = (int((folder / name).read_text("ascii")) for name in (limit_file, use_file))
    return Memory(limit, limit - use + _figures(folder / "memory.stat").get(cache_figure, 0))


def _figures(file: Path) -> dict[str, int]:
    """The lines `name number` or `name: number kB` of a file."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, ValueError):
        return {}
    named = (line.replace(":", " ").split() for line in lines)
    return {words[0]: int(words[1]) for words in named if len(words) > 1 and words[1].isdigit()}
