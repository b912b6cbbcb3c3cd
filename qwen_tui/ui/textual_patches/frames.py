"""Render every frame without a terminal, to measure the cost of drawing."""

from typing import Any

from textual._compositor import CompositorUpdate  # a frame, as the driver receives it
from textual.app import App
from textual.screen import Screen


class EveryFrame(App[None]):
    """A headless app that renders what a terminal would get; Textual skips that."""

    def frame_drawn(self) -> None:
        """Called after each frame; for subclasses."""

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable.render_segments(self.console)
        super()._display(screen, renderable)
        self.frame_drawn()
