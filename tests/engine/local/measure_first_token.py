"""How long the first token takes after a short and a long history.

A turn of some 50 tokens, through an engine process: with what was read before it in the cache (warm), as a turn
meets it, and with everything to read (cold). Prints milliseconds, the median and the largest: with the guide, and
with a random model whose window holds long histories. Run as
`PYTHONPATH=.:tests/support python tests/engine/local/measure_first_token.py [REPEATS]`.
"""

import statistics
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import tiny_models

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import Engine, Finished, ModelSpec, PromptMessage, Request, Sampling
from qwen_tui.engine.opening import open_engine

TURN = (
    "Why are there several ways to turn a text into tokens, and which of them does a model need to know? " * 2
)


def run_of(engine: Engine, request: Request) -> Run:
    """The receipt of a reply."""
    *_, last = engine.stream(request, threading.Event())
    assert isinstance(last, Finished)
    return last.run


def history(engine: Engine, tokens: int) -> tuple[PromptMessage, ...]:
    """Turns with about so many tokens in all."""
    turn = (
        PromptMessage(Role.USER, "What is a token? " * 12),
        PromptMessage(Role.ASSISTANT, "A piece of text. " * 12),
    )
    each = sum(engine.count(turn).per_message)
    return turn * (tokens // each)


def cut_to(engine: Engine, text: str, tokens: int) -> str:
    """The first words of a text, of about so many tokens."""
    words = text.split()
    while (
        len(words) > 1 and engine.count((PromptMessage(Role.USER, " ".join(words)),)).per_message[0] > tokens
    ):
        words.pop()
    return " ".join(words)


def measure(
    engine: Engine, before: Sequence[PromptMessage], turn: str, repeats: int
) -> dict[str, list[float]]:
    """Milliseconds to the first token of different turns after the same history."""
    times: dict[str, list[float]] = {"warm": [], "cold": []}
    sampling = Sampling(greedy=True, max_new_tokens=2)
    tokens = 0
    for kind, is_warm in (("cold", False), ("warm", True)):
        for n in range(repeats + 1):
            messages = (*before, PromptMessage(Role.USER, f"{n} {turn}"))
            run = run_of(engine, replace(Request(messages=messages, sampling=sampling), reuse=is_warm))
            if n:  # the first one warms up, or is the one that reads the history
                times[kind].append(1000 * run.first_token_seconds)
                tokens = run.prompt_tokens - run.reused_tokens
    print(f"  read in the last warm turn: {tokens} tokens", flush=True)
    return times


def main() -> None:
    """Measure all of it."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    folder = Path(tempfile.mkdtemp())
    long = tiny_models.qwen2(folder / "long", window=32_768, num_hidden_layers=8, hidden_size=256)
    for name, model, lengths in (
        ("guide", "guide", (0, 500, 1000, 1700)),
        ("random", str(long), (0, 1000, 4000, 8000, 16_000, 24_000)),
    ):
        spec = ModelSpec(model=model, device="cpu")
        engine = open_engine(spec, folder / "log", lambda _: None, threading.Event())
        turn = cut_to(engine, TURN, 50)
        for length in lengths:
            few = repeats if length <= 4000 else max(1, repeats // 5)
            times = measure(engine, history(engine, length), turn, few)
            for kind, each in times.items():
                middle, most = statistics.median(each), max(each)
                print(
                    f"{name:8} history {length:6,} {kind}  n {len(each):3} {middle:9.1f} {most:9.1f}",
                    flush=True,
                )
        engine.close()


if __name__ == "__main__":
    main()
