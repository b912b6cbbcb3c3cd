"""The traces of a conversation's last replies: how each of their tokens was chosen."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import zip_longest

from qwen_tui.chat.messages import Message
from qwen_tui.chat.trace_files import TraceFiles
from qwen_tui.engine.base import Engine, Event, Request, StopFlag
from qwen_tui.engine.trace import TokenTrace, Traced, read, saved

KEPT_REPLIES = 16
"""For how many replies traces stay in memory, about 1 MB for a thousand tokens."""


class Traces:
    """The traces of one conversation. One thread adds to them, any thread may read."""

    def __init__(self, files: TraceFiles, conversation_id: str) -> None:
        """Read the newest of the traces that were saved for a conversation."""
        self._files = files
        self._conversation_id = conversation_id
        self.is_wanted = False
        """Whether the next replies are traced; the screen sets it while it shows traces."""
        self._lock = threading.Lock()
        self._of: OrderedDict[str, list[TokenTrace | None]] = OrderedDict()
        for reply_id, data in files.newest(conversation_id, KEPT_REPLIES):
            with suppress(ValueError):  # damaged, or of another version: as if it had not been saved
                self._of[reply_id] = read(data)

    def of(self, reply_id: str) -> tuple[TokenTrace | None, ...]:
        """Return one trace for each token id of a reply so far, in the order of its runs.

        None stands for a token that was generated without a trace. Empty if there are none at all.
        """
        with self._lock:
            return tuple(self._of.get(reply_id, ()))

    def fill(self, reply_id: str, tokens: Sequence[TokenTrace | None]) -> None:
        """Put traces in the place of those that a reply's first tokens lack."""
        with self._lock:
            known = self._of.get(reply_id, [])
            both = zip_longest(known, tokens)
            filled = [new if old is None else old for old, new in both]
        self._begin(reply_id, filled)

    def stream(self, begun: Message, request: Request, engine: Engine, stop: StopFlag) -> Iterator[Event]:
        """Generate a reply, or more of one that has begun, and keep its traces if they are wanted now.

        Save them if the request already asks for them.
        """
        if not self.is_wanted and not request.trace:
            yield from engine.stream(request, stop)
            return
        known = self.of(begun.id) or [None for run in begun.receipt for _ in run.token_ids]
        self._begin(begun.id, known)
        try:
            for event in engine.stream(replace(request, trace=True), stop):
                if isinstance(event, Traced):
                    with self._lock:
                        self._of[begun.id].extend(event.tokens)
                yield event
        finally:
            if request.trace:
                self._files.save(self._conversation_id, begun.id, saved(self.of(begun.id)))

    def _begin(self, reply_id: str, tokens: Iterable[TokenTrace | None]) -> None:
        with self._lock:
            self._of[reply_id] = list(tokens)
            self._of.move_to_end(reply_id)
            while len(self._of) > KEPT_REPLIES:
                self._of.popitem(last=False)
