"""Search the contents of all conversations in the background."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from qwen_tui.chat.search import Hit

log = logging.getLogger(__name__)

TELL_SECONDS = 0.05
"""How often intermediate results are published."""

SearchFunction = Callable[[str, Callable[[], bool]], Iterator[Hit]]
"""Finds words in conversations until it is stopped."""


class Found(NamedTuple):
    """The results so far."""

    query: str
    hits: Mapping[str, Hit]
    """Hits by conversation id."""
    is_done: bool
    """Whether every conversation was searched."""


class BackgroundSearch:
    """Answers the newest query; an older one is abandoned at the next conversation."""

    def __init__(self, search: SearchFunction) -> None:
        self._search = search
        self._searching = threading.Lock()
        self._question = ("", 0)
        """The newest query, and the number of queries so far."""
        self.found: Found | None = None
        """The results of the newest query; None until there are any."""

    def ask(self, query: str) -> None:
        """Start a search for these words; an empty query stops the current one."""
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
        with self._searching:  # the previous search ends at its next conversation
            try:
                for hit in self._search(query, is_old):
                    hits[hit.entry.id] = hit
                    if time.monotonic() > due:
                        tell(is_done=False)
                        due = time.monotonic() + TELL_SECONDS
            except Exception:  # the search must still be reported as done
                log.exception("search failed")
            tell(is_done=True)
