"""The content of the message box: pasted texts too large to edit, and the text below them."""

from typing import NamedTuple

from qwen_tui.chat.drafts import UnsentEdit

LARGE_CHARACTERS = 20_000
LARGE_LINES = 400
LARGE_LINE_CHARACTERS = 4_000
"""Above any of these limits a text area becomes slow: 100,000 characters on one line cost up to 3 s per key."""


class Draft(NamedTuple):
    """A message that is being written."""

    attachments: tuple[str, ...] = ()
    text: str = ""

    @classmethod
    def of(cls, message: str) -> "Draft":
        """Convert a message to a draft: a text too large for the text area becomes an attachment."""
        return cls((message,)) if is_large(message) else cls((), message)

    def followed_by(self, other: "Draft") -> "Draft":
        """Return this draft followed by another one."""
        text = "\n\n".join(filter(None, (self.text, other.text)))
        return Draft((*self.attachments, *other.attachments), text)

    @property
    def message(self) -> str:
        """The text to send, in the order shown on screen; empty if there is only whitespace."""
        parts = (part.strip("\n").rstrip() for part in (*self.attachments, self.text))
        return "\n\n".join(part for part in parts if part)


class Written(NamedTuple):
    """All unsent text of a conversation, whether shown in the message box or not."""

    draft: Draft = Draft()
    edits: tuple[UnsentEdit, ...] = ()
    """Unsent edits of messages."""
    editing: str = ""
    """The id of the message being edited; empty if the draft is shown."""

    @property
    def is_empty(self) -> bool:
        """True if there is no unsent text."""
        return not (self.draft.text or self.draft.attachments or self.edits)


class Editing(NamedTuple):
    """An edit of a message, shown in the message box instead of the draft."""

    message_id: str
    is_reply: bool
    original: str
    kept: Draft
    """The draft that the edit replaced in the message box, restored afterwards."""


def is_large(text: str) -> bool:
    """Return whether a text is too large for a text area."""
    return (
        len(text) > LARGE_CHARACTERS
        or text.count("\n") >= LARGE_LINES
        or any(len(line) > LARGE_LINE_CHARACTERS for line in text.split("\n"))
    )
