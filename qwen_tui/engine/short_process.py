"""Run code that imports heavy libraries in a process of its own, and read the line of JSON that it prints."""

import json
import os
import subprocess
from typing import Any

from qwen_tui.engine.models.hub_probe import hub_environment
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.worker import python
from qwen_tui.strings import say


class NoAnswer(Exception):
    """The process ended without an answer; the message says why."""


def answer_of(code: str, *arguments: object, patience_seconds: float) -> Any:
    """Return what the last line of output says, as JSON; blocks for seconds. Raises `NoAnswer`."""
    try:
        done = subprocess.run(
            python(code, *arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=patience_seconds,
            env={
                "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
                **os.environ,
                **hub_environment(),
                "TOKENIZERS_PARALLELISM": "false",
            },
            start_new_session=True,  # ctrl+c is meant for this process, which ends the other one
        )
    except subprocess.TimeoutExpired:
        raise NoAnswer(say("doctor.timeout", seconds=patience_seconds)) from None
    except OSError as error:
        raise NoAnswer(one_line(error)) from error
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        last = done.stderr.strip().splitlines()[-1:]
        why = one_line(last[0]) if last else say("doctor.ended", code=done.returncode)
        raise NoAnswer(why) from None
