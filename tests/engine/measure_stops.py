"""How long a stop takes, from setting the flag to `Finished`: `python tests/engine/measure_stops.py [REPEATS]`.

At random moments of reading the prompt, of decoding and of loading, with the guide and with a random model whose
window holds long prompts. Prints milliseconds: the median, 95 of 100, the largest.
"""

import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import tiny_models

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import (
    Engine,
    Finished,
    ModelSpec,
    PromptMessage,
    PromptReady,
    Request,
    Sampling,
    TextDelta,
)
from qwen_tui.engine.opening import open_engine
from qwen_tui.errors import QwenTuiError


def line(name: str, times: list[float]) -> None:
    """One line of the table."""
    times.sort()
    middle, most = statistics.median(times), times[-1]
    print(
        f"{name:40} n {len(times):3}  {middle:7.1f} {times[int(0.95 * (len(times) - 1))]:7.1f} {most:7.1f}",
        flush=True,
    )


def stopped(engine: Engine, request: Request, kind: type, within_seconds: float) -> float | None:
    """Milliseconds from a stop at a random moment after the first such event; None when it came too late."""
    stop = threading.Event()
    set_at: list[float] = []

    def set_it() -> None:
        set_at.append(time.monotonic())
        stop.set()

    timer = None
    for event in engine.stream(request, stop):
        if timer is None and isinstance(event, kind):
            timer = threading.Timer(random.uniform(0, within_seconds), set_it)
            timer.start()
        if isinstance(event, Finished):
            now = time.monotonic()
            if timer is not None:
                timer.cancel()
            return 1000 * (now - set_at[0]) if set_at and event.run.stop_reason == "stopped" else None
    return None


def measure(name: str, engine: Engine, text: str, repeats: int) -> None:
    """Stops in the prompt and in the decoding of one request."""
    sampling = Sampling(max_new_tokens=100_000, temperature=5.0, top_k=0)
    request = Request(messages=(PromptMessage(Role.USER, text),), sampling=sampling, reuse=False)
    tokens = engine.count(request.messages).total
    began = time.monotonic()
    stop = threading.Event()
    for event in engine.stream(request, stop):
        if isinstance(event, TextDelta):
            stop.set()
    seconds = time.monotonic() - began
    places = [("prompt", PromptReady, seconds)]
    if seconds < 5:  # else it would read the prompt for most of the time
        places.append(("decoding", TextDelta, 0.5))
    for place, kind, within in places:
        times = [t for _ in range(repeats) if (t := stopped(engine, request, kind, within)) is not None]
        if times:
            line(f"{name}, {tokens:,} tokens ({seconds:.1f} s), {place}", times)


def main() -> None:
    """Measure all of it."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    folder = Path(tempfile.mkdtemp())
    log_file = folder / "log"
    long = tiny_models.qwen2(folder / "long", window=32_768, num_hidden_layers=8, hidden_size=128)
    for name, model, texts in (
        ("guide", "guide", ("What is a token?", "What is a token? " * 350)),
        ("random", str(long), ("a" * 50, "a" * 8_000, "a" * 24_000)),
    ):
        engine = open_engine(
            ModelSpec(model=model, device="cpu"), log_file, lambda _: None, threading.Event()
        )
        for text in texts:
            measure(name, engine, text, repeats)
        engine.close()
    times = []
    for _ in range(repeats):
        stop, set_at = threading.Event(), [0.0]

        def set_it(stop: threading.Event = stop, set_at: list[float] = set_at) -> None:
            set_at[0] = time.monotonic()
            stop.set()

        threading.Timer(random.uniform(0, 4), set_it).start()
        try:
            open_engine(ModelSpec(model=str(long), device="cpu"), log_file, lambda _: None, stop).close()
        except QwenTuiError:
            times.append(1000 * (time.monotonic() - set_at[0]))
    line("loading", times)


if __name__ == "__main__":
    main()
