"""Which messages of a long conversation have a widget: a window that moves with what is being read."""

from typing import NamedTuple

OPENED = 60
"""Messages that are shown when a conversation is opened, from its end."""
PAGE = 40
"""Messages that are added when the person scrolls past an end."""
MOST = 300
"""Messages beyond which the far end is taken away again: every layout walks every widget."""


class Window(NamedTuple):
    """Positions in the conversation: from `first` up to, not including, `last`."""

    first: int
    last: int

    def __contains__(self, position: object) -> bool:
        return isinstance(position, int) and self.first <= position < self.last

    def with_older(self) -> "Window":
        """A page more at the beginning."""
        return Window(max(0, self.first - PAGE), self.last)

    def with_newer(self, total: int) -> "Window":
        """A page more at the end."""
        return Window(self.first, min(total, self.last + PAGE))

    def without_newest(self) -> "Window":
        """At most `MOST` messages, the oldest."""
        return Window(self.first, min(self.last, self.first + MOST))

    def without_oldest(self) -> "Window":
        """At most `MOST` messages, the newest."""
        return Window(max(self.first, self.last - MOST), self.last)


def newest(total: int) -> Window:
    """Where a conversation of `total` messages is opened."""
    return Window(max(0, total - OPENED), total)


def around(position: int, total: int) -> Window:
    """A window that holds a message somewhere in the conversation."""
    first = max(0, min(position - OPENED // 2, total - OPENED))
    return Window(first, min(total, first + OPENED))
