"""Notes on what an import left out, counted by kind and put into sentences."""

from collections import Counter

from qwen_tui.strings import say

REASONS_SAID = 5
"""How many unreadable conversations are listed individually."""


class Notes:
    """Collects what is left out while a file is read."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._reasons: list[str] = []

    def add(self, kind: str, count: int = 1) -> None:
        """Count something that was left out; `kind` selects the sentence `exchange.note.KIND`."""
        self._counts[kind] += count

    def add_unread(self, number: int, reason: str) -> None:
        """Note that a conversation (numbered from 1) could not be read, and why."""
        self._reasons.append(say("exchange.note.unread", number=number, reason=reason))

    def take_over(self, others: "Notes") -> None:
        """Add the counts of other notes."""
        self._counts.update(others._counts)

    def sentences(self) -> tuple[str, ...]:
        """Return all notes as sentences: unreadable conversations first, then the counts."""
        said = self._reasons[:REASONS_SAID]
        rest = len(self._reasons) - len(said)
        if rest:
            said.append(say("exchange.note.more_unread", count=rest))
        return (*said, *(say(f"exchange.note.{kind}", count=n) for kind, n in self._counts.items()))
