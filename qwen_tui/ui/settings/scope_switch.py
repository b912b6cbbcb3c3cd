"""The switch between the two scopes of settings: this conversation, or the person's defaults."""

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.message import Message as Posted
from textual.reactive import reactive
from textual.widget import Widget

from qwen_tui.settings.resolution import Scope
from qwen_tui.strings import say
from qwen_tui.wording.cell_width import cells

_GAP = "   "


class ScopeSwitch(Widget):
    """Two names on one line, the chosen one underlined in the accent colour."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "left",
            "choose('conversation')",
            say("panes.scope.conversation"),
            id="settings.conversation",
            show=False,
        ),
        Binding(
            "right", "choose('defaults')", say("panes.scope.defaults"), id="settings.defaults", show=False
        ),
        Binding("space,enter", "other", say("panes.key.other_scope"), id="settings.other_layer", show=False),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {"scope-switch--chosen", "scope-switch--other"}

    DEFAULT_CSS = """
    ScopeSwitch {
        height: 1;
        width: 1fr;
        padding: 0 1 0 2;
        & > .scope-switch--chosen { color: $text-accent; text-style: bold underline; }
        & > .scope-switch--other { color: $foreground 60%; }
        &:focus { background: $foreground 12%; }
        &:ansi > .scope-switch--other { text-style: dim; }
        &:ansi > .scope-switch--chosen { text-style: bold; }
        &:ansi:focus { background: transparent; }
        &:ansi:focus > .scope-switch--chosen { text-style: bold underline; }
    }
    """

    @dataclass
    class Chosen(Posted):
        """The person chose the other scope."""

    chosen: reactive[Scope] = reactive[Scope]("conversation")
    """The scope whose values are shown and edited."""

    def render(self) -> Content:
        return Content.assemble(self._written("conversation"), _GAP, self._written("defaults"))

    def _written(self, scope: Scope) -> Content:
        style = f"scope-switch--{'chosen' if scope == self.chosen else 'other'}"
        return Content.styled(say(f"panes.scope.{scope}"), self.get_visual_style(style, partial=True))

    @on(events.Click)
    def _choose_on_click(self, event: events.Click) -> None:
        boundary = self.styles.padding.left + cells(say("panes.scope.conversation") + _GAP)
        self.action_choose("conversation" if event.x < boundary else "defaults")

    def action_choose(self, scope: Scope) -> None:
        if scope != self.chosen:
            self.chosen = scope
            self.post_message(self.Chosen())

    def action_other(self) -> None:
        self.action_choose("defaults" if self.chosen == "conversation" else "conversation")
