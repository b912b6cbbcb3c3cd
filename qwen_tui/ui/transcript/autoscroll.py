"""A scrolling container that follows its end while it grows, until the person scrolls away."""

from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import var
from textual.widgets import Static

from qwen_tui.strings import say
from qwen_tui.ui.textual_patches.scrolling import is_anchor_released

NEAR_END = 3
"""Scrolling down to within this many rows of the end follows it again: nobody can catch up with growing text."""


class Autoscroll(VerticalScroll):
    """Follows its end, and reports when it has stopped following."""

    DEFAULT_CSS = """
    Autoscroll {
        layout: stream;
        scrollbar-size-vertical: 1;
        /* Reserves the column of the scrollbar, so that its appearance does not cause a second layout. */
        scrollbar-gutter: stable;
    }
    """

    is_away = var(False, init=False)
    """Whether the person has scrolled away from the newest text; updated by `check_end`."""
    has_more_below = False
    """Whether there is more content than what is mounted."""
    is_moved = False
    """Whether the program is scrolling now, not the person."""

    def update_node_styles(self, animate: bool = True) -> None:
        """Do nothing: otherwise a focus change would restyle every message (100 ms with 100 of them)."""

    @property
    def is_following(self) -> bool:
        return self.is_anchored and not is_anchor_released(self) and not self.has_more_below

    def follow(self) -> None:
        self.anchor()
        self.check_end()

    def check_end(self) -> None:
        self.is_away = self.is_anchored and not self.is_following and self.max_scroll_y > 0

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.check_end()
        if new_value > old_value and not self.is_moved and not self.is_following:
            self.call_after_refresh(self._follow_if_near)

    def _follow_if_near(self) -> None:
        is_near = self.max_scroll_y - self.scroll_y <= NEAR_END
        if is_near and not self.is_following and not self.has_more_below:
            self.follow()


class LatestHint(Static):
    """`↓ latest` below the log; a click scrolls there."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    LatestHint {
        width: auto;
        height: 1;
        padding: 0 1;
        background: $accent 20%;
        color: $text-accent;
        display: none;
        &:hover { background: $accent 40%; }
        &:ansi { background: ansi_default; text-style: reverse; }
    }
    """

    def __init__(self) -> None:
        super().__init__(Content(say("chat.latest")))
