"""The screen: which conversation is shown, what can be done by key, and what its parts ask for."""

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.reactive import reactive
from textual.timer import Timer

from qwen_tui.engine.host import Asleep, EngineState, Failed, Opening, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.autosave import Autosave
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.opening import Opener
from qwen_tui.session.session import ChatSession
from qwen_tui.session.storage import Storage
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.ui.chat_view import ENGINE, READING, ChatView
from qwen_tui.ui.conversations.pane import ConversationsPane
from qwen_tui.ui.files.import_export import FileDesk
from qwen_tui.ui.receipt.desk import ReceiptDesk
from qwen_tui.ui.settings.pane import SettingsPane
from qwen_tui.ui.side_panels import SidePanels
from qwen_tui.ui.terminal.clipboard import copy, say_outcome
from qwen_tui.ui.textual_patches.compositor import cut_where_it_is_seen
from qwen_tui.ui.textual_patches.keymap_first import GivenKeysFirst
from qwen_tui.ui.turn_notices import SAVING
from qwen_tui.ui.widgets.header import Header
from qwen_tui.ui.widgets.key_bar import KeyBar
from qwen_tui.ui.widgets.keys import key_of

if TYPE_CHECKING:  # see `TranscriptPane.complete`
    from qwen_tui.ui.transcript.find_bar import FindBar
    from qwen_tui.ui.transcript.message_log import MessageLog

SAVE_SECONDS = 1.0
"""How often what has changed is saved: settings that a held arrow key changes, drafts, what failed before."""

QUIT_SECONDS = 3.0
"""Within which a second ctrl+c leaves the program."""

QUITTING = "quitting"
"""The topic of the notice that ctrl+c again leaves the program."""


