"""What stands in the composer: pasted texts too large to edit, and the text below them."""

from typing import NamedTuple

from qwen_tui.chat.drafts import UnsentEdit

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


class Written(NamedTuple):
    """All that is written in a conversation and not sent, seen or not."""

    draft: Draft = Draft()
    edits: tuple[UnsentEdit, ...] = ()
    """What was written in the place of messages."""
    editing: str = ""
    """The id of the message that is being written anew; empty when the draft is."""

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return not (self.draft.text or self.draft.attachments or self.edits)


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
        self._shown = draft
        """The entry as it was when it was shown last."""

    @property
    def is_back(self) -> bool:
        """Whether the draft is shown again."""
        return self._at == len(self._entries) - 1

    @property
    def end(self) -> Draft:
        """The draft that the walk began at."""
        return self._entries[-1]

    def draft(self, current: Draft) -> Draft:
        """What is nobody's message yet: the draft, and above it what is shown, if that was changed."""
        if current == self._shown:
            return self.end
        text = "\n\n".join(filter(None, (current.text, self.end.text)))
        return Draft((*current.attachments, *self.end.attachments), text)

    def step(self, current: Draft, by: int) -> Draft | None:
        """The entry one older (-1) or newer (+1), None when there is none; `current` is what stands there now."""
        if not 0 <= self._at + by < len(self._entries):
            return None
        self._entries[self._at] = current
        self._at += by
        self._shown = self._entries[self._at]
        return self._shown
