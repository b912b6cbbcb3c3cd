"""The application: owns the settings and the engine, and hands them down to the screen."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.screen import Screen
from textual.theme import ThemeProvider

from qwen_tui.chat.drafts import Drafts
from qwen_tui.engine.host import EngineHost, EngineState, OpenEngine
from qwen_tui.errors import QwenTuiError
from qwen_tui.paths import Places
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.storage import Storage
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.settings import config_file
from qwen_tui.settings.options import OPTIONS, Settings
from qwen_tui.strings import say
from qwen_tui.ui.chat_screen import ChatScreen
from qwen_tui.ui.config_check import unknown_names
from qwen_tui.ui.palette import chat_commands, command
from qwen_tui.ui.settings.pane import SettingsPane
from qwen_tui.ui.textual_patches.command_search import CommandSearch
from qwen_tui.ui.textual_patches.key_queue import KeysInOrder
from qwen_tui.ui.themes import THEMES

if TYPE_CHECKING:  # see `ChatScreen.on_message_log_requested`
    from qwen_tui.ui.models.screen import ModelScreen

LOOK_SECONDS = 1 / 15
"""How often the engine's state is polled."""

LEAVE_SECONDS = 0.5
"""How long quitting waits for a running reply to be saved; all but its last second is on disk anyway."""


