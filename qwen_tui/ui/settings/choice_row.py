"""The row of a switch, or of a choice among a few words."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from qwen_tui.strings import say
from qwen_tui.ui.settings.row import SettingRow


class ChoiceRow(SettingRow):
    """A value out of a few. An unset switch changes to the opposite of what applies."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "choose(1)", say("panes.key.next"), id="settings.next", show=False),
        Binding("left", "choose(-1)", say("panes.key.previous"), id="settings.previous", show=False),
    ]

    def begin(self) -> None:
        self.action_choose(1)

    def action_choose(self, by: int) -> None:
        resolved = self.resolved
        if self.option.kind == "switch":
            self.change(not (resolved.own if resolved.value is None else resolved.value))
            return
        choices = self.option.choices
        self.change(choices[(choices.index(resolved.value) + by) % len(choices)])
