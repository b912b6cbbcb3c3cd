"""Focus a widget immediately."""

from textual.widget import Widget


def focus_at_once(widget: Widget) -> None:
    """Focus a widget immediately, even one that a class has just made visible.

    `Widget.focus` waits for the styles to be updated and for its turn; keys typed meanwhile would go to the
    previously focused widget.
    """
    widget.app.stylesheet.update_nodes([*reversed(widget.ancestors_with_self)])
    widget.screen.set_focus(widget)
