"""A scrolling container that stays at its end while it grows, until the person scrolls away."""

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll

from qwen_tui.strings import say
from qwen_tui.ui.latest_hint import LatestHint

NEAR_END = 3
"""Rows from the end within which scrolling down follows again: text that grows cannot be caught up with."""


class FollowingScroll(VerticalScroll):
    """Follows its end; shows `↓ latest` when it does not."""

    DEFAULT_CSS = """
    FollowingScroll {
        layout: stream;
        layers: base above;
        padding: 1 0 0 0;
        scrollbar-size-vertical: 1;
    }
    """

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._hint = LatestHint(say("chat.latest"))

    def compose(self) -> ComposeResult:
        """Only the hint; the rest is mounted later."""
        yield self._hint

    def update_node_styles(self, animate: bool = True) -> None:
        """Do nothing: a change of focus would otherwise restyle every message (100 ms with 100 of them)."""

    @property
    def is_following(self) -> bool:
        """Whether the view stays at the newest text."""
        return self.is_anchored and not self._anchor_released and not self.has_more_below

    @property
    def has_more_below(self) -> bool:
        """Whether the end of what is mounted is not the end of what there is."""
        return False

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.anchor()
        self.show_hint()

    def show_hint(self) -> None:
        """Show the hint, or hide it, as is right now."""
        lost = self.is_anchored and not self.is_following and self.max_scroll_y > 0
        if lost is not self._hint.display:
            self._hint.display = lost

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling may reach the end or leave it."""
        super().watch_scroll_y(old_value, new_value)
        self.show_hint()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Close to the end, scrolling down means following it."""
        self.call_after_refresh(self._follow_if_near)

    def action_scroll_down(self) -> None:
        """One row down."""
        super().action_scroll_down()
        self.call_after_refresh(self._follow_if_near)

    def action_page_down(self) -> None:
        """One page down."""
        super().action_page_down()
        self.call_after_refresh(self._follow_if_near)

    def action_scroll_end(self) -> None:
        """To the newest text."""
        self.follow()

    @on(LatestHint.Pressed)
    def _go_to_latest(self, event: LatestHint.Pressed) -> None:
        event.stop()
        self.follow()

    def _follow_if_near(self) -> None:
        if (
            not self.is_following
            and self.max_scroll_y - self.scroll_y <= NEAR_END
            and not self.has_more_below
        ):
            self.follow()
