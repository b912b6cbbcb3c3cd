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

    def followed_by(self, other: "Draft") -> "Draft":
        """Both, this one first."""
        text = "\n\n".join(filter(None, (self.text, other.text)))
        return Draft((*self.attachments, *other.attachments), text)

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
