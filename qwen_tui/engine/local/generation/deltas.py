"""Generated tokens to the events that the screen gets: text, thinking apart from answer, batched by time.

The first text goes out at once, then at most about sixty messages a second go down the pipe: the screen draws
fewer, and a fast model would otherwise spend its time on pickling. Text that a token only begins (half a
character, a possible tag) waits for what completes it, and its token is counted with that text.
"""

import time
from collections.abc import Callable
from itertools import groupby
from operator import itemgetter

from qwen_tui.engine.base import Event, TextDelta, ThinkingDelta
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.prompts.detokenizer import ByteDecoder, TextDecoder, WindowDecoder
from qwen_tui.engine.local.prompts.prompt import Prompt
from qwen_tui.engine.thinking import Channel, Piece, ThinkingSplitter

PERIOD_SECONDS = 1 / 60
"""The shortest time between two batches of text."""


class Deltas:
    """The text of one reply on its way out."""

    def __init__(self, loaded: Loaded, prompt: Prompt, send: Callable[[Event], None]) -> None:
        self._decoder: TextDecoder = WindowDecoder(loaded.tokenizer, prompt.begun_ids)
        if loaded.token_bytes:
            self._decoder = ByteDecoder(loaded.token_bytes)
        self._tags = loaded.prompts.think_ids or (-1, -1)
        by_text = loaded.prompts.think_ids is None
        self._splitter = ThinkingSplitter(thinks=prompt.thinks, by_text=by_text, begun=bool(prompt.begun_ids))
        self._end_ids = frozenset(loaded.end_ids)
        self._send = send
        self._sent_at = 0.0
        self._waiting: list[tuple[Channel, str, int]] = []
        self._uncounted = 0
        """Tokens whose text has not come out yet."""

    def push(self, token_id: int) -> None:
        """Take the next generated token."""
        if token_id in self._end_ids:
            return
        self._uncounted += 1
        if not self._is_tag(token_id):
            self._add(self._splitter.push(self._decoder.push(token_id)))
        if self._waiting and time.monotonic() - self._sent_at >= PERIOD_SECONDS:
            self._send_waiting()

    def flush(self, *, is_cut: bool) -> None:
        """Send what is left: the reply is over. `is_cut`: not by itself, so that it may be continued."""
        self._add(self._splitter.push(self._decoder.flush(is_cut=is_cut)))
        self._add(self._splitter.flush(is_cut=is_cut))
        self._send_waiting()

    def _is_tag(self, token_id: int) -> bool:
        """Whether the token opened or closed thinking, which is then done."""
        if token_id == self._tags[0]:
            return self._splitter.open()
        if token_id != self._tags[1]:
            return False
        self._add(self._splitter.push(self._decoder.flush()))
        closed = self._splitter.close()
        self._add(closed or [])
        return closed is not None

    def _add(self, pieces: list[Piece]) -> None:
        for channel, text in pieces:
            self._waiting.append((channel, text, self._uncounted))
            self._uncounted = 0

    def _send_waiting(self) -> None:
        """One event for each run of text in one channel."""
        self._sent_at = time.monotonic()
        waiting, self._waiting = self._waiting, []
        for channel, run in groupby(waiting, itemgetter(0)):
            _, texts, tokens = zip(*run, strict=True)
            delta = TextDelta if channel is Channel.ANSWER else ThinkingDelta
            self._send(delta("".join(texts), sum(tokens)))
