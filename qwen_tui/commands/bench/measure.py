"""Measurements of `qwen-tui bench` through the engine: a long prompt, its reply, and the next turn."""

import statistics
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import Finished, PromptMessage, Request, Sampling, TextDelta
from qwen_tui.engine.client import LocalEngine
from qwen_tui.engine.wire import MeasureMemory, MeasurePlain, MemoryRates, PlainTiming
from qwen_tui.errors import QwenTuiError

CONTEXTS = (512, 8192, 24_000)
"""The prompt lengths, in tokens; those beyond the model's window are left out."""

NEW_TOKENS = 128
"""The length of the replies, in tokens."""

TURN_TOKENS = 50
"""The length of the next turn, in tokens."""

SPARE_TOKENS = 64
"""Tokens reserved for the chat template."""

_WORDS = "the model reads about rivers and cities and counts how many boats pass by in one year".split()  # noqa: SIM905


class Row(NamedTuple):
    """The results at one length, in seconds and tokens per second; medians of several runs."""

    context: int
    """The actual prompt length, in tokens."""
    first_cold: float
    """Time to the first token, when the whole prompt is read."""
    first_warm: float
    """Time to the first token of the next turn, with its history in the cache."""
    read_warm: int
    """How many tokens that turn had to read."""
    stop: float
    """Time from a stop during the reading of a cold prompt to the end of the reply; maximum of several runs."""
    decode: float
    plain_first: float
    plain_decode: float
    """Results of transformers' own `generate`."""
    floor: float
    """The decode speed that the memory bandwidth allows: bytes per second divided by bytes per token."""

    @property
    def prefill(self) -> float:
        """Prompt tokens per second."""
        return self.context / self.first_cold


def contexts_that_fit(wanted: Sequence[int], window: int) -> tuple[int, ...]:
    """Return the lengths that fit with a reply and a turn, plus the longest possible if only short ones do."""
    most = window - 2 * NEW_TOKENS - 2 * TURN_TOKENS - SPARE_TOKENS
    fitting = [each for each in wanted if each <= most]
    if len(fitting) < len(wanted) and most > 0 and (not fitting or most >= 2 * fitting[-1]):
        fitting.append(most // 100 * 100 or most)
    if not fitting:
        raise QwenTuiError("bench.window_too_small", window=window)
    return tuple(fitting)


def rows(
    engine: LocalEngine, contexts: Sequence[int], repeats: int, tell: Callable[[int], None]
) -> Iterator[Row]:
    """Measure at each length, calling `tell` with it first. Raises QwenTuiError."""
    rates = engine.measure(MeasureMemory(tuple(contexts)))
    assert isinstance(rates, MemoryRates)
    ask(engine, (PromptMessage(Role.USER, "Hello."),), reuse=False)  # pay one-time costs now
    for context, token_bytes in zip(contexts, rates.bytes_a_token, strict=True):
        tell(context)
        question = PromptMessage(Role.USER, text_of(engine, context))
        cold: list[Run] = []
        warm: list[Run] = []
        for number in range(repeats):
            run, text = ask(engine, (question,), reuse=False)
            reply = PromptMessage(Role.ASSISTANT, text, token_ids=run.token_ids)
            turn = PromptMessage(Role.USER, f"{number} {text_of(engine, TURN_TOKENS)}")
            cold.append(run)
            warm.append(ask(engine, (question, reply, turn), reuse=True)[0])
        first_cold = statistics.median(run.first_token_seconds for run in cold)
        stops = [stopped(engine, question, first_cold / 2) for _ in range(repeats)]
        plain = [_plain(engine, cold[0].prompt_tokens) for _ in range(min(repeats, 2))]
        yield Row(
            context=cold[0].prompt_tokens,
            first_cold=first_cold,
            first_warm=statistics.median(run.first_token_seconds for run in warm),
            read_warm=warm[-1].prompt_tokens - warm[-1].reused_tokens,
            stop=max(stops),
            decode=statistics.median(run.tokens_per_second for run in (*cold, *warm)),
            # The better of two: the first run at a length may include the library's setup.
            plain_first=min(each.first_token for each in plain),
            plain_decode=max((each.tokens - 1) / each.decode for each in plain),
            floor=rates.bytes_a_second / token_bytes,
        )


def ask(engine: LocalEngine, messages: tuple[PromptMessage, ...], *, reuse: bool) -> tuple[Run, str]:
    """Generate `NEW_TOKENS` tokens, ignoring the end of turn; return the receipt and the text."""
    text: list[str] = []
    run = Run(model="")
    for event in engine.stream(_request(messages, reuse=reuse), threading.Event()):
        if isinstance(event, TextDelta):
            text.append(event.text)
        elif isinstance(event, Finished):
            run = event.run
    return run, "".join(text)


def stopped(engine: LocalEngine, question: PromptMessage, after_seconds: float) -> float:
    """Return the seconds from a stop, this long after a cold request, to the end of the reply."""
    stop = threading.Event()
    stopped_at = 0.0

    def end() -> None:
        nonlocal stopped_at
        stopped_at = time.monotonic()
        stop.set()

    timer = threading.Timer(after_seconds, end)
    timer.start()
    for _ in engine.stream(_request((question,), reuse=False), stop):
        pass
    ended_at = time.monotonic()
    timer.join()
    return max(0.0, ended_at - stopped_at)


def _request(messages: tuple[PromptMessage, ...], *, reuse: bool) -> Request:
    sampling = Sampling(max_new_tokens=NEW_TOKENS, seed=0)
    return Request(messages=messages, sampling=sampling, reuse=reuse, ignores_end=True)


def text_of(engine: LocalEngine, tokens: int) -> str:
    """Return words that make a message of about this many tokens, including the template's."""

    def words(count: int) -> str:
        return " ".join(f"{_WORDS[n % len(_WORDS)]}{n if n % 7 == 0 else ''}" for n in range(count))

    def taken(count: int) -> int:
        return engine.count((PromptMessage(Role.USER, words(count)),)).total

    beyond = 2
    while taken(beyond) <= tokens:
        beyond *= 2
    return words(max(1, bisect_right(range(beyond), tokens, lo=beyond // 2, key=taken) - 1))


def _plain(engine: LocalEngine, prompt_tokens: int) -> PlainTiming:
    timing = engine.measure(MeasurePlain(prompt_tokens, NEW_TOKENS))
    assert isinstance(timing, PlainTiming)
    return timing
