"""What a growing log has to know of its scrolling, and cannot ask Textual for."""

from textual.screen import Screen
from textual.widget import Widget


def is_anchor_released(widget: Widget) -> bool:
    """Whether the person has scrolled away from an end that the view was anchored to."""
    return widget._anchor_released


def lay_out_now(screen: Screen[object]) -> None:
    """Lay the screen out at once: the place of what was just mounted is needed in the same breath."""
    screen._refresh_layout()
