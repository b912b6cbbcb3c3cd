"""Scrolling state that a growing log needs and Textual does not expose."""

from textual.screen import Screen
from textual.widget import Widget


def is_anchor_released(widget: Widget) -> bool:
    """Return whether the person has scrolled away from the end that the view was anchored to."""
    return widget._anchor_released


def lay_out_now(screen: Screen[object]) -> None:
    """Lay out the screen at once, to get the position of what was just mounted."""
    screen._refresh_layout()
