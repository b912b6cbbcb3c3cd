"""The traces of a conversation's last replies: how each of their tokens was chosen."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import replace

from qwen_tui.chat.messages import Message
from qwen_tui.engine.base import Engine, Event, Request, StopFlag
from qwen_tui.engine.trace import TokenTrace, Traced

KEPT_REPLIES = 16
"""For how many replies traces stay in memory, about 1 MB for a thousand tokens."""


class Traces:
    """The traces of one conversation. One thread adds to them, any thread may read."""

    def __init__(self) -> None:
        self.is_wanted = False
        """Whether the next replies are traced; the screen sets it while it shows traces."""
        self._lock = threading.Lock()
        self._of: OrderedDict[str, list[TokenTrace | None]] = OrderedDict()

    def of(self, reply_id: str) -> tuple[TokenTrace | None, ...]:
        """Return one trace for each token id of a reply so far, in the order of its runs.

        None stands for a token that was generated without a trace. Empty if there are none at all.
        """
        with self._lock:
            return tuple(self._of.get(reply_id, ()))

    def stream(self, begun: Message, request: Request, engine: Engine, stop: StopFlag) -> Iterator[Event]:
        """Generate a reply, or more of one that has begun, and keep its traces if they are wanted now."""
        if not self.is_wanted:
            yield from engine.stream(request, stop)
            return
        known = self.of(begun.id) or [None for run in begun.receipt for _ in run.token_ids]
        self._begin(begun.id, known)
        for event in engine.stream(replace(request, trace=True), stop):
            if isinstance(event, Traced):
                with self._lock:
                    self._of[begun.id].extend(event.tokens)
            yield event

    def _begin(self, reply_id: str, tokens: Iterable[TokenTrace | None]) -> None:
        with self._lock:
            self._of[reply_id] = list(tokens)
            self._of.move_to_end(reply_id)
            while len(self._of) > KEPT_REPLIES:
                self._of.popitem(last=False)
