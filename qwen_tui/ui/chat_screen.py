"""The main screen: owns the shown conversation, defines global keys, and handles messages from its parts."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive

from qwen_tui.engine.host import Asleep, EngineState, Failed, Opening, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.autosave import Autosave
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.requests import Regenerate
from qwen_tui.session.session import ChatSession
from qwen_tui.session.storage import Storage
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.ui.chat.notices import SAVING
from qwen_tui.ui.chat.switching import Switching
from qwen_tui.ui.chat.view import ChatView
from qwen_tui.ui.conversations.pane import ConversationsPane
from qwen_tui.ui.files.import_export import FileDesk
from qwen_tui.ui.inside_desk import InsideDesk
from qwen_tui.ui.settings.pane import SettingsPane
from qwen_tui.ui.side_panels import SidePanels
from qwen_tui.ui.terminal.clipboard import copy, say_outcome
from qwen_tui.ui.terminal.title_and_bell import title
from qwen_tui.ui.textual_patches.compositor import cut_where_it_is_seen
from qwen_tui.ui.textual_patches.driver import entitle
from qwen_tui.ui.textual_patches.keymap_first import GivenKeysFirst
from qwen_tui.ui.transcript.welcome import Suggestion
from qwen_tui.ui.widgets.header import Header
from qwen_tui.ui.widgets.key_bar import KeyBar
from qwen_tui.ui.widgets.keys import key_of

if TYPE_CHECKING:  # see `TranscriptPane.complete`
    from qwen_tui.ui.transcript.message_keys import Requested

SAVE_SECONDS = 1.0
"""How often changes are saved: settings changed by a held arrow key, drafts, earlier failures."""

QUIT_SECONDS = 3.0
"""Time limit for the second ctrl+c that quits the program."""

QUITTING = "quitting"
"""Topic of the notice that pressing ctrl+c again quits the program."""


class ChatScreen(GivenKeysFirst):
    """Header, conversations, chat, settings and key bar."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", say("screen.key.stop"), id="chat.stop"),
        Binding("escape", "write", say("screen.key.write"), id="chat.write", show=False),
        Binding(
            "ctrl+c", "interrupt", say("screen.key.interrupt"), id="chat.interrupt", show=False, priority=True
        ),
        Binding("ctrl+t", "answer_now", say("screen.key.answer_now"), id="chat.answer_now"),
        Binding("f1", "app.show_help", say("screen.key.help"), id="app.help"),
        Binding("f2", "pane('settings')", say("screen.key.settings"), id="app.settings"),
        Binding("f3", "pane('conversations')", say("screen.key.conversations"), id="app.conversations"),
        Binding("f4", "app.show_models", say("screen.key.models"), id="app.models"),
        Binding("f5", "pane('inside')", say("screen.key.inside"), id="app.inside"),
        Binding("f7", "app.show_presets", say("screen.key.presets"), id="app.presets", show=False),
        Binding("ctrl+n", "new", say("screen.key.new"), id="chat.new"),
        Binding("ctrl+f", "find", say("screen.key.find"), id="chat.find"),
        Binding("ctrl+r", "regenerate", say("screen.key.regenerate"), id="chat.regenerate"),
    ]

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - typed by Screen, which does not call it a class variable
        (0, "-narrow"),
        (SidePanels.BESIDE_FROM["settings"], "-medium"),
        (SidePanels.BESIDE_FROM["conversations"], "-wide"),
    ]

    shown: reactive[ChatSession | None] = reactive[ChatSession | None](None, init=False)
    """The shown conversation. The screen owns it and hands it to all other parts."""
    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """The state of the engine; None before it was requested."""

    def __init__(
        self,
        library: Library,
        turns: TurnQueue,
        drafts: DraftKeeper,
        storage: Storage,
        conversation: str | None,
        problems: Iterable[QwenTuiError],
    ) -> None:
        """Create the screen; `problems` of the config file are shown at once."""
        super().__init__()
        cut_where_it_is_seen(self)
        self._autosave = Autosave(library, drafts, storage)
        self.chat = ChatView(library, turns, drafts, storage, id="talk")
        self._switching = Switching(self, self.chat, self._autosave, library, turns, drafts, storage)
        first, problem = self._switching.opener.first(conversation)
        self.set_reactive(ChatScreen.shown, first)
        self._problems = [*problems, *filter(None, (problem,))]
        self._header = Header()
        self.conversations = ConversationsPane(
            library, self.chat.marks, drafts, turns.has, storage, id="conversations"
        )
        self.settings_pane = SettingsPane(first, id="settings")
        self.panels = SidePanels(id="panes")
        self.inside = InsideDesk(self.panels, self.chat)
        self.files = FileDesk(self, self.chat.notice.tell, library.add, storage)

    def compose(self) -> ComposeResult:
        yield self._header
        with self.panels:
            yield self.conversations
            yield self.chat.data_bind(ChatScreen.shown, ChatScreen.settings, ChatScreen.engine_state)
            yield self.settings_pane
        yield KeyBar()

    def on_mount(self) -> None:
        self.chat.composer.focus()
        self.watch(self.chat, "window_use", self._header.show_use)
        self.call_after_refresh(self._complete)
        self.chat.notice.explain(*self._problems)

    async def _complete(self) -> None:
        """Fill the log and the panels after the first frame, because they take as long as everything before it."""
        if not self.is_attached:  # quit before it was complete
            return
        await self.chat.complete()
        await self.conversations.complete()
        self.settings_pane.complete()
        self.panels.complete()
        self.watch_shown()
        self.set_interval(SAVE_SECONDS, self._save)
        self._switching.offer_last()

    # --- Attributes down -----------------------------------------------------------------------------

    @on(ChatView.TurnsMoved)
    def watch_shown(self) -> None:
        """Update what depends on the conversation: its settings, its title, its row in the list."""
        if (session := self.shown) is None or not self.is_mounted:
            return
        conversation = session.conversation
        self.settings_pane.show_session(session, busy=self.chat.composer.busy)
        name = conversation.name if conversation.messages or conversation.named_by_person else ""
        self.chat.composer.title = name
        entitle(self.app, title(name, is_busy=self.chat.composer.busy))
        self.conversations.refresh_list(conversation.id)
        self._switching.let_go()
        self.refresh_bindings()

    def watch_settings(self, settings: Settings) -> None:
        self.settings_pane.show_defaults(settings)

    def watch_engine_state(self, state: EngineState | None) -> None:
        info = state.engine.info if isinstance(state, Ready | Asleep) else None
        self._header.info = info if isinstance(state, Ready) else None
        self._header.asleep = info.name if info is not None and isinstance(state, Asleep) else ""
        self._header.progress = state.progress if isinstance(state, Opening) else None
        self._header.problem = state.error.explanation.title if isinstance(state, Failed) else ""
        self.settings_pane.show_model(info)
        self.refresh_bindings()

    # --- Messages up ---------------------------------------------------------------------------------

    @on(ConversationsPane.Chosen)
    def _chosen(self, event: ConversationsPane.Chosen) -> None:
        if event.conversation_id is None and event.leaves_list:
            self.action_new()
            return
        self._switching.open(event.conversation_id, event.said, event.message_id)
        if event.leaves_list:
            self.panels.drawer = ""
            if event.message_id is None:
                self.chat.composer.focus()

    @on(ConversationsPane.Changed)
    def _changed_list(self, event: ConversationsPane.Changed) -> None:
        if not event.errors:
            self.chat.notice.tell(event.said)
            self.watch_shown()
        elif event.was_asked or not self.chat.notice.is_error:
            self.chat.notice.explain(*event.errors)

    @on(Suggestion.Chosen)
    def _suggested(self, event: Suggestion.Chosen) -> None:
        if event.conversation_id:
            self._switching.open(event.conversation_id)

    @on(FileDesk.Imported)
    def _imported(self, event: FileDesk.Imported) -> None:
        if event.first_id:
            self._switching.open(event.first_id, event.said)
            self.chat.composer.focus()
        self.chat.notice.tell(event.error or event.said)

    def on_message_log_requested(self, event: "Requested") -> None:
        """Handle requests that concern more than the messages; matched by name, since the log is imported late."""
        match event.action:
            case "copy" | "code":
                self._copy(event.text, event.note)
            case "save_code":
                self.files.save_code(event.text, event.file_name, event.note)
            case "undo":
                self.conversations.undo()
            case "compare" if event.message is not None:
                self.inside.compare(event.message, self.chat.session)

    def _copy(self, text: str, note: str = "") -> None:
        said = say_outcome(copy(self.app, text), text)
        self.chat.notice.say(say("parenthesis", text=said, more=note) if note else said)

    # --- Saving --------------------------------------------------------------------------------------

    @work(group="saving")
    async def _save(self) -> None:
        """Save unsaved changes; take over a conversation that another program has released."""
        self.chat.outbox.note_draft()  # for someone who types without pausing
        self.chat.notice.tell(await self._autosave.save(), SAVING)
        await self._switching.take_over()

    @work(group="leaving")
    async def leave(self) -> None:
        """Quit, unless there are unsaved changes that the person has not been warned about."""
        self.chat.outbox.note_draft()
        warning = await self._autosave.before_leaving()
        if warning is None:
            self.app.exit()
        else:
            self.chat.notice.explain(warning, topic=SAVING)

    # --- Actions -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted or self.shown is None:
            return True
        if action == "stop":
            return self.chat.can_step_back or isinstance(self.engine_state, Opening)
        return {"answer_now": self.chat.thinks, "regenerate": self.chat.can_regenerate}.get(action, True)

    def action_stop(self) -> None:
        """Cancel the topmost activity: a search, an edit, a waiting turn, the running reply, loading the model."""
        if not self.chat.step_back():
            self.call_later(self.run_action, "app.stop_loading")

    def action_answer_now(self) -> None:
        """End the thinking of the running reply, or say that the server cannot do that."""
        if not self.chat.outbox.answer_now(self.chat.session):
            self.chat.notice.say(say("screen.cannot_answer_now", key=key_of(self, "chat.stop")))

    def action_write(self) -> None:
        self.chat.composer.focus()

    def action_interrupt(self) -> None:
        """Copy the selection, else stop a turn, else quit when pressed twice."""
        if selected := self.get_selected_text() or self.chat.composer.selected_text:
            self._copy(selected)
        elif self.chat.stop():
            return
        elif self.chat.notice.is_about(QUITTING):
            self.call_later(self.run_action, "app.quit")
        else:
            words = say("screen.press_again_to_quit", key=key_of(self, "chat.interrupt"))
            self.chat.notice.say(words, QUITTING, seconds=QUIT_SECONDS)

    def action_new(self) -> None:
        """Open an empty conversation, or an unstarted one with a draft."""
        self._switching.open_new()
        self.panels.drawer = ""
        self.chat.composer.focus()

    def action_regenerate(self) -> None:
        self.chat.submit(Regenerate())

    async def action_pane(self, pane: str) -> None:
        await self.inside.open(pane)

    def action_find(self) -> None:
        self.panels.drawer = ""
        self.chat.transcript.find()
