"""Search conversations by name and content.

Every word must occur in the name or in the messages, ignoring case. The texts are cached between searches, so
typing another letter reads no files.
"""

import json
import threading
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from sys import getsizeof
from typing import NamedTuple

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.codec import decode
from qwen_tui.chat.files import Stamp, stamp_of
from qwen_tui.chat.index import Entry
from qwen_tui.errors import QwenTuiError

LARGEST_BYTES = 32 * 2**20
"""Size limit for searching contents; reading a larger file takes many times its size in memory."""

KEPT_BYTES = 128 * 2**20
"""Memory limit of the cache; texts that do not fit are read again at every search."""

BEFORE, WHOLE = 24, 120
"""Characters of a snippet before the match, and in total."""

_BETWEEN = "\x00"
"""Separates messages; neither messages nor queries contain it."""


class Hit(NamedTuple):
    """A conversation in which every word occurs."""

    entry: Entry
    snippet: str
    """One line around the first match; empty if the name alone matches."""
    message_id: str | None
    """The id of the snippet's message, which may be on any branch."""


class _Texts(NamedTuple):
    """The messages of a conversation as one text: as written, and folded for comparison."""

    stamp: Stamp
    ids: tuple[str, ...]
    said: str
    folded: str

    @property
    def size(self) -> int:
        return getsizeof(self.folded) + (getsizeof(self.said) if self.said is not self.folded else 0)


class Search:
    """Searches the conversations of a folder. Does not lock the store; usable from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, _Texts] = {}
        """Cached texts by file name."""
        self._size = 0
        self._mutex = threading.Lock()

    def hits(
        self, entries: Iterable[Entry], query: str, is_stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[Hit]:
        """Yield the conversations in which every word occurs: name matches first, the rest in the given order.

        `is_stopped` is called before each file. A file that can no longer be read is searched by name only.
        """
        words = tuple(dict.fromkeys(fold(query).replace(_BETWEEN, " ").split()))
        if not words:
            return
        others: list[tuple[Entry, tuple[str, ...]]] = []
        for entry in entries:
            name = fold(entry.name)
            missing = tuple(word for word in words if word not in name)
            if missing:
                others.append((entry, missing))
            else:
                yield Hit(entry, "", None)
        for entry, missing in others:
            if is_stopped():
                return
            texts = self._texts(entry.file)
            if texts is not None and all(word in texts.folded for word in missing):
                yield Hit(entry, *_snippet(texts, missing))

    def _texts(self, file: str) -> _Texts | None:
        path = self._folder / file
        try:
            status = path.stat()
            stamp = stamp_of(status)
            known = self._kept.get(file)
            if known is not None and known.stamp == stamp:
                return known
            texts = None if status.st_size > LARGEST_BYTES else _read(path, stamp)
        except (OSError, QwenTuiError):
            texts = None
        self._keep(file, texts)
        return texts

    def _keep(self, file: str, texts: _Texts | None) -> None:
        with self._mutex:
            before = self._kept.pop(file, None)
            self._size -= before.size if before is not None else 0
            if texts is not None and self._size + texts.size <= KEPT_BYTES:
                self._kept[file] = texts
                self._size += texts.size


def _read(path: Path, stamp: Stamp) -> _Texts:
    messages = _messages(path)
    said = _BETWEEN.join(content.replace(_BETWEEN, "") for _, content in messages)
    said = unicodedata.normalize("NFC", said)
    folded = said.casefold()
    return _Texts(stamp, tuple(own_id for own_id, _ in messages), said, said if folded == said else folded)


def _messages(path: Path) -> list[tuple[str, str]]:
    """Return the id and content of every message; raises OSError and `QwenTuiError`."""
    data = path.read_bytes()
    try:
        # Checking and cleaning a whole conversation takes five times as long as parsing it.
        found = [(each["id"], each["content"]) for each in json.loads(data)["messages"]]
        if all(isinstance(value, str) for pair in found for value in pair):
            return found
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    return [(message.id, message.content) for message in decode(data, path).messages]


def fold(text: str) -> str:
    """Normalize a text for comparison: case and equivalent spellings of a letter are ignored."""
    return unicodedata.normalize("NFC", text).casefold()


def _snippet(texts: _Texts, words: tuple[str, ...]) -> tuple[str, str]:
    """Return one line around the first match and its message id, preferring a message with every word."""
    folded = texts.folded.split(_BETWEEN)
    at = next((i for i, text in enumerate(folded) if all(word in text for word in words)), None)
    if at is None:
        at = next(i for i, text in enumerate(folded) if any(word in text for word in words))
    match = min(found for word in words if (found := folded[at].find(word)) >= 0)
    said = texts.said.split(_BETWEEN)[at]
    if len(said) != len(folded[at]):  # folding can lengthen a text: ß becomes ss
        match = bisect_right(list(accumulate(len(each.casefold()) for each in said)), match)
    start = max(0, match - BEFORE)
    beginning = "…" if start else ""
    return beginning + one_line(said[start : start + 2 * WHOLE], WHOLE), texts.ids[at]
