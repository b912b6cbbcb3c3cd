"""Whether the engine can run here: its libraries tried out in a process of their own, with a time limit."""

import contextlib
import json
import os
import subprocess
from typing import NamedTuple

from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.worker import python
from qwen_tui.strings import say

PATIENCE_SECONDS = 90.0
"""How long the libraries may take; from a cold disk torch alone takes half a minute."""

PARTS = ("torch", "transformers", "cuda", "bitsandbytes", "decoding")


class Part(NamedTuple):
    """What came of trying one part."""

    ok: bool
    said: str
    """What it found, or why it failed."""


def examine(patience_seconds: float = PATIENCE_SECONDS) -> dict[str, Part]:
    """Try torch, transformers, CUDA, bitsandbytes and the kernels. Always has every part; blocks for seconds."""
    try:
        done = subprocess.run(
            python("from qwen_tui.engine.local.try_libraries import main; main()"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=patience_seconds,
            env={"CUDA_DEVICE_ORDER": "PCI_BUS_ID", **os.environ, "TOKENIZERS_PARALLELISM": "false"},
            start_new_session=True,  # ctrl+c is for this process, which ends that one
        )
    except subprocess.TimeoutExpired:
        return dict.fromkeys(PARTS, Part(False, say("doctor.timeout", seconds=patience_seconds)))
    except OSError as error:
        return dict.fromkeys(PARTS, Part(False, one_line(error)))
    with contextlib.suppress(ValueError, TypeError, KeyError, IndexError):
        said = json.loads(done.stdout.strip().splitlines()[-1])
        return {name: Part(bool(said[name]["ok"]), str(said[name]["said"])) for name in PARTS}
    last = done.stderr.strip().splitlines()[-1:]
    why = one_line(last[0]) if last else say("doctor.ended", code=done.returncode)
    return dict.fromkeys(PARTS, Part(False, why))
