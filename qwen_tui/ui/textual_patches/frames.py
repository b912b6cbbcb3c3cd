"""Render every frame without a terminal, to measure the cost of drawing."""

from collections.abc import Callable
from typing import Any

from textual._compositor import CompositorUpdate  # a frame, as the driver receives it
from textual.app import App
from textual.screen import Screen


def watch_frames(app: App[Any], drawn: Callable[[], None]) -> None:
    """Have a headless app render what a terminal would get, and call `drawn` after each frame."""
    display = app._display

    def display_rendered(screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable.render_segments(app.console)
        display(screen, renderable)
        drawn()

    app._display = display_rendered  # type: ignore[method-assign]
