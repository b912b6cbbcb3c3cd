"""Messages that cross the pipe between the program and the engine worker.

A question travels as `(number, Question)`, an answer as `(number, Answer)`, pickled by
`multiprocessing.connection`. Numbers start at 1, grow, and are never reused. The type of an answer says whether
it is the last one: `is_last`.
"""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from qwen_tui.engine.base import (
    Event,
    Finished,
    LoadProgress,
    ModelInfo,
    ModelSpec,
    PromptMessage,
    Request,
    Thinking,
    TokenCounts,
)
from qwen_tui.engine.inspection import Lens, MemoryFacts, PromptTokens, Rounding
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.errors import QwenTuiError

MOST_BYTES = 64 << 20
"""Size limit of an answer; the receipt of a reply of a million tokens is 5 MB."""


@dataclass(frozen=True, slots=True)
class Load:
    """Load this model. Asked once in a worker's life."""

    spec: ModelSpec
    quantized: QuantizedCache | None = None
    """Cache of quantized weights; None disables it."""
    waits: bool = False
    """Answer `Located` once the model is on this machine, and wait for `GoOn` before using memory."""
    freed: ModelInfo | None = None
    """The previous model, which is freed if memory is too small for both."""
    used: tuple[str, ...] = ()
    """What `recent_models` has, latest first: without a model in `spec`, the first that can be loaded is."""


class GoOn:
    """Let a waiting load continue. Not answered."""


class Located(NamedTuple):
    """The folder of the model that is about to be loaded."""

    folder: Path


@dataclass(frozen=True, slots=True)
class Count:
    """Count the tokens of these messages; answered even while a reply is generated."""

    messages: tuple[PromptMessage, ...]
    thinking: Thinking
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Inspect:
    """Show a request's prompt token by token; answered even while a reply is generated."""

    request: Request
    template: bool


class Facts(NamedTuple):
    """Say what stands in memory; answered even while a reply is generated."""


class Round(NamedTuple):
    """Measure what rounding does to a matrix; answered even while a reply is generated."""

    matrix: str


@dataclass(frozen=True, slots=True)
class Prepare:
    """Read messages that are likely to begin the next prompt. Not answered; dropped for any other job."""

    messages: tuple[PromptMessage, ...]
    thinking: Thinking


@dataclass(frozen=True, slots=True)
class Layers:
    """Say what each layer would say after a request's prompt and the tokens given with it."""

    request: Request


@dataclass(frozen=True, slots=True)
class MeasurePlain:
    """Time transformers' own `generate` on a prompt of that many tokens."""

    prompt_tokens: int
    new_tokens: int


class PlainTiming(NamedTuple):
    """Timing of a `MeasurePlain`, in seconds."""

    first_token: float
    decode: float
    """From the first token to the last."""
    tokens: int


@dataclass(frozen=True, slots=True)
class MeasureMemory:
    """Measure the device's memory bandwidth, and compute the bytes read per token at these contexts."""

    contexts: tuple[int, ...]


class MemoryRates(NamedTuple):
    """Result of `MeasureMemory`: memory bandwidth and traffic per token."""

    bytes_a_second: float
    bytes_a_token: tuple[int, ...]
    """For each context: the weights that a decode step reads, plus the KV cache."""


class Ping(NamedTuple):
    """Check that the worker still reads its pipe; answered at once, whatever else it does."""


Job = Load | GoOn | Request | Layers | Prepare | MeasurePlain | MeasureMemory
"""Questions that the worker's main thread answers one at a time."""

Aside = Count | Inspect | Facts | Round
"""Questions that another thread answers, even while a reply is generated."""

Question = Job | Aside | Ping

Shown = TokenCounts | PromptTokens | MemoryFacts | Rounding | Lens
"""Answers to an `Aside` and to `Layers`."""

Measured = PlainTiming | MemoryRates

Answer = Event | LoadProgress | Located | ModelInfo | Shown | Measured | Ping | QwenTuiError


def is_last(answer: Answer) -> bool:
    """Whether this is the last answer to its question."""
    return isinstance(answer, ModelInfo | Shown | Measured | Ping | Finished | QwenTuiError)


def unpacked(frame: bytes) -> tuple[int, Answer]:
    """Return the question's number and the answer in a frame. Raises ValueError for anything else."""
    try:
        number, answer = pickle.loads(frame)
    except Exception as error:  # unpickling garbage raises anything
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if not isinstance(number, int) or not isinstance(answer, Answer):
        raise ValueError(f"{type(number).__name__}, {type(answer).__name__}")
    return number, answer
