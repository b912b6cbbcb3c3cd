"""Receive each token as it is chosen, pass on its text, and decide whether the reply continues."""

import time
from collections.abc import Sequence

import torch
from transformers.generation.streamers import BaseStreamer

from qwen_tui.engine.local.decoding.measuring import Measured
from qwen_tui.engine.local.generation.deltas import Deltas
from qwen_tui.engine.local.generation.rooms import Rooms
from qwen_tui.engine.local.generation.tap import Tap
from qwen_tui.engine.local.stopping import Ended, IsStopped, Stopped

GENERATE = "generate"
"""Name in receipts of decoding by the library."""


class ThoughtOver(Stopped):
    """The thought has to end here; the closing mark is still to be written."""


class Streamer(BaseStreamer):  # type: ignore[misc]  # transformers is not typed
    """The generated tokens of one reply. `take` raises through `generate`: `Stopped`, or one of its kinds."""

    def __init__(self, deltas: Deltas, rooms: Rooms, is_stopped: IsStopped, answers_now: IsStopped) -> None:
        """`answers_now` is whether the person wants the thinking to end."""
        self.deltas = deltas
        self.token_ids: list[int] = []
        self.first_at = self.last_at = 0.0
        self.decode_path = GENERATE
        self.closed_at = 0
        """The number of tokens of thinking when the program wrote the closing mark; 0 if it did not."""
        self._thought_tokens = 0
        self._answer_tokens = 0
        self._rooms = rooms
        self._is_stopped = is_stopped
        self._answers_now = answers_now
        self._saw_prompt = False
        self._tap: Tap | None = None

    def begin(self, tap: Tap | None) -> None:
        """Expect a prompt as the next value, then tokens that `tap` measures."""
        self._saw_prompt, self._tap = False, tap

    def put(self, value: torch.Tensor) -> None:
        """Receive the prompt (1, T) in the first call, then one token (1) per call."""
        if not self._saw_prompt:
            self._saw_prompt = True
            return
        for token_id in value.tolist():
            self.take(token_id, self._tap.measured(token_id) if self._tap is not None else None)

    def take(self, token_id: int, measured: Measured | None = None) -> None:
        """Receive one token, and how it was chosen. Raises `Stopped`, `Ended` or `ThoughtOver`."""
        self.last_at = time.monotonic()
        self.first_at = self.first_at or self.last_at
        self.token_ids.append(token_id)
        if measured is not None and self.deltas.tracer is not None:
            self.deltas.tracer.add(token_id, measured)
        self.deltas.push(token_id)
        if self._is_stopped():
            raise Stopped
        if self.deltas.has_stopped:
            raise Ended("stop_string")
        if self.deltas.is_end(token_id):
            return
        rooms = self._rooms
        if self.deltas.is_thinking:
            self._thought_tokens += 1
            is_over = rooms.thought is not None and self._thought_tokens >= rooms.thought
            if rooms.closing_ids and (is_over or self._answers_now()):
                raise ThoughtOver
        elif rooms.answer is not None:
            self._answer_tokens += 1
            if self._answer_tokens >= rooms.answer:
                raise Ended("length")

    def write(self, token_ids: Sequence[int]) -> None:
        """Begin the reply with these tokens. Raises `Ended` if they end it."""
        for token_id in token_ids:
            self.token_ids.append(token_id)
            self.deltas.write([token_id])
            if self.deltas.is_thinking:
                self._thought_tokens += 1
            else:
                self._answer_tokens += 1
        if self.deltas.has_stopped:
            raise Ended("stop_string")
        if token_ids and self.deltas.is_end(token_ids[-1]):
            raise Ended("eos")

    def close_thought(self) -> None:
        """Write the closing mark in the model's place."""
        self.closed_at = self._thought_tokens
        self.token_ids += self._rooms.closing_ids
        self.deltas.close_thought(self._rooms.closing_ids)

    def end(self) -> None:
        """Do nothing: it is not called when `generate` raises, so the caller finishes the reply."""
