"""The settings panel: the rows, where their values come from, and the keys to change them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message as Posted
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Static

from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import ModelInfo
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import OPTIONS, Settings
from qwen_tui.settings.resolution import resolve
from qwen_tui.strings import say
from qwen_tui.ui.settings.choice_row import ChoiceRow
from qwen_tui.ui.settings.number_row import NumberRow
from qwen_tui.ui.settings.row import RESET, SettingRow
from qwen_tui.ui.settings.scope_switch import ScopeSwitch
from qwen_tui.ui.settings.system_prompt import PromptText, SystemPromptRow
from qwen_tui.ui.settings.text_row import TextRow
from qwen_tui.ui.widgets.keys import keys_of
from qwen_tui.ui.widgets.prose import Prose

ROW_OF_KIND: dict[str, type[SettingRow]] = {
    "number": NumberRow,
    "integer": NumberRow,
    "switch": ChoiceRow,
    "choice": ChoiceRow,
    "text": TextRow,
    "prose": SystemPromptRow,
}

LEFT_OUT = ("trust_remote_code", "quantized_cache_gb", "theme")
"""Settings without a row: one needs deliberation, one is set once, and one has a command with a preview."""


SHORT = 28
"""A panel of fewer rows has less room for the help."""


class SettingsPane(Vertical):
    """The settings of sampling, system prompt, memory, model and screen, in two scopes.

    The panel changes the conversation's overrides itself; defaults are changed by the app. The panel is a
    single tab stop: the row visited last.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        # With priority, so that the next key already goes to the next row, however fast it comes.
        Binding("down", "walk(1)", say("panes.key.down"), id="settings.down", show=False, priority=True),
        Binding("up", "walk(-1)", say("panes.key.up"), id="settings.up", show=False, priority=True),
        Binding("pagedown", "jump(1)", say("panes.key.section_down"), id="settings.section_down", show=False),
        Binding("pageup", "jump(-1)", say("panes.key.section_up"), id="settings.section_up", show=False),
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
        /* Help for the focused row, or its error. The height is fixed, so that nothing jumps. */
        & > #settings-foot { dock: bottom; height: 7; padding: 0 1 0 2; border-top: solid $foreground 15%; }
        & #setting-help { height: 5; color: $text-muted; }
        & #setting-keys { height: 1; color: $text-disabled; }
        &.-problem #setting-help { color: $text-error; }
        &.-short > #settings-foot { height: 5; }
        &.-short #setting-help { height: 3; }
        &:ansi {
            & > #settings-foot { border-top: solid $border-blurred; }
            & > #settings-foot > Static { text-style: dim; }
            &.-problem #setting-help { text-style: none; }
        }
    }
    """

    @dataclass
    class DefaultsChanged(Posted):
        """The person changed a default; None resets it."""

        name: str
        value: Json

    busy: reactive[bool] = reactive(False, toggle_class="-busy")
    """A reply is being written in the conversation."""

    def __init__(self, session: ChatSession, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._session = session
        self._settings = Settings()
        self._info: ModelInfo | None = None
        self._rows: dict[str, SettingRow] = {}
        """Rows by setting; empty before `complete`."""
        self._switch = ScopeSwitch()
        self._help = Static(id="setting-help", markup=False)
        self._keys = Static(id="setting-keys", markup=False)
        self._tab_stop: Widget = self._switch

    def complete(self) -> None:
        """Mount the rows after the first frame, which does not need them."""
        options = [option for name, option in OPTIONS.items() if name not in LEFT_OUT]
        self._rows = {each.name: ROW_OF_KIND[each.kind](each, self._change) for each in options}
        self.mount(
            Static(say("panes.settings"), classes="heading", markup=False),
            self._switch,
            Static(say("panes.busy"), id="settings-busy", markup=False),
            Vertical(*self._sections(), id="settings-rows"),
            Vertical(self._help, self._keys, id="settings-foot"),
        )
        self._move_tab_stop(self._switch)
        self._show()
        for row in self._rows.values():
            self.watch(row, "said", self._explain, init=False)
        self._explain()

    def _sections(self) -> Iterator[Widget]:
        group = ""
        for row in self._rows.values():
            if row.option.group not in (group, "system"):  # the system prompt is a group of one row
                classes = "section" if group else "section -first"
                yield Static(say(f"panes.section.{row.option.group}"), classes=classes, markup=False)
            group = row.option.group
            yield row

    # --- State down -----------------------------------------------------------------------------------

    def show_defaults(self, settings: Settings) -> None:
        self._settings = settings
        self._show()

    def show_model(self, info: ModelInfo | None) -> None:
        self._info = info
        self._show()

    def show_session(self, session: ChatSession, *, busy: bool = False) -> None:
        """Show the settings of a conversation; `busy` while a reply is written in it."""
        if session.conversation.id != self._session.conversation.id:
            for row in self._rows.values():
                row.finish()  # an open draft belongs to the previous conversation
        self._session = session
        self.busy = busy
        self._show()

    def _show(self) -> None:
        scope, overrides = self._switch.chosen, self._session.conversation.overrides
        for name, row in self._rows.items():
            row.resolved = resolve(name, scope, self._settings, overrides, self._info)
        stop = self._tab_stop
        if isinstance(stop, SettingRow) and not stop.resolved.applies:
            self._move_tab_stop(self._switch)
            if stop.has_focus_within:
                self.screen.set_focus(self._switch)

    @on(events.DescendantBlur)
    def _explain(self) -> None:
        at = self._place_of(self.screen.focused)
        words, hint, is_problem = say("panes.legend"), "", False
        if isinstance(at, SettingRow):
            words, hint, is_problem = at.said
        elif at is not None:
            keys = keys_of(self, previous="settings.conversation", next="settings.defaults")
            words, hint = say(f"panes.scope.{self._switch.chosen}.help"), say("panes.hint.scope", **keys)
        self.set_class(is_problem, "-problem")
        self._help.update(Prose(words), layout=False)
        self._keys.update(hint, layout=False)

    # --- Changes --------------------------------------------------------------------------------------

    def _change(self, name: str, value: Json) -> None:
        """Set a setting of the edited scope to a checked value, or reset it with `RESET`."""
        if self._switch.chosen == "defaults" or not OPTIONS[name].per_conversation:
            self.post_message(self.DefaultsChanged(name, None if value is RESET else value))
            return
        overrides = {**self._session.conversation.overrides, name: value}
        if value is RESET or (value is None and getattr(self._settings, name) is None):
            del overrides[name]
        self._session.adjust(lambda conversation: replace(conversation, overrides=overrides))
        self._show()

    @on(ScopeSwitch.Chosen)
    def _choose_scope(self, event: ScopeSwitch.Chosen) -> None:
        event.stop()
        self._show()
        self._explain()

    # --- Focus ----------------------------------------------------------------------------------------

    def go_to(self, name: str) -> None:
        self._focus(self._rows[name])

    def _focus(self, stop: Widget) -> None:
        self._move_tab_stop(stop)
        self.screen.set_focus(stop)

    def _move_tab_stop(self, stop: Widget) -> None:
        self._tab_stop.can_focus = False
        self._tab_stop = stop
        stop.can_focus = True

    def _place_of(self, inside: Widget | None) -> ScopeSwitch | SettingRow | None:
        if inside is None or self not in inside.ancestors:
            return None
        return next(
            (each for each in inside.ancestors_with_self if isinstance(each, ScopeSwitch | SettingRow)), None
        )

    @on(events.DescendantFocus)
    def _focused(self, event: events.DescendantFocus) -> None:
        stop = event.widget if isinstance(event.widget, PromptText) else self._place_of(event.widget)
        if stop is not None and stop is not self._tab_stop:
            self._move_tab_stop(stop)
        self._explain()

    @on(events.MouseDown)
    def _focus_clicked(self, event: events.MouseDown) -> None:
        """Focus what was clicked on: Textual focuses only what is a tab stop already."""
        if isinstance(event.widget, ScopeSwitch | SettingRow | PromptText):
            self._focus(event.widget)

    def action_walk(self, by: int) -> None:
        places = [self._switch, *(row for row in self._rows.values() if row.resolved.applies)]
        focused = self.screen.focused
        place = self._place_of(focused)
        at = places.index(place) if place in places else 0
        if by < 0 and isinstance(focused, PromptText):
            by = 0  # to its own line first
        self._focus(places[(at + by) % len(places)])

    def action_jump(self, by: int) -> None:
        """Go to the first row of the next section, or of this or the previous one."""
        stops: list[Widget] = [self._switch]
        group = ""
        for row in self._rows.values():
            if row.resolved.applies and row.option.group != group:
                group = row.option.group
                stops.append(row)
        places = [self._switch, *self._rows.values()]
        here = self._place_of(self.screen.focused)
        at = places.index(here) if here in places else 0
        ahead = [stop for stop in stops if (places.index(stop) - at) * by > 0]
        if ahead:
            self._focus(ahead[0 if by > 0 else -1])

    @on(events.Resize)
    def _fit_help(self, event: events.Resize) -> None:
        self.set_class(event.size.height < SHORT, "-short")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave up and down to the system prompt's text area, unless the cursor is at its edge."""
        focused = self.screen.focused
        if isinstance(focused, PromptText):
            return action == "walk" and focused.ends_at(int(str(parameters[0])))
        return True
