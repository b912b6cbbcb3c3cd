"""Looking through what was said in all conversations, beside everything else."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from qwen_tui.chat.search import Hit

log = logging.getLogger(__name__)

TELL_SECONDS = 0.05
"""How often it tells what it has found so far."""

SearchFunction = Callable[[str, Callable[[], bool]], Iterator[Hit]]
"""Finds words in conversations until it is stopped."""


class Found(NamedTuple):
    """What has been found so far."""

    query: str
    hits: Mapping[str, Hit]
    """By conversation id."""
    is_done: bool
    """Whether every conversation was looked through."""


class BackgroundSearch:
    """Answers the newest question; an older one is dropped at the next conversation."""

    def __init__(self, search: SearchFunction) -> None:
        self._search = search
        self._searching = threading.Lock()
        self._question = ("", 0)
        """What was asked last, and how often something was."""
        self.found: Found | None = None
        """What the newest question has come to; None while nothing is known."""

    def ask(self, query: str) -> None:
        """Look for these words; for none, stop looking."""
        self._question, self.found = (query, self._question[1] + 1), None
        if query:
            threading.Thread(target=self._answer, args=self._question, name="search", daemon=True).start()

    def _answer(self, query: str, number: int) -> None:
        def is_old() -> bool:
            return self._question != (query, number)

        def tell(*, is_done: bool) -> None:
            if not is_old():
                self.found = Found(query, dict(hits), is_done)

        hits: dict[str, Hit] = {}
        due = time.monotonic() + TELL_SECONDS
        with self._searching:  # the one before ends at its next conversation
            try:
                for hit in self._search(query, is_old):
                    hits[hit.entry.id] = hit
                    if time.monotonic() > due:
                        tell(is_done=False)
                        due = time.monotonic() + TELL_SECONDS
            except Exception:  # the person is told that it has ended all the same
                log.exception("search broke")
            tell(is_done=True)
