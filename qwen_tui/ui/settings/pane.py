"""The settings in a pane: what is in force, where it comes from, and the keys to change it."""

from collections.abc import Mapping
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from qwen_tui import strings
from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import ModelInfo
from qwen_tui.settings.options import OPTIONS, Option, Settings
from qwen_tui.settings.resolution import Layer, standing
from qwen_tui.ui.settings.choice_row import ChoiceRow
from qwen_tui.ui.settings.help import HelpLines
from qwen_tui.ui.settings.number_row import NumberRow
from qwen_tui.ui.settings.row import SettingRow
from qwen_tui.ui.settings.scope_switch import LayerSwitch
from qwen_tui.ui.settings.system_prompt import PromptRow, PromptText
from qwen_tui.ui.settings.text_row import TextRow
from qwen_tui.ui.widgets.keys import keys_of

ROW_OF_KIND: dict[str, type[SettingRow]] = {
    "number": NumberRow,
    "integer": NumberRow,
    "switch": ChoiceRow,
    "choice": ChoiceRow,
    "text": TextRow,
    "prose": PromptRow,
}

LEFT_OUT = ("trust_remote_code", "quantized_cache_gb", "theme")
"""Not for a pane: one wants to be thought about, one is set once, and one has a command that shows the colours."""


class SettingsPane(Vertical):
    """Every setting of sampling, system prompt, memory and model, in two layers.

    Shows the attributes it is given and keeps none of its own except which layer is being edited.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that the next key already meets the next row, however fast it comes.
        Binding(
            "down", "walk(1)", strings.say("panes.key.down"), id="settings.down", show=False, priority=True
        ),
        Binding("up", "walk(-1)", strings.say("panes.key.up"), id="settings.up", show=False, priority=True),
    ]

    DEFAULT_CSS = """
    SettingsPane {
        height: 100%;
        & > .heading { height: 1; padding: 0 2; text-style: bold; }
        & > #settings-busy { height: 1; padding: 0 2; color: $text-muted; visibility: hidden; }
        &.-busy > #settings-busy { visibility: visible; }
        & > #settings-rows { height: 1fr; overflow-y: auto; scrollbar-size-vertical: 1; }
        & .section { height: 2; padding: 1 2 0 2; color: $foreground 60%; text-style: bold; }
        & .section.-first { height: 1; padding: 0 2; }
        & PromptRow { margin-top: 1; }
    }
    """

    class Changed(Message):
        """The person gave a setting a value that has been checked.

        A held arrow key sends one of these at every repeat.
        """

        def __init__(self, name: str, value: Json, layer: Layer) -> None:
            super().__init__()
            self.name = name
            self.value = value
            self.layer: Layer = layer

    class Reset(Message):
        """The person takes a setting's value back: out of the conversation, or out of the defaults."""

        def __init__(self, name: str, layer: Layer) -> None:
            super().__init__()
            self.name = name
            self.layer: Layer = layer

    class ModelRequested(Message):
        """The person wants this model loaded now."""

        def __init__(self, model: str | None, quantization: str, device: str) -> None:
            super().__init__()
            self.model = model
            self.quantization = quantization
            self.device = device

    settings: reactive[Settings] = reactive(Settings())
    """The person's defaults."""
    overrides: reactive[Mapping[str, Json]] = reactive[Mapping[str, Json]](dict)
    """What the conversation that is shown sets for itself."""
    info: reactive[ModelInfo | None] = reactive[ModelInfo | None](None)
    """The model that is loaded."""
    busy: reactive[bool] = reactive(False, toggle_class="-busy")
    """A reply is being written."""
    edited_layer: reactive[Layer] = reactive[Layer]("conversation")
    """Whose values the person is editing."""

    def compose(self) -> ComposeResult:
        """Heading and switch, the sections, the help."""
        yield Static(strings.say("panes.settings"), classes="heading", markup=False)
        yield LayerSwitch()
        yield Static(strings.say("panes.busy"), id="settings-busy", markup=False)
        with Vertical(id="settings-rows"):
            yield from _section("sampling", first=True)
            yield from _section("system")
            yield from _section("memory")
            yield from _section("model")
        yield HelpLines()

    def on_mount(self) -> None:
        """Show what was given before there were rows."""
        self._show()
        self._explain(None)

    def watch_settings(self) -> None:
        """Show the defaults as they are now."""
        self._show_if_mounted()

    def watch_overrides(self) -> None:
        """Show the conversation's own values as they are now."""
        self._show_if_mounted()

    def watch_info(self) -> None:
        """Show what the model itself sets, and what it offers."""
        self._show_if_mounted()

    def watch_edited_layer(self) -> None:
        """Show the values of the other layer."""
        self._show_if_mounted()
        if self._is_complete:
            self._explain(self.screen.focused)

    @on(LayerSwitch.Chosen)
    def _choose_layer(self, event: LayerSwitch.Chosen) -> None:
        event.stop()
        self.edited_layer = event.layer

    @on(SettingRow.Edited)
    def _edited(self, event: SettingRow.Edited) -> None:
        event.stop()
        self._change(event.name, event.value)

    @on(PromptText.Written)
    def _written(self, event: PromptText.Written) -> None:
        event.stop()
        self._change("system_prompt", event.text)

    @on(SettingRow.ResetWanted)
    def _reset(self, event: SettingRow.ResetWanted) -> None:
        event.stop()
        self.post_message(self.Reset(event.name, self._layer_of(event.name)))

    @on(SettingRow.LoadWanted)
    def _load(self, event: SettingRow.LoadWanted) -> None:
        event.stop()
        wanted = self.settings.model_spec
        self.post_message(self.ModelRequested(wanted.model, wanted.quantization, wanted.device))

    @on(PromptRow.WriteWanted)
    def _write(self, event: PromptRow.WriteWanted) -> None:
        event.stop()
        self.query_one(PromptText).focus()

    @on(SettingRow.Remarked)
    def _remarked(self, event: SettingRow.Remarked) -> None:
        event.stop()
        self._explain(self.screen.focused)

    @on(events.DescendantFocus)
    def _focused(self, event: events.DescendantFocus) -> None:
        if self._is_complete:
            self._explain(event.widget)

    @on(events.DescendantBlur)
    def _blurred(self) -> None:
        if self._is_complete:
            self._explain(self.screen.focused)  # the row that has it now may have said so before

    def action_walk(self, by: int) -> None:
        """Go to the next or the previous row."""
        focused = self.screen.focused
        walked = [w for w in self.query("LayerSwitch, SettingRow") if w.focusable]
        inside = focused.ancestors_with_self if focused is not None else ()
        at = next((i for i, w in enumerate(walked) if w in inside), 0)
        self.screen.set_focus(walked[(at + by) % len(walked)])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave up and down to the text of the system prompt while it is written."""
        return not (action == "walk" and isinstance(self.screen.focused, PromptText))

    def _layer_of(self, name: str) -> Layer:
        return self.edited_layer if OPTIONS[name].per_conversation else "defaults"

    def _change(self, name: str, value: Json) -> None:
        layer = self._layer_of(name)
        below = getattr(self.settings, name) if layer == "conversation" else None
        if value is None and below is None:
            self.post_message(self.Reset(name, layer))
        else:
            self.post_message(self.Changed(name, value, layer))

    def _show_if_mounted(self) -> None:
        if self.is_mounted and self._is_complete:
            self._show()

    @property
    def _is_complete(self) -> bool:
        """Whether all rows are there: they come after the pane, and leave before it."""
        return bool(self.query(LayerSwitch) and self.query(PromptText) and self.query(HelpLines))

    def _show(self) -> None:
        self.query_one(LayerSwitch).chosen = self.edited_layer
        for row in self.query(SettingRow):
            name = row.option.name
            row.show(standing(name, self.edited_layer, self.settings, self.overrides, self.info))
            row.set_class(name == "thinking" and not (self.info and self.info.can_think), "-absent")
        self.query_one(PromptText).show(self.query_one(PromptRow).standing.value)

    def _explain(self, focused: Widget | None) -> None:
        help_lines = self.query_one(HelpLines)
        for widget in focused.ancestors_with_self if focused is not None else ():
            if isinstance(widget, SettingRow):
                words = widget.problem or " ".join(filter(None, (widget.remark, widget.option.help)))
                return help_lines.tell(words, widget.hint, problem=bool(widget.problem))
            if isinstance(widget, PromptText):
                option = OPTIONS["system_prompt"]
                return help_lines.tell(option.help, strings.say("panes.hint.writing"))
            if isinstance(widget, LayerSwitch):
                words = strings.say(f"panes.layer.{self.edited_layer}.help")
                keys = keys_of(self, previous="settings.conversation", next="settings.defaults")
                return help_lines.tell(words, strings.say("panes.hint.layer", **keys))
        return help_lines.tell(strings.say("panes.legend"), "")


def _section(group: str, *, first: bool = False) -> ComposeResult:
    options = [o for o in OPTIONS.values() if o.group == group and o.name not in LEFT_OUT]
    if group != "system":
        heading = strings.say(f"panes.section.{group}")
        yield Static(heading, classes="section -first" if first else "section", markup=False)
    for option in options:
        yield _row(option)
        if option.kind == "prose":
            yield PromptText(strings.say("panes.unset.system_prompt"))


def _row(option: Option) -> SettingRow:
    return ROW_OF_KIND[option.kind](option)