class ChatScreen(GivenKeysFirst):
    """Header, conversations, chat, settings and the line of keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "stop", say("screen.key.stop"), id="chat.stop"),
        Binding("escape", "write", say("screen.key.write"), id="chat.write", show=False),
        Binding(
            "ctrl+c", "interrupt", say("screen.key.interrupt"), id="chat.interrupt", show=False, priority=True
        ),
        Binding("f1", "app.show_help", say("screen.key.help"), id="app.help"),
        Binding("f2", "pane('settings')", say("screen.key.settings"), id="app.settings"),
        Binding("f3", "pane('conversations')", say("screen.key.conversations"), id="app.conversations"),
        Binding("f4", "app.show_models", say("screen.key.models"), id="app.models"),
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
    """The conversation that is shown: its one owner, everybody else is handed it."""
    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """Whether there is something that answers."""

    def __init__(
        self,
        library: Library,
        turns: TurnQueue,
        drafts: DraftKeeper,
        storage: Storage,
        conversation: str | None,
        problems: Iterable[QwenTuiError],
    ) -> None:
        """`problems` are those of the config file, to be said at once."""
        super().__init__()
        cut_where_it_is_seen(self)
        self._library = library
        self._turns = turns
        self._storage = storage
        self._opener = Opener(library, drafts)
        self._autosave = Autosave(library, drafts, storage)
        self._switching = asyncio.Lock()
        """Held from opening a conversation until it is shown, and while those that nobody needs are closed."""
        self._quitting: Timer | None = None
        """Runs while another ctrl+c leaves the program."""
        first, problem = self._opener.first(conversation)
        self.set_reactive(ChatScreen.shown, first)
        self._problems = [*problems, *filter(None, (problem,))]
        self._header = Header()
        self._chat = ChatView(library, turns, drafts, storage, id="talk")
        self._conversations = ConversationsPane(
            library, self._chat.marks, drafts, turns.has, storage, id="conversations"
        )
        self._settings = SettingsPane(first, id="settings")
        self._panels = SidePanels(id="panes")
        self._files = FileDesk(self, self._chat.notice.tell)
        self.receipts = ReceiptDesk(self, self._chat.submit, self._chat.notice.say)
        """Shows receipts; `replay` is asked of it from there."""

    def compose(self) -> ComposeResult:
        yield self._header
        with self._panels:
            yield self._conversations
            yield self._chat.data_bind(ChatScreen.shown, ChatScreen.settings, ChatScreen.engine_state)
            yield self._settings
        yield KeyBar()

    def on_mount(self) -> None:
        self._chat.composer.focus()
        self.call_after_refresh(self._complete)
        if self._problems:
            self._chat.notice.explain(*self._problems)

    async def _complete(self) -> None:
        """Fill the log and the panes; they take as long as all the rest, and the first picture is there."""
        if not self.is_attached:  # left before it was complete
            return
        await self._chat.complete()
        await self._conversations.complete()
        self._settings.complete()
        self._panels.complete()
        self.watch_shown()
        self.set_interval(SAVE_SECONDS, self._save)

    # --- Attributes down -----------------------------------------------------------------------------

    def watch_shown(self) -> None:
        """Show what stands beside the conversation: its settings, its name, its row in the list."""
        if (session := self.shown) is None or not self.is_mounted:
            return
        conversation = session.conversation
        self._settings.show_session(session, busy=self._chat.composer.busy)
        self._chat.composer.title = (
            conversation.name if conversation.messages or conversation.named_by_person else ""
        )
        self._conversations.refresh_list(conversation.id)
        self._let_go()
        self.refresh_bindings()

    def watch_settings(self, settings: Settings) -> None:
        self._settings.show_defaults(settings)

    def watch_engine_state(self, state: EngineState | None) -> None:
        info = state.engine.info if isinstance(state, Ready | Asleep) else None
        self._header.info = info if isinstance(state, Ready) else None
        self._header.asleep = info.name if info is not None and isinstance(state, Asleep) else ""
        self._header.progress = state.progress if isinstance(state, Opening) else None
        self._header.problem = state.error.explanation.title if isinstance(state, Failed) else ""
        self._settings.show_model(info)
        self.refresh_bindings()

    # --- Which conversation is shown -----------------------------------------------------------------

    def _open(self, conversation_id: str | None, said: str = "", read: str | None = None) -> None:
        """Show a conversation, or a new one; with `read` go to this message of it."""
        self._switch(lambda: (self._opener.open(conversation_id), said), read)

    def _switch(self, opened: Callable[[], tuple[ChatSession, str]], read: str | None = None) -> None:
        """Show what `opened` returns, and say what it says; it may wait for the disk.

        What is typed from now on belongs to the conversation that is opened.
        """
        self._chat.outbox.leave()
        self._show_opened(opened, read)

    @work(group="opening", exclusive=True)
    async def _show_opened(self, opened: Callable[[], tuple[ChatSession, str]], read: str | None) -> None:
        async with self._switching:
            try:
                session, said = await self._storage.run(opened)
            except QwenTuiError as error:
                self._chat.notice.explain(error)
                self._chat.open_box()
                self._list()
                return
            await self._show(session, said)
        if read is not None:
            self._chat.transcript.read(read)

    @work(group="closing")
    async def _let_go(self) -> None:
        """Close the conversations that are neither shown nor worked on."""
        async with self._switching:
            shown_id = self._chat.session.conversation.id
            await self._storage.run(
                lambda: self._library.let_go(lambda each: each == shown_id or self._turns.has(each))
            )

    async def _show(self, session: ChatSession, said: str = "") -> None:
        if session is self.shown:
            self._chat.open_box()
        self.shown = session
        await self._chat.look()
        if isinstance(self.engine_state, Failed):
            self._chat.notice.explain(self.engine_state.error, topic=ENGINE)
        self._chat.notice.tell(self._autosave.problem, SAVING)
        self._chat.notice.tell(said)

    def _list(self) -> None:
        """Show the list of conversations as the folder has it now."""
        self._conversations.refresh_list(self._chat.session.conversation.id)

    @on(ChatView.TurnsMoved)
    def _turns_moved(self) -> None:
        self.watch_shown()

    @on(ConversationsPane.Chosen)
    def _chosen(self, event: ConversationsPane.Chosen) -> None:
        if event.conversation_id is None and event.leaves_list:
            self.action_new()
            return
        self._open(event.conversation_id, event.said, event.message_id)
        if event.leaves_list:
            self._panels.drawer = ""
            if event.message_id is None:
                self._chat.composer.focus()

    @on(ConversationsPane.Changed)
    def _changed_list(self, event: ConversationsPane.Changed) -> None:
        self._chat.notice.tell(event.said)
        self.watch_shown()

    @on(ConversationsPane.Failed)
    def _failed_list(self, event: ConversationsPane.Failed) -> None:
        self._chat.notice.explain(event.error)

    @on(ConversationsPane.Unlisted)
    def _unlisted(self, event: ConversationsPane.Unlisted) -> None:
        if not self._chat.notice.is_error:  # that one is of what the person did
            self._chat.notice.explain(*event.errors)

    # --- Saving --------------------------------------------------------------------------------------

    @work(group="saving")
    async def _save(self) -> None:
        """Save what is not on disk yet; take over a conversation that another program has let go of."""
        self._chat.outbox.note_draft()  # someone who types without a rest
        self._chat.notice.tell(await self._autosave.save(), SAVING)
        if self._chat.session.is_read_only and not self._switching.locked():
            await self._take_over()

    async def _take_over(self) -> None:
        async with self._switching:
            session = self._chat.session
            opened = await self._storage.run(lambda: self._opener.taken_over(session))
            if opened is not None:
                self._chat.notice.retract(READING)
                await self._show(opened, say("screen.writable_again"))

    @work(group="leaving")
    async def leave(self) -> None:
        """Leave the program, unless something is not on disk and the person has not been told yet."""
        self._chat.outbox.note_draft()
        warning = await self._autosave.before_leaving()
        if warning is None:
            self.app.exit()
        else:
            self._chat.notice.explain(warning, topic=SAVING)

    def note_draft(self) -> None:
        """Have what stands in the message box kept with what was noted before."""
        self._chat.outbox.note_draft()

    def explain(self, error: QwenTuiError) -> None:
        """Show an error above the message box."""
        self._chat.notice.explain(error)

    # --- Messages up ---------------------------------------------------------------------------------

    @on(ChatView.ReplayMoved)
    def _replay_moved(self, event: ChatView.ReplayMoved) -> None:
        self.receipts.follow(event.event)

    @on(SettingsPane.Overridden)
    def _overridden(self) -> None:
        self._chat.follow_settings()

    @on(SettingsPane.ModelRequested)
    def _load_model(self) -> None:
        self.call_later(self.run_action, "app.load_model")

    @on(SidePanels.Left)
    def _left_pane(self) -> None:
        self._chat.composer.focus()

    @on(FileDesk.Imported)
    def _imported(self, event: FileDesk.Imported) -> None:
        if event.first_id:
            self._open(event.first_id, event.said)
            self._chat.composer.focus()
        self._chat.notice.tell(event.error or event.said)

    def on_find_bar_closed(self, event: "FindBar.Closed") -> None:
        """Let the person write again; handled by name, as what the log asks for: it is imported late."""
        if event.had_keyboard:
            self._chat.composer.focus()

    def on_message_log_requested(self, event: "MessageLog.Requested") -> None:
        """Do what concerns more than the messages: the clipboard, files, receipts, undo."""
        match event.action:
            case "copy" | "code":
                self._copy(event.text, event.note)
            case "save_code":
                self._files.save_code(event.text, event.file_name, event.note)
            case "receipt" if event.message is not None:
                self.receipts.open(event.message, self._chat.session.conversation)
            case "undo":
                self._conversations.undo()

    def _copy(self, text: str, note: str = "") -> None:
        said = say_outcome(copy(self.app, text), text)
        self._chat.notice.say(f"{said} ({note})" if note else said)

    def message_commands(self) -> Iterable[tuple[str, Callable[[], object]]]:
        """What the command palette can do to a message: the names of its sentences, and what does it."""
        log = self._chat.transcript.log_widget
        return log.keys.commands() if log is not None else ()

    # --- Actions -------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if not self.is_mounted or self.shown is None:
            return True
        if action == "stop":
            return self._chat.can_stop or self._chat.is_aside or isinstance(self.engine_state, Opening)
        return action != "regenerate" or self._chat.can_regenerate

    def action_stop(self) -> None:
        """End what is in front: finding, editing, a waiting turn, the running reply, the loading of the model."""
        if not self._chat.step_back():
            self.call_later(self.run_action, "app.stop_loading")

    def action_write(self) -> None:
        self._chat.composer.focus()

    def action_interrupt(self) -> None:
        """Copy what is selected, else stop, else leave when pressed twice."""
        if selected := self.get_selected_text() or self._chat.composer.selected_text:
            self._copy(selected)
        elif self._chat.stop():
            return
        elif self._quitting is not None:
            self.call_later(self.run_action, "app.quit")
        else:
            self._quitting = self.set_timer(QUIT_SECONDS, self._forget_quitting)
            self._chat.notice.say(
                say("screen.press_again_to_quit", key=key_of(self, "chat.interrupt")), QUITTING
            )

    def _forget_quitting(self) -> None:
        self._quitting = None
        self._chat.notice.retract(QUITTING)

    def action_new(self) -> None:
        """Begin an empty conversation, or go to one that something was written for."""
        shown_id = self._chat.session.conversation.id

        def opened() -> tuple[ChatSession, str]:
            session, said = self._opener.next_new(shown_id)
            return session, say(said, key=key_of(self, "chat.new")) if said else ""

        self._switch(opened)
        self._panels.drawer = ""
        self._chat.composer.focus()

    def action_regenerate(self) -> None:
        self._chat.regenerate()

    def action_pane(self, pane: str) -> None:
        """Go to a pane, opening it if need be; from within it, back to the message box."""
        self._panels.go_to(pane)

    def action_find(self) -> None:
        self._panels.drawer = ""
        self._chat.transcript.find()

    def action_rename(self) -> None:
        """Give the conversation that is shown another name, in the list."""
        self._panels.show("conversations")
        self.call_after_refresh(self._conversations.rename, self._chat.session.conversation.id)

    def action_trash(self) -> None:
        if self._chat.session.conversation.messages:
            self._conversations.trash(self._chat.session.conversation.id)

    def action_duplicate(self) -> None:
        """Make a copy of the conversation that is shown and go on in that."""
        if self._chat.session.conversation.messages:
            self._conversations.duplicate(self._chat.session.conversation.id)

    def action_undo(self) -> None:
        self._conversations.undo()

    def action_export(self) -> None:
        """Write the conversation that is shown to a file."""
        conversation = self._chat.session.conversation
        if conversation.messages:
            settings = self.settings.with_overrides(conversation.overrides)
            self._files.export(conversation, settings.system_prompt)
        else:
            self._chat.notice.say(say("files.nothing_to_export"))

    def action_import(self) -> None:
        """Take in the conversations of a file, and open the first of them."""
        self._files.import_file(self._library.add)
