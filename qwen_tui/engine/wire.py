"""What crosses the pipe between the program and the engine worker.

A question travels as `(number, Question)`, an answer as `(number, Answer)`, pickled by
`multiprocessing.connection`. Numbers start at 1 and grow; each question has its own. Which answer is the last
one follows from its type: `is_last`.
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
    TokenCounts,
)
from qwen_tui.engine.models.quantized_cache import QuantizedCache
from qwen_tui.errors import QwenTuiError

MOST_BYTES = 64 << 20
"""The largest answer that is taken; the receipt of a reply of a million tokens has 5 MB."""


@dataclass(frozen=True, slots=True)
class Load:
    """Load this model. Asked once in a worker's life."""

    spec: ModelSpec
    quantized: QuantizedCache | None = None
    """Where quantized weights are kept; None keeps none."""
    waits: bool = False
    """Once the model is on this machine, say so and wait for a `GoOn` before anything takes room."""
    freed: ModelInfo | None = None
    """The model that goes then if there is no room for both."""


class GoOn:
    """The load that waits may go on; nothing is answered."""


class Located(NamedTuple):
    """The model that is to be loaded is in this folder."""

    folder: Path


@dataclass(frozen=True, slots=True)
class Count:
    """Count the tokens of these messages; answered while a reply is generated, too."""

    messages: tuple[PromptMessage, ...]
    thinking: bool | None
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Prepare:
    """Another message is likely to follow these: read them meanwhile. Not answered; given up for any other job."""

    messages: tuple[PromptMessage, ...]
    thinking: bool | None


@dataclass(frozen=True, slots=True)
class MeasurePlain:
    """Time transformers' own `generate` on a prompt of so many tokens."""

    prompt_tokens: int
    new_tokens: int


class PlainTiming(NamedTuple):
    """How long it took, in seconds."""

    first_token: float
    decode: float
    """From the first token to the last."""
    tokens: int


@dataclass(frozen=True, slots=True)
class MeasureMemory:
    """Measure how fast the model's device moves bytes, and tell how many a token takes at these contexts."""

    contexts: tuple[int, ...]


class MemoryRates(NamedTuple):
    """What the device's memory allows."""

    bytes_a_second: float
    bytes_a_token: tuple[int, ...]
    """For each of the contexts: the weights that a step reads, and the KV cache."""


class Ping(NamedTuple):
    """Whether the worker still reads its pipe; comes back at once, whatever else it does."""


Job = Load | GoOn | Request | Prepare | MeasurePlain | MeasureMemory
"""What the worker does one after the other."""

Question = Job | Count | Ping

Measured = PlainTiming | MemoryRates

Answer = Event | LoadProgress | Located | ModelInfo | TokenCounts | Measured | Ping | QwenTuiError


def is_last(answer: Answer) -> bool:
    """Whether nothing more follows to the same question."""
    return isinstance(answer, ModelInfo | TokenCounts | Measured | Ping | Finished | QwenTuiError)


def unpacked(frame: bytes) -> tuple[int, Answer]:
    """The answer in a frame, with its question's number; raises ValueError when there is something else in it."""
    try:
        number, answer = pickle.loads(frame)
    except Exception as error:  # unpickling garbage raises anything
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if not isinstance(number, int) or not isinstance(answer, Answer):
        raise ValueError(f"{type(number).__name__}, {type(answer).__name__}")
    return number, answer
