"""Walking a folder in which another process works."""

import os
from pathlib import Path


def files_below(*folders: Path, pattern: str = "*") -> list[Path]:
    """Every file below these folders that matches the pattern, sorted.

    `Path.rglob` raises FileNotFoundError when a folder goes while it is walked; here what goes is left out.
    """
    found = (Path(at) / name for folder in folders for at, _, names in os.walk(folder) for name in names)
    return sorted(file for file in found if file.match(pattern))
