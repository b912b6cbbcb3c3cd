"""The two-way switch that says whose values are edited: this conversation's, or the person's defaults."""

from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from qwen_tui import strings
from qwen_tui.settings.resolution import Layer
from qwen_tui.wording.cell_width import cells

_LAYERS: tuple[Layer, Layer] = ("conversation", "defaults")
_GAP = "   "


class LayerSwitch(Widget, can_focus=True):
    """Two names in one line, the chosen one underlined in the accent colour."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left",
            "choose('conversation')",
            strings.say("panes.layer.conversation"),
            id="settings.conversation",
            show=False,
        ),
        Binding(
            "right",
            "choose('defaults')",
            strings.say("panes.layer.defaults"),
            id="settings.defaults",
            show=False,
        ),
        Binding(
            "space,enter",
            "other",
            strings.say("panes.key.other_layer"),
            id="settings.other_layer",
            show=False,
        ),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"layer-switch--chosen", "layer-switch--other"}

    DEFAULT_CSS = """
    LayerSwitch {
        height: 1;
        width: 1fr;
        padding: 0 1 0 2;
        & > .layer-switch--chosen { color: $text-accent; text-style: bold underline; }
        & > .layer-switch--other { color: $foreground 60%; }
        &:focus { background: $foreground 12%; }
        &:ansi > .layer-switch--other { text-style: dim; }
        &:ansi > .layer-switch--chosen { text-style: bold; }
        &:ansi:focus { background: transparent; }
        &:ansi:focus > .layer-switch--chosen { text-style: bold underline; }
    }
    """

    class Chosen(Message):
        """The person chose whose values to edit."""

        def __init__(self, layer: Layer) -> None:
            super().__init__()
            self.layer: Layer = layer

    chosen: reactive[Layer] = reactive[Layer]("conversation")

    def render(self) -> Content:
        """Both names, side by side."""
        styles = {
            layer: self.get_visual_style(
                "layer-switch--chosen" if layer == self.chosen else "layer-switch--other", partial=True
            )
            for layer in _LAYERS
        }
        first, second = _LAYERS
        return Content.assemble((_name(first), styles[first]), _GAP, (_name(second), styles[second]))

    @on(events.Click)
    def _choose_on_click(self, event: events.Click) -> None:
        first, second = _LAYERS
        boundary = self.styles.padding.left + cells(_name(first) + _GAP)
        self.action_choose(first if event.x < boundary else second)

    def action_choose(self, layer: Layer) -> None:
        """Edit the values of this layer."""
        if layer != self.chosen:
            self.post_message(self.Chosen(layer))

    def action_other(self) -> None:
        """Edit the values of the other layer."""
        self.action_choose("defaults" if self.chosen == "conversation" else "conversation")


def _name(layer: Layer) -> str:
    return strings.say(f"panes.layer.{layer}")
