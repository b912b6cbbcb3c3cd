"""Count the processor cores that this process may use."""

import math
import os
from pathlib import Path


def usable_cores(quota_file: Path = Path("/sys/fs/cgroup/cpu.max")) -> int:
    """Return the number of cores in the process's affinity mask, limited by its container's quota.

    `cpu.max` contains `quota period` in microseconds, or `max period` (Linux, admin-guide/cgroup-v2).
    """
    has_affinity = hasattr(os, "sched_getaffinity")  # not on macOS
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    try:
        quota, period = quota_file.read_text("ascii").split()
        return min(cores, max(1, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):
        return cores
