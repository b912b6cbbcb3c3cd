"""Recall earlier messages with up and down."""

from qwen_tui.session.draft import Draft


class Recall:
    """A walk through earlier messages, starting from the draft; edits along the way are kept until it ends."""

    def __init__(self, history: tuple[str, ...], draft: Draft) -> None:
        self._entries = [*map(Draft.of, history), draft]
        self._at = len(history)
        self._shown = draft
        """The entry as it was when it was last shown."""

    @property
    def is_back(self) -> bool:
        return self._at == len(self._entries) - 1

    @property
    def end(self) -> Draft:
        return self._entries[-1]

    def draft(self, current: Draft) -> Draft:
        """Return the unsent text: the draft, preceded by the shown entry if it was changed."""
        if current == self._shown:
            return self.end
        text = "\n\n".join(filter(None, (current.text, self.end.text)))
        return Draft((*current.attachments, *self.end.attachments), text)

    def step(self, current: Draft, by: int) -> Draft | None:
        """Move to an older (-1) or newer (+1) entry, saving `current`; return it, or None if there is none."""
        if not 0 <= self._at + by < len(self._entries):
            return None
        self._entries[self._at] = current
        self._at += by
        self._shown = self._entries[self._at]
        return self._shown
