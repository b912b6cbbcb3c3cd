"""What stands in the composer: pasted texts too large to edit, and the text below them."""

from typing import NamedTuple

LARGE_CHARACTERS = 20_000
LARGE_LINES = 400
LARGE_LINE_CHARACTERS = 4_000
"""From any of these on a text area becomes slow: 100,000 characters on one line cost up to 3 s a key."""


class Draft(NamedTuple):
    """A message that is being written."""

    attachments: tuple[str, ...] = ()
    text: str = ""

    @classmethod
    def of(cls, message: str) -> "Draft":
        """A message as the composer takes it: in the text area if that can bear it."""
        return cls((message,)) if is_large(message) else cls((), message)

    @property
    def message(self) -> str:
        """What is sent: everything in the order in which it is seen; empty when there are only blanks."""
        parts = (part.strip("\n").rstrip() for part in (*self.attachments, self.text))
        return "\n\n".join(part for part in parts if part)


class Editing(NamedTuple):
    """A message that is written anew, in the place of the draft."""

    message_id: str
    is_reply: bool
    original: str
    kept: Draft
    """What stood in the composer before, and comes back."""


def is_large(text: str) -> bool:
    """Whether a text is too large for a text area."""
    return (
        len(text) > LARGE_CHARACTERS
        or text.count("\n") >= LARGE_LINES
        or any(len(line) > LARGE_LINE_CHARACTERS for line in text.split("\n"))
    )


class Recall:
    """A walk through earlier messages, from the draft back; what is edited on the way is kept until it ends."""

    def __init__(self, history: tuple[str, ...], draft: Draft) -> None:
        self._entries = [*map(Draft.of, history), draft]
        self._at = len(history)

    @property
    def is_back(self) -> bool:
        """Whether the draft is shown again."""
        return self._at == len(self._entries) - 1

    def step(self, current: Draft, by: int) -> Draft | None:
        """The entry one older (-1) or newer (+1), None when there is none; `current` is what stands there now."""
        if not 0 <= self._at + by < len(self._entries):
            return None
        self._entries[self._at] = current
        self._at += by
        return self._entries[self._at]
