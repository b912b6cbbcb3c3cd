"""The menu of presets: sampling values by name for this conversation, and a field to name its present ones."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from qwen_tui.chat.cleaning import one_line
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.session import ChatSession
from qwen_tui.session.storage import Storage
from qwen_tui.settings.options import OPTIONS, Settings
from qwen_tui.settings.presets import (
    BUILT_IN,
    MOST_CHARACTERS,
    SAMPLING,
    Preset,
    of,
    own_presets,
    save_preset,
)
from qwen_tui.strings import say
from qwen_tui.ui.widgets.keys import keys_of
from qwen_tui.ui.widgets.prose import Prose
from qwen_tui.wording.cell_width import cells, cropped, displayed
from qwen_tui.wording.settings import worded

_NAME_CELLS = 18


def name_of(preset: Preset) -> str:
    """Return a preset's name for the screen."""
    return displayed(preset.name) if preset.is_own else say(f"preset.{preset.name}")


def values_of(preset: Preset) -> str:
    """Return a preset's values in words: `temperature 0.20 · top-p 0.90`."""
    parts = []
    for name, value in preset.values.items():
        option = OPTIONS[name]
        parts.append(f"{option.label} {worded(option, value)}")
    return " · ".join(parts) or say("preset.no_values")


class PresetMenu(ModalScreen[Preset | None]):
    """Enter gives the conversation the values of a preset, and returns it; esc returns None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", say("preset.key.close"), id="presets.close"),
        Binding("f7", "dismiss(None)", say("preset.key.close"), id="presets.toggle", show=False),
        Binding("slash", "name", say("preset.key.save"), id="presets.save"),
        Binding("delete", "delete", say("preset.key.delete"), id="presets.delete"),
    ]
    DEFAULT_CSS: ClassVar[str] = """
    PresetMenu {
        align: center middle;
        #presets-box {
            width: 76;
            max-width: 100%;
            height: auto;
            max-height: 100%;
            border: round $border;
            border-title-color: $text-accent;
            border-subtitle-color: $text-muted;
            background: $background;
        }
        OptionList { height: auto; max-height: 14; border: none; padding: 0; background: transparent; }
        OptionList:focus { border: none; background-tint: transparent; }
        OptionList > .option-list--option-highlighted {
            color: $foreground; background: transparent; text-style: none;
        }
        OptionList:focus > .option-list--option-highlighted { background: $foreground 12%; text-style: none; }
        OptionList:ansi:focus > .option-list--option-highlighted { background: transparent; text-style: reverse; }
        #presets-name { margin: 1 1 0 1; }
        #presets-said { height: auto; min-height: 2; padding: 0 2; color: $text-muted; }
        #presets-said.-problem { color: $text-error; }
    }
    """

    def __init__(self, session: ChatSession, defaults: Settings, config_file: Path, storage: Storage) -> None:
        super().__init__()
        self._session = session
        self._defaults = defaults
        self._file = config_file
        self._storage = storage
        self._presets: list[Preset] = list(BUILT_IN)

    def compose(self) -> ComposeResult:
        with Vertical(id="presets-box") as box:
            keys = keys_of(self, use="presets.use", save="presets.save", close="presets.close")
            box.border_title = Content(say("preset.title"))
            box.border_subtitle = Content(say("preset.keys", **keys))
            yield _Presets(id="presets-list", markup=False)
            field = Input(placeholder=say("preset.name"), id="presets-name", compact=True)
            field.max_length = MOST_CHARACTERS
            yield field
            yield Static("", id="presets-said", markup=False)

    async def on_mount(self) -> None:
        self._list()
        await self._read()
        in_force = (at for at, each in enumerate(self._presets) if each.is_in_force(self._settings))
        self.query_one(OptionList).highlighted = next(in_force, 0)

    @property
    def _settings(self) -> Settings:
        return self._defaults.with_overrides(self._session.conversation.overrides)

    async def _read(self) -> None:
        self._presets = [*BUILT_IN, *await self._storage.run(partial(own_presets, self._file))]
        self._list()

    def _list(self) -> None:
        presets = self.query_one(OptionList)
        at = presets.highlighted or 0
        presets.set_options(Option(self._line(preset)) for preset in self._presets)
        presets.highlighted = min(at, len(self._presets) - 1)

    def _line(self, preset: Preset) -> Content:
        name = cropped(name_of(preset), _NAME_CELLS)
        name += " " * (_NAME_CELLS - cells(name))
        in_force = preset.is_in_force(self._settings)
        return Content.assemble(
            (f" {'●' if in_force else ' '} {name}", "bold $text-accent" if in_force else ""),
            (f" {values_of(preset)}", "$text-muted"),
        )

    @on(OptionList.OptionSelected)
    def _use(self, event: OptionList.OptionSelected) -> None:
        preset = self._presets[event.option_index]
        overrides = preset.overrides(self._session.conversation.overrides, self._defaults)
        self._session.adjust(lambda conversation: replace(conversation, overrides=overrides))
        self.dismiss(preset)

    @on(Input.Submitted)
    async def _save(self, event: Input.Submitted) -> None:
        event.stop()
        name = one_line(event.value, MOST_CHARACTERS)
        if not name:
            return
        settings = self._settings
        values = of({each: getattr(settings, each) for each in SAMPLING})
        if await self._changed(
            partial(save_preset, self._file, name, values), say("preset.saved", name=name)
        ):
            event.input.value = ""
            self.set_focus(self.query_one(OptionList))

    async def action_delete(self) -> None:
        """Delete a preset of the person's own."""
        preset = self._presets[self.query_one(OptionList).highlighted or 0]
        if not preset.is_own:
            self._say(say("preset.built_in"))
            return
        said = say("preset.deleted", name=name_of(preset))
        await self._changed(partial(save_preset, self._file, preset.name, None), said)

    async def _changed(self, change: Callable[[], None], said: str) -> bool:
        """Change the config file and the list; return whether that was possible."""
        try:
            await self._storage.run(change)
        except QwenTuiError as error:
            self._say(str(error), is_problem=True)
            return False
        await self._read()
        self._say(said)
        return True

    def action_name(self) -> None:
        self.set_focus(self.query_one(Input))

    def action_back(self) -> None:
        if self.query_one(Input).has_focus:
            self.set_focus(self.query_one(OptionList))
        else:
            self.dismiss(None)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave the slash and delete to the field while the person types in it."""
        is_typing = bool(self.query(Input)) and self.query_one(Input).has_focus
        return not (is_typing and action in ("name", "delete"))

    def _say(self, words: str, *, is_problem: bool = False) -> None:
        said = self.query_one("#presets-said", Static)
        said.update(Prose(words))
        said.set_class(is_problem, "-problem")


class _Presets(OptionList, inherit_bindings=False):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "cursor_up", say("panes.key.up"), id="presets.up", show=False),
        Binding("down", "cursor_down", say("panes.key.down"), id="presets.down", show=False),
        Binding("enter", "select", say("preset.key.use"), id="presets.use"),
    ]
