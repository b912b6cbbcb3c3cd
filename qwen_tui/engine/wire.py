"""What crosses the pipe between the program and the engine worker.

A question travels as `(number, Question)`, an answer as `(number, Answer)`, pickled by
`multiprocessing.connection`. Numbers start at 1 and grow; each question has its own. Which answer is the last
one follows from its type: `is_last`.
"""

from dataclasses import dataclass

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
from qwen_tui.errors import QwenTuiError


@dataclass(frozen=True, slots=True)
class Load:
    """Load this model. Asked once in a worker's life."""

    spec: ModelSpec


@dataclass(frozen=True, slots=True)
class Count:
    """Count the tokens of these messages; answered while a reply is generated, too."""

    messages: tuple[PromptMessage, ...]
    thinking: bool | None


Question = Load | Count | Request

Answer = Event | LoadProgress | ModelInfo | TokenCounts | QwenTuiError


def is_last(answer: Answer) -> bool:
    """Whether nothing more follows to the same question."""
    return isinstance(answer, ModelInfo | TokenCounts | Finished | QwenTuiError)
