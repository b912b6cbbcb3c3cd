"""The screen: puts the panes together, hands attributes down and takes messages up."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message as Posted
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer

from qwen_tui.chat.messages import Json
from qwen_tui.engine.host import EngineState, Failed, Opening, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.library import Library
from qwen_tui.session import ChatSession
from qwen_tui.settings import Settings
from qwen_tui.strings import say
from qwen_tui.turns import TurnQueue
from qwen_tui.ui.clipboard import copy, say_outcome
from qwen_tui.ui.composer import Composer
from qwen_tui.ui.header import Header
from qwen_tui.ui.library_pane import LibraryPane
from qwen_tui.ui.settings_pane import SettingsPane
from qwen_tui.ui.talk import Talk

if TYPE_CHECKING:  # see `Talk.complete`
    from qwen_tui.ui.chat_log import ChatLog

BESIDE_FROM = {"settings": 100, "conversations": 140}
"""Columns from which a pane stands beside the log; with fewer its key draws it over the log (see `app.tcss`)."""

QUIT_SECONDS = 3.0
"""Within which a second ctrl+c leaves the program."""


class ChatScreen(Screen[None]):
    """Conversations, talk, settings, header and footer."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - typed by Screen, which does not call it a class variable
        (0, "-narrow"),
        (BESIDE_FROM["settings"], "-medium"),
        (BESIDE_FROM["conversations"], "-wide"),
    ]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", say("screen.key.stop"), id="chat.stop"),
        Binding(
            "ctrl+c", "interrupt", say("screen.key.interrupt"), id="chat.interrupt", show=False, priority=True
        ),
        Binding("f1", "help", say("screen.key.help"), id="app.help"),
        Binding("f2", "pane('settings')", say("screen.key.settings"), id="app.settings"),
        Binding("f3", "pane('conversations')", say("screen.key.conversations"), id="app.conversations"),
        Binding("ctrl+n", "new", say("screen.key.new"), id="chat.new"),
        Binding("ctrl+r", "regenerate", say("screen.key.regenerate"), id="chat.regenerate"),
    ]

    class DefaultsChanged(Posted):
        """The person changed a default; None takes it back."""

        def __init__(self, name: str, value: Json) -> None:
            super().__init__()
            self.name = name
            self.value = value

    class ModelRequested(Posted):
        """The person wants the model of the settings loaded."""

    class HelpWanted(Posted):
        """The person wants to see the keys."""

    class StopLoading(Posted):
        """The person does not want to wait for the model."""

    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """Whether there is something that answers."""
    open_pane: reactive[str] = reactive("")
    """The pane that was opened by its key where there is no room for it beside the log; or nothing."""

    def __init__(
        self,
        library: Library,
        turns: TurnQueue,
        conversation: str | None,
        problems: Iterable[QwenTuiError],
    ) -> None:
        """`problems` are those of the config file, to be said at once."""
        super().__init__()
        self._library = library
        self._problems = list(problems)
        self._may_quit = False
        """ctrl+c was pressed, and once more leaves."""
        self._header = Header()
        self._talk = Talk(self._first(conversation), turns, id="talk")
        self._conversations = LibraryPane(library, self._talk.live, self._talk.is_needed, id="conversations")
        self._settings = SettingsPane()

    def compose(self) -> ComposeResult:
        """The panes in their places; `app.tcss` says where."""
        yield self._header
        with Horizontal(id="panes"):
            yield self._conversations
            yield self._talk
            yield Vertical(id="settings")
        yield Footer()

    def on_mount(self) -> None:
        """Everything is there: let the person write."""
        self._talk.focus_composer()
        self.call_after_refresh(self._complete)
        if self._problems:
            self._talk.explain(*self._problems)

    async def _complete(self) -> None:
        """Fill the log and the panes; they take as long as all the rest, and the first picture is there."""
        if not self.is_attached:  # left before it was complete
            return
        await self._talk.complete()
        self._conversations.complete()
        self.query_one("#settings").mount(self._settings)
        self._list()

    def _first(self, name: str | None) -> ChatSession:
        if name is not None:
            try:
                return self._library.open_named(name)
            except QwenTuiError as error:
                self._problems.append(error)
        return self._library.new()

    def explain(self, error: QwenTuiError) -> None:
        """Show an error above the composer."""
        self._talk.explain(error)

    def commands(self) -> Iterable[tuple[str, Callable[[], object]]]:
        """What the command palette can do here: the name of each command in `strings`, and the command."""
        return (
            ("new", self.action_new),
            ("regenerate", self.action_regenerate),
            ("stop", self._talk.stop),
            ("rename", self.action_rename),
            ("trash", self.action_trash),
            ("settings", partial(self.action_pane, "settings")),
            ("conversations", partial(self.action_pane, "conversations")),
            ("help", self.action_help),
        )

    # --- Attributes down -----------------------------------------------------------------------------

    def watch_settings(self, settings: Settings) -> None:
        """Hand other defaults down."""
        self._settings.settings = self._talk.settings = settings

    def watch_engine_state(self, state: EngineState | None) -> None:
        """Hand down what the engine has come to."""
        info = state.engine.info if isinstance(state, Ready) else None
        self._header.info = self._settings.info = info
        self._header.progress = state.progress if isinstance(state, Opening) else None
        self._header.problem = state.error.explanation.title if isinstance(state, Failed) else ""
        self._talk.engine_state = state

    def watch_open_pane(self, open_pane: str) -> None:
        """Draw a pane over the log, or none."""
        for pane in BESIDE_FROM:
            self.set_class(pane == open_pane, f"-{pane}-open")

    async def _show(self, session: ChatSession) -> None:
        left = self._talk.conversation_id
        await self._talk.show(session)
        if left != self._talk.conversation_id and not self._talk.is_needed(left):
            self._library.forget(left)
        self._follow_conversation()
        self._list()

    def _follow_conversation(self) -> None:
        conversation = self._talk.session.conversation
        self._settings.overrides = conversation.overrides
        self._settings.busy = self._talk.live.is_busy(conversation.id)
        self._talk.title = conversation.name if conversation.messages else ""

    def _list(self) -> None:
        """Show the list of conversations as the folder has it now."""
        self._conversations.refresh_list(self._talk.conversation_id)

    # --- Messages up: talk ---------------------------------------------------------------------------

    @on(Talk.TurnsMoved)
    def _turns_moved(self) -> None:
        self._follow_conversation()
        self._list()

    @on(Talk.Measured)
    def _measured(self, event: Talk.Measured) -> None:
        self._header.used_tokens = event.used_tokens
        self._header.budget = event.budget_tokens

    @on(Composer.Failed)
    def _composer_failed(self, event: Composer.Failed) -> None:
        self._talk.explain(event.error)

    @on(Talk.ModelWanted)
    def _want_model(self) -> None:
        self.post_message(self.ModelRequested())

    @on(Talk.QuitWanted)
    def _quit(self) -> None:
        self.app.exit()

    def on_chat_log_copy_requested(self, event: "ChatLog.CopyRequested") -> None:
        """Copy a message; handled by name, since the log is imported after the first picture."""
        self._copy_text(event.text)

    def _copy_text(self, text: str) -> None:
        self._talk.say(say_outcome(copy(self.app, text), text))

    # --- Messages up: conversations ------------------------------------------------------------------

    @on(LibraryPane.Chosen)
    async def _chosen(self, event: LibraryPane.Chosen) -> None:
        await self._show(event.session)
        if event.leaves_list:
            self.open_pane = ""
            self._talk.focus_composer()

    @on(LibraryPane.Changed)
    def _changed_list(self, event: LibraryPane.Changed) -> None:
        self._list()
        self._follow_conversation()
        if event.said:
            self._talk.say(event.said)

    @on(LibraryPane.Failed)
    def _failed_list(self, event: LibraryPane.Failed) -> None:
        self._talk.explain(*event.errors)

    # --- Messages up: settings -----------------------------------------------------------------------

    @on(SettingsPane.Changed)
    def _changed(self, event: SettingsPane.Changed) -> None:
        if event.layer == "defaults":
            self.post_message(self.DefaultsChanged(event.name, event.value))
        else:
            self._override({**self._talk.session.conversation.overrides, event.name: event.value})

    @on(SettingsPane.Reset)
    def _reset(self, event: SettingsPane.Reset) -> None:
        if event.layer == "defaults":
            self.post_message(self.DefaultsChanged(event.name, None))
        else:
            overrides = self._talk.session.conversation.overrides
            self._override({name: value for name, value in overrides.items() if name != event.name})

    @on(SettingsPane.ModelRequested)
    def _load(self) -> None:
        self.post_message(self.ModelRequested())

    def _override(self, overrides: Mapping[str, Json]) -> None:
        self._talk.session.adjust(lambda conversation: replace(conversation, overrides=overrides))
        self._settings.overrides = overrides
        self._talk.count()

    # --- Actions -------------------------------------------------------------------------------------

    def action_back(self) -> None:
        """Close the pane in front, else stop what runs, else let the person write."""
        if self.open_pane:
            self.open_pane = ""
            self._talk.focus_composer()
        elif self._talk.stop():
            return
        elif isinstance(self.engine_state, Opening):
            self.post_message(self.StopLoading())
        else:
            self._talk.focus_composer()

    def action_interrupt(self) -> None:
        """Copy what is selected, else stop, else leave when pressed twice."""
        selected = self.get_selected_text() or self._talk.selected_draft
        if selected:
            self._copy_text(selected)
        elif self._talk.stop():
            return
        elif self._may_quit:
            self.app.exit()
        else:
            self._may_quit = True
            self.set_timer(QUIT_SECONDS, self._forget_quitting)
            self._talk.say(say("screen.press_again_to_quit"))

    def _forget_quitting(self) -> None:
        self._may_quit = False

    def action_new(self) -> None:
        """Begin an empty conversation."""
        self._conversations.new()

    def action_regenerate(self) -> None:
        """Answer the last message again."""
        self._talk.regenerate()

    def action_pane(self, pane: str) -> None:
        """Go to a pane, opening it if need be; from within it, back to the composer."""
        widget = self.query_one(f"#{pane}")
        if widget.has_focus_within:
            self.open_pane = ""
            self._talk.focus_composer()
            return
        self.open_pane = "" if self.app.size.width >= BESIDE_FROM[pane] else pane
        self.call_after_refresh(self._focus_in, widget)

    def _focus_in(self, widget: Widget) -> None:
        for inside in widget.query("*"):
            if inside.focusable and inside.display:
                inside.focus()
                return

    def action_rename(self) -> None:
        """Give the open conversation another name, in the list."""
        self.open_pane = "" if self.app.size.width >= BESIDE_FROM["conversations"] else "conversations"
        self.call_after_refresh(self._conversations.rename_shown)

    def action_trash(self) -> None:
        """Move the open conversation to the trash."""
        if self._talk.session.conversation.messages:
            self._conversations.trash(self._talk.conversation_id)

    def action_help(self) -> None:
        """Show the keys and where the files are."""
        self.post_message(self.HelpWanted())
