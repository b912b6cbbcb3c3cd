"""Turn the pieces of a server's reply into events and, at its end, a receipt."""

import re
import time
from collections.abc import Iterator, Sequence

from qwen_tui.chat.messages import Run
from qwen_tui.engine.base import (
    ON_SERVER,
    Event,
    Finished,
    ModelInfo,
    PromptReady,
    Request,
    TextDelta,
    ThinkingDelta,
)
from qwen_tui.engine.remote.completion_chunk import CompletionChunk
from qwen_tui.engine.stop_search import StopSearch
from qwen_tui.engine.thinking import Channel, Piece, ThinkingSplitter
from qwen_tui.engine.trace import Traced

_ALWAYS_THINKS = re.compile(r"(?:^|[-_/])(?:thinking|qwq|r1)(?:[-_.:/]|$)", re.IGNORECASE)
"""Names of models whose template opens the thinking: without a reasoning parser, a server sends only the
closing tag."""


class Reply:
    """State of one reply while it streams."""

    def __init__(self, info: ModelInfo, seed: int, request: Request) -> None:
        self.request = request
        self.seed = seed
        self.sampling: dict[str, object] = {}
        self.not_taken: tuple[str, ...] = ()
        self.has_begun = False
        """Whether a piece has arrived, so that the request can no longer be repeated."""
        self.has_thought = False
        """Whether the model has thought."""
        self._answer_pieces = 0
        self.finish_reason = ""
        self.prompt_tokens = 0
        """0 while unknown. A server reports it last: a stopped reply has the count made before it."""
        self._info = info
        self._cached_tokens = 0
        self._new_tokens = 0
        self._counted: int | None = None
        self._asked_at = time.monotonic()
        self._first_at = self._last_at = 0.0
        thinks = bool(_ALWAYS_THINKS.search(info.model)) and not request.continues
        self._splitter = ThinkingSplitter(thinks=thinks, begun=request.continues)
        self._is_apart = False
        self._stop = StopSearch(request.sampling.stop)

    @property
    def has_stopped(self) -> bool:
        """Whether the answer has come to one of its stop strings, which some servers send too."""
        return self._stop.is_found

    @property
    def is_long_enough(self) -> bool:
        """Whether the answer has used up its room; the server only knows the sum of both rooms.

        Most servers send a piece for each token, none sends more pieces than tokens.
        """
        return self._answer_pieces >= self.request.sampling.max_new_tokens

    def take(self, piece: CompletionChunk) -> Iterator[Event]:
        """Return the events of a piece. Text counts as one token until the server reports the number."""
        if piece.prompt_tokens is not None:
            self.prompt_tokens = piece.prompt_tokens
        self._cached_tokens = piece.cached_tokens or self._cached_tokens
        if piece.completion_tokens is not None:
            self._counted = piece.completion_tokens
        if not self.has_begun:
            self.has_begun = True
            yield PromptReady(self.prompt_tokens, self._cached_tokens)
        if piece.text or piece.reasoning:
            self._last_at = time.monotonic()
            self._first_at = self._first_at or self._last_at
            self._new_tokens += 1
        if piece.traces and self.request.trace:
            yield Traced(piece.traces)
        if piece.reasoning:
            self.has_thought = True
            yield from self._begin_reasoning()
            yield ThinkingDelta(piece.reasoning)
        if piece.text:
            pieces = self._splitter.push(piece.text)
            self.has_thought = self.has_thought or self._splitter.is_thinking
            self._answer_pieces += any(each.channel is Channel.ANSWER for each in pieces)
            yield from self._events(pieces)
        self.finish_reason = piece.finish_reason or self.finish_reason

    def _begin_reasoning(self) -> Iterator[Event]:
        """Begin thinking that the server sends separately; text held back before it was not a tag."""
        if self._is_apart:
            return
        self._is_apart = True
        held = self._splitter.flush()
        if any(piece.text.strip() for piece in held):
            yield from self._events(held)
        self._splitter = ThinkingSplitter(thinks=True)
        self._splitter.close()

    def flush(self, *, is_cut: bool = True) -> Iterator[Event]:
        """Release text that was held back because it might have been a tag or a stop string."""
        yield from self._events(self._splitter.flush(is_cut=is_cut))
        if held := self._stop.flush():
            yield TextDelta(held)

    def end(self, reason: str) -> Iterator[Event]:
        """Yield the rest of the text, then `Finished`."""
        is_cut = reason != "eos"
        yield from self.flush(is_cut=is_cut)
        if not self.has_stopped and (reread := self._splitter.reread(is_cut=is_cut)) is not None:
            yield reread
        yield Finished(self._run(reason))

    def _run(self, reason: str) -> Run:
        return Run(
            model=self._info.model,
            quantization="",
            device=self._info.device,
            decode_path=ON_SERVER,
            seed=self.seed,
            sampling=self.sampling,
            not_taken=", ".join(self.not_taken),
            prompt_tokens=self.prompt_tokens,
            reused_tokens=self._cached_tokens,
            new_tokens=self._new_tokens if self._counted is None else self._counted,
            first_token_seconds=max(0.0, self._first_at - self._asked_at) if self._first_at else 0.0,
            decode_seconds=self._last_at - self._first_at,
            stop_reason=reason,
        )

    def _events(self, pieces: Sequence[Piece]) -> Iterator[Event]:
        for channel, text in pieces:
            if channel is Channel.THINKING:
                yield ThinkingDelta(text)
            elif certain := self._stop.push(text):
                yield TextDelta(certain)
