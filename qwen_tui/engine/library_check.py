"""Check whether the engine's libraries work on this machine, in a separate process with a time limit."""

import contextlib
import json
import os
import subprocess
from typing import NamedTuple

from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.worker import python
from qwen_tui.strings import say

PATIENCE_SECONDS = 90.0
"""Time limit for all checks; torch alone takes half a minute from a cold disk."""

PARTS = ("torch", "transformers", "cuda", "bitsandbytes", "decoding")


class Part(NamedTuple):
    """Result of checking one part."""

    ok: bool
    said: str
    """What was found, or why the check failed."""


def examine(patience_seconds: float = PATIENCE_SECONDS) -> dict[str, Part]:
    """Check torch, transformers, CUDA, bitsandbytes and the kernels. Returns every part; blocks for seconds."""
    try:
        done = subprocess.run(
            python("from qwen_tui.engine.local.try_libraries import main; main()"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=patience_seconds,
            env={"CUDA_DEVICE_ORDER": "PCI_BUS_ID", **os.environ, "TOKENIZERS_PARALLELISM": "false"},
            start_new_session=True,  # ctrl+c is meant for this process, which ends the other one
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
