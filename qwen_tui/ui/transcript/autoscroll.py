"""A scrolling container that stays at its end while it grows, until the person scrolls away."""

from textual import events
from textual.containers import VerticalScroll
from textual.message import Message as Posted

from qwen_tui.ui.textual_patches.scrolling import is_anchor_released

NEAR_END = 3
"""Rows from the end within which scrolling down follows again: text that grows cannot be caught up with."""


class FollowingScroll(VerticalScroll):
    """Follows its end, and says when it does not."""

    DEFAULT_CSS = """
    FollowingScroll {
        layout: stream;
        scrollbar-size-vertical: 1;
        /* Its column is kept free, so that what no longer fits is not laid out twice. */
        scrollbar-gutter: stable;
    }
    """

    class LeftEnd(Posted, namespace="chat_log"):
        """The person scrolled away from the newest text (`is_away`), or came back to it."""

        def __init__(self, is_away: bool) -> None:
            super().__init__()
            self.is_away = is_away

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._is_away = False

    def update_node_styles(self, animate: bool = True) -> None:
        """Do nothing: a change of focus would otherwise restyle every message (100 ms with 100 of them)."""

    @property
    def is_following(self) -> bool:
        """Whether the view stays at the newest text."""
        return self.is_anchored and not is_anchor_released(self) and not self.has_more_below

    @property
    def has_more_below(self) -> bool:
        """Whether the end of what is mounted is not the end of what there is."""
        return False

    def follow(self) -> None:
        """Go to the end and stay there."""
        self.anchor()
        self.say_where()

    def say_where(self) -> None:
        """Say whether the newest text is followed, when that has changed."""
        is_away = self.is_anchored and not self.is_following and self.max_scroll_y > 0
        if is_away is not self._is_away:
            self._is_away = is_away
            self.post_message(self.LeftEnd(is_away))

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Scrolling may reach the end or leave it."""
        super().watch_scroll_y(old_value, new_value)
        self.say_where()

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

    def _follow_if_near(self) -> None:
        if (
            not self.is_following
            and self.max_scroll_y - self.scroll_y <= NEAR_END
            and not self.has_more_below
        ):
            self.follow()
