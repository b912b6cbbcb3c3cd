"""Making every frame where there is no terminal, to measure what drawing costs."""

from typing import Any

from textual._compositor import CompositorUpdate  # what is drawn, as the driver gets it
from textual.app import App
from textual.screen import Screen


class EveryFrame(App[None]):
    """An app without a terminal that makes what one would get; Textual leaves that out."""

    def frame_drawn(self) -> None:
        """For a subclass: a frame has been drawn."""

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        if isinstance(renderable, CompositorUpdate):
            renderable.render_segments(self.console)
        super()._display(screen, renderable)
        self.frame_drawn()
