"""Show the progress of loading a model without the screen: one line per stage."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

from qwen_tui.engine.base import LoadProgress
from qwen_tui.wording.cell_width import cropped, displayed
from qwen_tui.wording.load_progress import Pace, amounts_in_words, stage_in_words

REDRAW_SECONDS = 0.5
"""How often a download's line is redrawn."""

UP = "\x1b[A\r\x1b[K"
"""Move to the previous line and clear it: the cursor always stays on an empty line for other output."""


class LoadLines:
    """Writes the progress to standard error, if that is a terminal."""

    def __init__(self, out: TextIO | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out or sys.stderr
        self._clock = clock
        self._pace = Pace(clock)
        self._told = ""
        self._drawn_at = 0.0

    def __call__(self, progress: LoadProgress) -> None:
        """Print the progress if it has changed enough."""
        if not self._out.isatty():
            return
        self._pace.note(progress)
        is_new = progress.stage != self._told
        is_due = progress.done == progress.total or self._clock() - self._drawn_at >= REDRAW_SECONDS
        redraws = progress.stage == "downloading" and os.environ.get("TERM", "dumb") != "dumb"
        if not is_new and not (redraws and is_due):
            return
        self._told, self._drawn_at = progress.stage, self._clock()
        line = f"{stage_in_words(progress)} {displayed(progress.name)}".rstrip()
        if progress.stage == "downloading":
            line = " · ".join([line, *amounts_in_words(progress, self._pace.bytes_per_second)])
        columns = shutil.get_terminal_size().columns
        print(f"{'' if is_new else UP}{cropped(line, columns - 1)}", file=self._out, flush=True)
