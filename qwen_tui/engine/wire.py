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
from qwen_tui.engine.quantized_cache import QuantizedCache
from qwen_tui.errors import QwenTuiError

MOST_BYTES = 64 << 20
"""The largest answer that is taken; the receipt of a reply of a million tokens has 5 MB."""


@dataclass(frozen=True, slots=True)
class Load:
    """Load this model. Asked once in a worker's life."""

    spec: ModelSpec
    cache: QuantizedCache | None = None
    """Where quantized weights are kept; None keeps none."""
    waits: bool = False
    """Once the model is on this machine, say so and wait for a `GoOn` before anything takes room."""


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


class Ping(NamedTuple):
    """Whether the worker still reads its pipe; answered at once, whatever else it does."""


class Pong(NamedTuple):
    """It does."""


Question = Load | GoOn | Count | Request | Prepare | Ping

Answer = Event | LoadProgress | Located | ModelInfo | TokenCounts | Pong | QwenTuiError


def is_last(answer: Answer) -> bool:
    """Whether nothing more follows to the same question."""
    return isinstance(answer, ModelInfo | TokenCounts | Pong | Finished | QwenTuiError)


def unpacked(frame: bytes) -> tuple[int, Answer]:
    """The answer in a frame, with its question's number; raises ValueError when there is something else in it."""
    try:
        number, answer = pickle.loads(frame)
    except Exception as error:  # unpickling garbage raises anything
        raise ValueError(f"{type(error).__name__}: {error}") from error
    if not isinstance(number, int) or not isinstance(answer, Answer):
        raise ValueError(f"{type(number).__name__}, {type(answer).__name__}")
    return number, answer