class QwenTuiApp(KeysInOrder):
    """The qwen-tui application."""

    TITLE = "qwen-tui"
    CSS_PATH = "app.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", say("screen.key.quit"), id="app.quit", show=False, priority=True),
        Binding("ctrl+p", "command_palette", say("screen.key.commands"), id="app.commands", priority=True),
    ]

    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults, with the flags of this run applied."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """The state of the engine; None before it was requested."""

    def __init__(
        self,
        config: config_file.Config,
        where: Places,
        library: Library,
        drafts: Drafts,
        open_engine: OpenEngine,
        conversation: str | None = None,
        lesson: str = "",
    ) -> None:
        """Create the application; `lesson` is the name of one to begin with."""
        super().__init__()
        self._config = config
        self._where = where
        self._library = library
        self._turns = TurnQueue()
        self._storage = Storage()
        self._drafts = DraftKeeper(drafts, self._turns, self._storage)
        self._host = EngineHost(open_engine, self._turns.use, self._turns.is_answering)
        for theme in THEMES:
            self.register_theme(theme)
        problems = [*config.problems, *unknown_names(config)]
        self._screen = ChatScreen(library, self._turns, self._drafts, self._storage, conversation, problems)
        self._lesson = lesson
        self._models: ModelScreen | None = None
        """The most recently opened model screen."""
        self.set_reactive(QwenTuiApp.settings, config.settings)

    def get_default_screen(self) -> Screen[None]:
        """Return the one screen; dialogs are shown over it."""
        return self._screen

    def on_mount(self) -> None:
        """Apply the theme and the keymap, and start to load the model."""
        wanted = self.settings.theme
        self.theme = wanted if wanted in self.available_themes else THEMES[0].name
        self.set_keymap(dict(self._config.keys))
        # Textual draws only changes, but another program has used the terminal meanwhile.
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        self._screen.settings = self.settings
        self.call_after_refresh(self.action_load_model)  # starting the worker must not delay the first frame
        if self._lesson:
            self.call_after_refresh(self._screen.inside.learn, self._lesson)
        self.set_interval(LOOK_SECONDS, self._look)

    def close_engine(self) -> None:
        """Stop the running reply, let it be saved, and close the engine. Callable from any thread, repeatedly."""
        self._screen.chat.outbox.note_draft()
        self._drafts.write()
        self._turns.close(LEAVE_SECONDS)
        self._library.release()
        self._host.close()
        self._storage.close(LEAVE_SECONDS)

    on_unmount = close_engine

    def watch_settings(self, settings: Settings) -> None:
        """Pass the defaults to the screen."""
        self._screen.settings = settings

    def watch_engine_state(self, state: EngineState | None) -> None:
        """Pass the engine state to the screens."""
        self._screen.engine_state = state
        if self._models is not None and self._models.is_attached:
            self._models.engine_state = state

    def watch_theme(self, name: str) -> None:
        """Save the theme that the person chose."""
        if self.is_running and name != self.settings.theme and self.settings.theme in self.available_themes:
            self._change_default(SettingsPane.DefaultsChanged("theme", name))

    async def action_quit(self) -> None:
        """Quit, unless there are unsaved changes that the person has not been warned about."""
        self._screen.leave()

    def action_load_model(self) -> None:
        """Load the model selected in the settings."""
        self._host.open(self.settings.model_spec)
        self._look()

    def action_show_models(self) -> None:
        from qwen_tui.ui.models.screen import ModelScreen  # the first frame does not need it

        self._models = ModelScreen(self.settings, self._where)
        self._models.engine_state = self.engine_state
        self.push_screen(self._models)

    @work(group="presets")
    async def action_show_presets(self) -> None:
        """Let the person choose sampling values by name for the conversation, or name its present ones."""
        from qwen_tui.ui.settings.preset_menu import PresetMenu, name_of, values_of  # as above

        session = self._screen.chat.session
        menu = PresetMenu(session, self.settings, self._where.config_file, self._storage)
        if (preset := await self.push_screen_wait(menu)) is not None:
            self._screen.watch_shown()
            said = say("preset.taken", name=name_of(preset), values=values_of(preset))
            self._screen.chat.notice.say(said)

    def on_model_screen_chosen(self, event: "ModelScreen.Chosen") -> None:
        """Load another model for this run; the config file keeps its value."""
        self.settings = replace(
            self.settings, model=event.model, quantization=event.quantization, server=event.server
        )
        self.action_load_model()

    def action_show_help(self) -> None:
        from qwen_tui.ui.help.keys import help_files, help_places  # the first frame does not need it
        from qwen_tui.ui.help.screen import Help

        self.push_screen(Help(help_places(self._config.keys), help_files(self._where)))

    def action_stop_loading(self) -> None:
        """Cancel loading the model."""
        self._host.stop_opening()

    @on(SettingsPane.DefaultsChanged)
    @work(group="config")
    async def _change_default(self, event: SettingsPane.DefaultsChanged) -> None:
        """Change a default at once and save it."""
        name, value = event.name, event.value
        try:
            checked = getattr(Settings(), name) if value is None else OPTIONS[name].check(value)
            self.settings = replace(self.settings, **{name: checked})
            await self._storage.run(partial(config_file.save, self._where.config_file, {name: value}))
        except QwenTuiError as error:
            self._screen.chat.notice.explain(error)

    def _look(self) -> None:
        """Poll the engine: restart it if it died, unload it after the idle time, reload it for a turn."""
        self._host.revive()
        quiet_seconds = self._turns.quiet_seconds()
        limit_seconds = 60 * self.settings.idle_unload_minutes
        if quiet_seconds is None:
            self._host.wake()
        elif limit_seconds and quiet_seconds >= limit_seconds:
            self._host.rest(limit_seconds)
        self.engine_state = self._host.state

    def action_command_palette(self) -> None:
        """Open Textual's command palette with texts in the language of the screen."""
        if not isinstance(self.screen, CommandSearch):
            self.push_screen(CommandSearch(placeholder=say("palette.placeholder"), id="--command-palette"))

    def search_themes(self) -> None:
        """Open a palette of all themes."""
        self.push_screen(CommandSearch([ThemeProvider], placeholder=say("palette.themes")))

    def get_key_display(self, binding: Binding) -> str:
        """Return a key as the key bar shows it, capitalized as in sentences: `Esc`, `F1`, `^P`."""
        shown = super().get_key_display(binding)
        if shown.startswith("^"):
            return shown.upper()
        return shown if len(shown) == 1 else shown[:1].upper() + shown[1:]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Yield the commands of the command palette."""
        if screen is self._screen:
            yield from chat_commands(self._screen)
            yield command("presets", self.action_show_presets)
        yield command("models", self.action_show_models)
        yield command("help", self.action_show_help)
        yield command("reload", self.action_load_model)
        yield command("theme", self.action_change_theme)
        yield command("suspend", self.action_suspend_process)
        yield command("quit", self.action_quit)
