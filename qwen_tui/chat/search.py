"""Finding conversations by their names and by what was said in them.

Every word must occur, in the name or in the messages, in upper or lower case. The texts are kept from one search
to the next, so that another letter costs no reading.
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
"""Of a larger file only the name is searched: to read it takes many times its size in memory."""

KEPT_BYTES = 128 * 2**20
"""How much memory the kept texts may take; what does not fit is read again at every search."""

BEFORE, WHOLE = 24, 120
"""How many characters of a snippet stand before the match, and how many there are."""

_BETWEEN = "\x00"
"""Between two messages: no message and no query holds it."""


class Hit(NamedTuple):
    """A conversation in which every word occurs."""

    entry: Entry
    snippet: str
    """One line around the first match; empty when the name says it all."""
    message_id: str | None
    """The message of the snippet, on whichever branch."""


class _Texts(NamedTuple):
    """What was said in a conversation, as one text to look in and one to show."""

    stamp: Stamp
    ids: tuple[str, ...]
    said: str
    folded: str

    @property
    def size(self) -> int:
        return getsizeof(self.folded) + (getsizeof(self.said) if self.said is not self.folded else 0)


class Search:
    """Looks in the conversations of a folder. Locks nothing that a store needs; may be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._kept: dict[str, _Texts] = {}
        """By file name."""
        self._size = 0
        self._mutex = threading.Lock()

    def hits(
        self, entries: Iterable[Entry], query: str, is_stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[Hit]:
        """The conversations among these in which every word occurs: by name first, otherwise in their order.

        `is_stopped` is asked before each file. One that cannot be read any more counts by its name alone.
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
    """Id and content of every message; raises OSError and `QwenTuiError`."""
    data = path.read_bytes()
    try:
        # To check and clean all of a conversation takes five times as long as to read it.
        found = [(each["id"], each["content"]) for each in json.loads(data)["messages"]]
        if all(isinstance(value, str) for pair in found for value in pair):
            return found
    except (ValueError, LookupError, TypeError, RecursionError):
        pass
    return [(message.id, message.content) for message in decode(data, path).messages]


def fold(text: str) -> str:
    """A text as it is compared: upper and lower case, and the ways to write one letter, are the same."""
    return unicodedata.normalize("NFC", text).casefold()


def _snippet(texts: _Texts, words: tuple[str, ...]) -> tuple[str, str]:
    """One line around the first match, and the id of its message: one with every word, if there is one."""
    folded = texts.folded.split(_BETWEEN)
    at = next((i for i, text in enumerate(folded) if all(word in text for word in words)), None)
    if at is None:
        at = next(i for i, text in enumerate(folded) if any(word in text for word in words))
    match = min(found for word in words if (found := folded[at].find(word)) >= 0)
    said = texts.said.split(_BETWEEN)[at]
    if len(said) != len(folded[at]):  # folding has made it longer: ß is two letters then
        match = bisect_right(list(accumulate(len(each.casefold()) for each in said)), match)
    start = max(0, match - BEFORE)
    beginning = "…" if start else ""
    return beginning + one_line(said[start : start + 2 * WHOLE], WHOLE), texts.ids[at]
