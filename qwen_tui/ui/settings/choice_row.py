"""A switch, or a choice among a few words: one key goes to the next."""

from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType

from qwen_tui import strings
from qwen_tui.ui.settings.row import SettingRow


class ChoiceRow(SettingRow):
    """A value out of a few. An unset switch goes to the opposite of what the checkpoint does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space,right", "choose(1)", strings.say("panes.key.next"), id="settings.next", show=False),
        Binding("left", "choose(-1)", strings.say("panes.key.previous"), id="settings.previous", show=False),
        Binding("enter", "enter", strings.say("panes.key.change"), id="settings.change", show=False),
    ]

    @on(events.Click)
    def _choose_on_click(self, event: events.Click) -> None:
        if event.x >= 2:
            self.action_choose(1)

    def action_choose(self, by: int) -> None:
        """Go to the next or the previous value."""
        standing = self.standing
        if self.option.kind == "switch":
            self.edit(not (standing.own if standing.value is None else standing.value))
            return
        choices = self.option.choices
        self.edit(choices[(choices.index(standing.value) + by) % len(choices)])

    def action_enter(self) -> None:
        """Load the model where that is due, else go to the next value."""
        if self.standing.loads:
            self.post_message(self.LoadWanted())
        else:
            self.action_choose(1)
