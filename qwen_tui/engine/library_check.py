"""Check whether the engine's libraries work on this machine, in a separate process with a time limit."""

from typing import NamedTuple

from qwen_tui.engine.short_process import NoAnswer, answer_of
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
        said = answer_of(
            "from qwen_tui.engine.local.try_libraries import main; main()", patience_seconds=patience_seconds
        )
        return {name: Part(bool(said[name]["ok"]), str(said[name]["said"])) for name in PARTS}
    except NoAnswer as failure:
        return dict.fromkeys(PARTS, Part(False, str(failure)))
    except (TypeError, KeyError):
        return dict.fromkeys(PARTS, Part(False, say("doctor.ended", code=0)))
