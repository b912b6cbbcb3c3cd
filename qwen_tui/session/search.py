"""Looking through what was said in all conversations, on a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from qwen_tui.chat.search import Hit

log = logging.getLogger(__name__)


TELL_SECONDS = 0.05
"""How often it tells what it has found so far."""


class Found(NamedTuple):
    """What has been found so far."""

    query: str
    hits: Mapping[str, Hit]
    """By conversation id."""
    is_done: bool
    """Whether every conversation was looked through."""


class Finding:
    """Answers the newest question; an older one is dropped at the next conversation."""

    def __init__(self, search: Callable[[str, Callable[[], bool]], Iterator[Hit]]) -> None:
        self._search = search
        self._asked = threading.Condition()
        self._query = ""
        self._found: Found | None = None
        self._thread: threading.Thread | None = None

    def ask(self, query: str) -> None:
        """Look for these words; for none, stop looking."""
        with self._asked:
            self._query = query
            self._found = None
            if self._thread is None and query:
                self._thread = threading.Thread(target=self._run, name="search", daemon=True)
                self._thread.start()
            self._asked.notify_all()

    @property
    def found(self) -> Found | None:
        """What the newest question has come to; None while nothing is known."""
        return self._found

    def _run(self) -> None:
        answered = ""
        while True:
            with self._asked:
                while self._query == answered:
                    self._asked.wait()
                query = answered = self._query
            if query:
                try:
                    self._answer(query)
                except Exception:  # the next question must be answered all the same
                    log.exception("search broke")
                    self._tell(Found(query, {}, is_done=True))

    def _answer(self, query: str) -> None:
        hits: dict[str, Hit] = {}
        due = time.monotonic() + TELL_SECONDS
        for hit in self._search(query, lambda: self._query != query):
            hits[hit.entry.id] = hit
            if time.monotonic() > due:
                self._tell(Found(query, dict(hits), is_done=False))
                due = time.monotonic() + TELL_SECONDS
        self._tell(Found(query, hits, is_done=True))

    def _tell(self, found: Found) -> None:
        with self._asked:
            if self._query == found.query:
                self._found = found
