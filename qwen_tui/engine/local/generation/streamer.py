"""Receive each token as it is chosen, pass on its text, and decide whether the reply continues."""

import time

import torch
from transformers.generation.streamers import BaseStreamer

from qwen_tui.engine.local.generation.deltas import Deltas
from qwen_tui.engine.local.generation.rooms import Rooms
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

    def begin(self) -> None:
        """Expect a prompt as the next value."""
        self._saw_prompt = False

    def put(self, value: torch.Tensor) -> None:
        """Receive the prompt (1, T) in the first call, then one token (1) per call."""
        if not self._saw_prompt:
            self._saw_prompt = True
            return
        for token_id in value.tolist():
            self.take(token_id)

    def take(self, token_id: int) -> None:
        """Receive one token. Raises `Stopped`, `Ended` or `ThoughtOver`."""
        self.last_at = time.monotonic()
        self.first_at = self.first_at or self.last_at
        self.token_ids.append(token_id)
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

    def close_thought(self) -> None:
        """Write the closing mark in the model's place."""
        self.closed_at = self._thought_tokens
        self.token_ids += self._rooms.closing_ids
        self.deltas.close_thought(self._rooms.closing_ids)

    def end(self) -> None:
        """Do nothing: it is not called when `generate` raises, so the caller finishes the reply."""
