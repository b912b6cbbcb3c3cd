"""Turn generated tokens into events: text, split into thinking and answer, and batched by time.

The first text is sent at once, after that at most about sixty batches a second: the screen draws fewer, and a fast
model would otherwise spend its time on pickling. Incomplete text (half a character, a possible tag) waits until it
is complete, and its tokens are counted with that text.
"""

import time
from collections.abc import Callable, Sequence
from itertools import groupby
from operator import itemgetter

from qwen_tui.engine.base import Event, TextDelta, ThinkingDelta
from qwen_tui.engine.channels import ChannelSplitter
from qwen_tui.engine.local.generation.tracer import Tracer
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.prompts.detokenizer import ByteDecoder, TextDecoder, WindowDecoder
from qwen_tui.engine.local.prompts.prompt import Prompt, PromptBuilder
from qwen_tui.engine.stop_search import StopSearch
from qwen_tui.engine.thinking import Channel, Piece, ThinkingSplitter

PERIOD_SECONDS = 1 / 60
"""Minimum interval between two batches of text."""


class Deltas:
    """The outgoing text of one reply."""

    def __init__(
        self,
        loaded: Loaded,
        prompt: Prompt,
        send: Callable[[Event], None],
        stop: Sequence[str] = (),
        tracer: Tracer | None = None,
    ) -> None:
        """`stop` are texts that end the answer; what `tracer` has is sent before each batch."""
        self.tracer = tracer
        self._decoder: TextDecoder = WindowDecoder(loaded.tokenizer, prompt.begun_ids)
        if loaded.token_bytes:
            self._decoder = ByteDecoder(loaded.token_bytes)
        self._marks = loaded.prompts.mark_tokens
        self._splitter = _splitter(loaded.prompts, prompt)
        self._stop = StopSearch(stop)
        self._end_ids = frozenset(loaded.end_ids)
        self._send = send
        self._sent_at = 0.0
        self._waiting: list[tuple[Channel, str, int]] = []
        self._uncounted = 0
        """Number of tokens whose text has not been released yet."""

    @property
    def has_stopped(self) -> bool:
        """Whether the answer has come to one of its stop strings."""
        return self._stop.is_found

    @property
    def is_thinking(self) -> bool:
        """Whether the next token belongs to a thought."""
        return self._splitter.is_thinking

    def is_end(self, token_id: int) -> bool:
        """Whether the token ends the reply."""
        return token_id in self._end_ids

    def close_thought(self, closing_ids: Sequence[int]) -> None:
        """Add the closing mark of a thought; a character that the thought has left incomplete is dropped."""
        self._add(self._splitter.push(self._decoder.flush(is_cut=True)))
        self.write(closing_ids)

    def write(self, token_ids: Sequence[int]) -> None:
        """Add tokens that the model did not choose."""
        for token_id in token_ids:
            if self.tracer is not None:
                self.tracer.add_given(token_id)
            self.push(token_id)

    def push(self, token_id: int) -> None:
        """Add the next generated token."""
        if token_id in self._end_ids:
            return
        self._uncounted += 1
        if not self._is_mark(token_id):
            self._add(self._splitter.push(self._decoder.push(token_id)))
        if self._waiting and time.monotonic() - self._sent_at >= PERIOD_SECONDS:
            self._send_waiting()

    def flush(self, *, is_cut: bool) -> None:
        """Send the remaining text of a reply; `is_cut` if it did not end by itself and may be continued."""
        self._add(self._splitter.push(self._decoder.flush(is_cut=is_cut)))
        self._add(self._splitter.flush(is_cut=is_cut))
        self._release(Channel.ANSWER, self._stop.flush())
        self._send_waiting()
        if not self.has_stopped and (reread := self._splitter.reread(is_cut=is_cut)) is not None:
            self._send(reread)

    def _is_mark(self, token_id: int) -> bool:
        """Handle a token that marks a thought; False if it is ordinary text."""
        if token_id not in self._marks:
            return False
        self._add(self._splitter.push(self._decoder.flush()))
        pieces = self._splitter.mark(self._marks[token_id])
        self._add(pieces or [])
        return pieces is not None

    def _add(self, pieces: list[Piece]) -> None:
        for channel, text in pieces:
            self._release(channel, self._stop.push(text) if channel is Channel.ANSWER else text)

    def _release(self, channel: Channel, text: str) -> None:
        if text:
            self._waiting.append((channel, text, self._uncounted))
            self._uncounted = 0

    def _send_waiting(self) -> None:
        """Send one event for each run of text in one channel."""
        self._sent_at = time.monotonic()
        if self.tracer is not None:
            self.tracer.send(self._send)
        waiting, self._waiting = self._waiting, []
        for channel, run in groupby(waiting, itemgetter(0)):
            _, texts, tokens = zip(*run, strict=True)
            delta = TextDelta if channel is Channel.ANSWER else ThinkingDelta
            self._send(delta("".join(texts), sum(tokens)))


def _splitter(prompts: PromptBuilder, prompt: Prompt) -> ThinkingSplitter | ChannelSplitter:
    """Return a splitter for the reply to this prompt."""
    begun = bool(prompt.begun_ids)
    if prompts.marks.names_channels:
        return ChannelSplitter(
            prompts.marks, {*prompts.mark_tokens.values()}, thinks=prompt.thinks, begun=begun
        )
    by_text = prompts.think_ids is None
    return ThinkingSplitter(thinks=prompt.thinks, by_text=by_text, begun=begun, marks=prompts.marks)
