"""The decode loop: one graph replay per token, one token ahead of the processor.

Each step leaves its token where the next step reads it, so the device need not wait for the processor: while it
computes a token, the text of the previous one is assembled and sent. A token computed after the last one is
discarded.
"""

import math
from collections.abc import Callable, Iterator
from typing import Protocol

import torch
from transformers import PreTrainedModel

from qwen_tui.engine.local.cache.kv_cache import FastPrefill
from qwen_tui.engine.local.cache.static_kv_cache import StaticKVCache
from qwen_tui.engine.local.decoding.cuda_graphs import Graphs
from qwen_tui.engine.local.decoding.measuring import Measured, measured
from qwen_tui.engine.local.decoding.sampling import Sampler, Values
from qwen_tui.errors import QwenTuiError

SPARE_TOKENS = 1024
"""Minimum capacity reserved after a prompt, so that a reply seldom has to move the cache."""

AHEAD = 2
"""How many tokens can be in transit from the device."""


class ForwardStep(Protocol):
    """One token through the model."""

    name: str
    """Name of this decode path in receipts."""

    fast_prefill: FastPrefill | None
    """None if the model's own forward pass is the fastest."""

    def window(self, tokens: int, capacity: int) -> int:
        """Return how many tokens a step attends to for this length; each value is captured separately."""

    def __call__(self, token: torch.Tensor, position: torch.Tensor, window: int) -> torch.Tensor:
        """Return the logits (V, float32) after `token` (1) at `position` (1), and cache its keys and values."""


class Decoder:
    """Decoder for one model that is entirely on one device. Not thread-safe."""

    def __init__(self, model: PreTrainedModel, cache: StaticKVCache, step: ForwardStep) -> None:
        self.device = model.device
        self.cache = cache
        self.step = step
        vocabulary = model.config.get_text_config().vocab_size
        self._sampler = Sampler(vocabulary, self.device)
        self._graphs = Graphs(self.device)
        self._addresses: tuple[int, ...] = ()
        self.is_whole = True
        """False after a step that was broken off: recurrent states may have its token, and the cache not."""
        self.cached = 0
        """Number of tokens in the cache, including one computed ahead."""
        self._token = torch.zeros(1, dtype=torch.long, device=self.device)
        self._position = torch.zeros(1, dtype=torch.long, device=self.device)
        is_cuda = self.device.type == "cuda"
        self._arrived = [torch.zeros(1, dtype=torch.long, pin_memory=is_cuda) for _ in range(AHEAD)]
        self._rows = [
            torch.zeros_like(self._sampler.row, device="cpu", pin_memory=is_cuda) for _ in range(AHEAD)
        ]
        self.measured: Measured | None = None
        """How the token that was yielded last was chosen, if that was to be measured."""
        self._scores = [torch.zeros(1, dtype=torch.float32, pin_memory=is_cuda) for _ in range(AHEAD)]
        # Blocking events wait without keeping a core busy.
        make_event: Callable[..., torch.cuda.Event] = torch.cuda.Event
        self._events = [make_event(blocking=True) if is_cuda else None for _ in range(AHEAD)]

    def decode(
        self,
        ids: torch.Tensor,
        limit: int,
        values: Values,
        seed: int,
        suppressed: torch.Tensor | None = None,
        *,
        written: int = 0,
        measures: bool = False,
    ) -> Iterator[int]:
        """Generate up to `limit` tokens after the prompt `ids` (T), all but the last of which are in the cache.

        The last `written` ids are the beginning of the reply itself. With `measures`, `measured` is set.
        Ends when the caller stops iterating. A token is yielded while its successor is being computed. Raises
        QwenTuiError if the model returns NaN or infinity.
        """
        total = ids.shape[0]
        self.cache.reserve(min(total + limit, total + SPARE_TOKENS), total - 1)
        # Positions after a rewind may contain anything, including NaN.
        self.cache.zero_after(total - 1)
        self._sampler.begin(values, seed, ids, suppressed, written)
        self._sampler.measures = measures
        self._token.copy_(ids[-1:])
        self._position.fill_(total - 1)
        self._start(0, total)
        for number in range(limit):
            if number + 1 < limit:
                self._start(number + 1, total + number + 1)
            yield self._wait(number)

    def release(self) -> None:
        """Free the memory of the graphs."""
        self._graphs.forget()

    def logits(self, token: int, position: int) -> torch.Tensor:
        """Return the step's logits (V, float32) after a token at a position; all tokens before it are cached."""
        self.cache.reserve(position + 1, position)
        self._token.fill_(token)
        self._position.fill_(position)
        said = self.step(self._token, self._position, self.step.window(position + 1, self.cache.capacity))
        return said.clone()

    def _start(self, number: int, tokens: int) -> None:
        """Start computing token `number`, which follows this many tokens, and its transfer to the processor."""
        self.is_whole = False
        if tokens > self.cache.capacity:
            self.cache.reserve(tokens + SPARE_TOKENS, tokens - 1)
        if self._addresses != self.cache.addresses:
            self._graphs.forget()
            self._addresses = self.cache.addresses
        window = self.step.window(tokens, self.cache.capacity)
        advance = self._graphs.get(
            (window, self._sampler.kind),
            lambda: self._advance(window),
            (self._token, self._position, *self._sampler.state, *self.cache.running_states),
        )
        self._sampler.draw()
        advance()
        self.cached, self.is_whole = tokens, True
        self._arrived[number % AHEAD].copy_(self._token, non_blocking=True)
        self._scores[number % AHEAD].copy_(self._sampler.score, non_blocking=True)
        if self._sampler.measures:
            self._rows[number % AHEAD].copy_(self._sampler.row, non_blocking=True)
        event = self._events[number % AHEAD]
        if event is not None:
            event.record()

    def _advance(self, window: int) -> None:
        """Advance by one token, entirely on the device."""
        logits = self.step(self._token, self._position, window)
        self._token.copy_(self._sampler.choose(logits))
        self._position.add_(1)

    def _wait(self, number: int) -> int:
        event = self._events[number % AHEAD]
        if event is not None:
            event.synchronize()
        if not math.isfinite(self._scores[number % AHEAD]):
            raise QwenTuiError("engine.no_numbers")
        self.measured = measured(self._rows[number % AHEAD].tolist()) if self._sampler.measures else None
        return int(self._arrived[number % AHEAD])
