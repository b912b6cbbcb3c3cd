"""The row of a switch, or of a choice among a few words."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from qwen_tui.strings import say
from qwen_tui.ui.settings.row import SettingRow


class ChoiceRow(SettingRow):
    """A value out of a few, or none of them. An unset switch changes to the opposite of what applies."""

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
        choices = (*((None,) if self.option.optional else ()), *resolved.choices)
        place = choices.index(resolved.value) if resolved.value in choices else 0
        self.change(choices[(place + by) % len(choices)])
