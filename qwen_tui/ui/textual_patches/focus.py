"""Giving the keyboard to a widget at once."""

from textual.widget import Widget


def focus_at_once(widget: Widget) -> None:
    """Give the keyboard to a widget, also one that has just been made visible by a class.

    `Widget.focus` waits for the styles to be worked out and for its turn; keys that the person has typed by then
    would go to whatever had the keyboard before.
    """
    widget.app.stylesheet.update_nodes([*reversed(widget.ancestors_with_self)])
    widget.screen.set_focus(widget)
