"""How long it takes from the command to the screen, to what was typed on it, and to the guide's first word.

Prints seconds, the median and the largest, and for comparison what Python alone takes to import the libraries. A
question is typed as soon as there is a composer, so that it waits for the model. Run as
`PYTHONPATH=.:tests/support python tests/program/measure_startup.py [REPEATS]`.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pseudo_terminal import Terminal

QUESTION = "What is a token?"


def started() -> dict[str, float]:
    """Seconds from the command to each of the steps, once."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Terminal(120, 36, ["--model", "guide"], Path(folder)) as terminal,
    ):
        began = time.monotonic()
        times = {}
        terminal.until("Message…")
        times["the screen"] = time.monotonic() - began
        terminal.type(QUESTION)
        terminal.until(QUESTION)
        times["typed on it"] = time.monotonic() - began
        terminal.type("\r")
        terminal.until(lambda text: "to first token" in text)
        times["the whole reply"] = time.monotonic() - began
        first = next(part for part in terminal.text().split("·") if "to first token" in part)
        times["of it, to the first token"] = float(first.split()[0])
        terminal.type("\x11")  # ctrl+q
        terminal.wait()
    return times


def imported(names: str) -> float:
    """Seconds that a Python takes that imports these, and nothing else."""
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", f"import {names}"], check=True)
    return time.monotonic() - began


def main() -> None:
    """Measure all of it."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    started()  # what is on the disk is in memory from here on
    each = [started() for _ in range(repeats)]
    columns = {name: [times[name] for times in each] for name in each[0]}
    for names in ("textual.app", "torch, transformers, transformers.generation.utils"):
        columns[f"import {names}"] = [imported(names) for _ in range(repeats)]
    for name, values in columns.items():
        print(f"{name:58}{statistics.median(values):8.2f}{max(values):8.2f}")


if __name__ == "__main__":
    main()
