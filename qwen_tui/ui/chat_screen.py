"""What can be done on the screen: keys, the command palette, and what its parts ask for."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.binding import Binding, BindingType
from textual.message import Message as Posted

from qwen_tui.engine.host import Opening
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.storage import Storage
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.strings import say
from qwen_tui.ui.chat_layout import ChatLayout
from qwen_tui.ui.composer.composer import Composer
from qwen_tui.ui.conversations.pane import ConversationsPane
from qwen_tui.ui.files.import_export import FileDesk
from qwen_tui.ui.receipt.desk import ReceiptDesk
from qwen_tui.ui.settings.pane import SettingsPane
from qwen_tui.ui.settings.side import SettingsSide
from qwen_tui.ui.side_panels import Panes
from qwen_tui.ui.talk import Talk
from qwen_tui.ui.terminal.clipboard import copy, say_outcome
from qwen_tui.ui.turn_notices import Aftermath

if TYPE_CHECKING:  # see `Talk.complete`
    from qwen_tui.ui.transcript.find_bar import FindBar
    from qwen_tui.ui.transcript.message_log import ChatLog

QUIT_SECONDS = 3.0
"""Within which a second ctrl+c leaves the program."""


class ChatScreen(ChatLayout):
    """What can be done on the screen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", say("screen.key.stop"), id="chat.stop"),
        Binding(
            "ctrl+c", "interrupt", say("screen.key.interrupt"), id="chat.interrupt", show=False, priority=True
        ),
        Binding("f1", "help", say("screen.key.help"), id="app.help"),
        Binding("f2", "pane('settings')", say("screen.key.settings"), id="app.settings"),
        Binding("f3", "pane('conversations')", say("screen.key.conversations"), id="app.conversations"),
        Binding("f4", "models", say("screen.key.models"), id="app.models"),
        Binding("ctrl+n", "new", say("screen.key.new"), id="chat.new"),
        Binding("ctrl+f", "find", say("screen.key.find"), id="chat.find"),
        Binding("ctrl+r", "regenerate", say("screen.key.regenerate"), id="chat.regenerate"),
    ]

    class ModelRequested(Posted):
        """The person wants the model of the settings loaded."""

    class HelpWanted(Posted):
        """The person wants to see the keys."""

    class ModelsWanted(Posted):
        """The person wants to choose a model."""

    class StopLoading(Posted):
        """The person does not want to wait for the model."""

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
        super().__init__(library, turns, drafts, storage, conversation, problems)
        self._may_quit = False
        """ctrl+c was pressed, and once more leaves."""
        self._files = FileDesk(self, self._say)
        self.receipts = ReceiptDesk(self, self._talk.submit, self._talk.say)
        """Shows receipts; `replay` is asked of it from there."""

    def commands(self) -> Iterable[tuple[str, Callable[[], object]]]:
        """What the command palette can do here: the name of each command in `strings`, and the command."""
        return (
            ("new", self.action_new),
            ("regenerate", self.action_regenerate),
            ("stop", self._talk.stop),
            ("find", self.action_find),
            ("rename", self.action_rename),
            ("duplicate", self.action_duplicate),
            ("trash", self.action_trash),
            ("export", self.action_export),
            ("import", self.action_import),
            ("settings", partial(self.action_pane, "settings")),
            ("conversations", partial(self.action_pane, "conversations")),
            ("models", self.action_models),
            ("help", self.action_help),
            ("undo", self._conversations.undo),
            *(log.message_commands() if (log := self._talk.chat_log) is not None else ()),
        )

    # --- Messages up: talk ---------------------------------------------------------------------------

    @on(Talk.TurnsMoved)
    def _turns_moved(self) -> None:
        self._follow_conversation()
        self._list()

    @on(Talk.Measured)
    def _measured(self, event: Talk.Measured) -> None:
        self._header.used_tokens, self._header.budget, self._header.is_exact = event.measure

    @on(Composer.Failed)
    def _composer_failed(self, event: Composer.Failed) -> None:
        self._talk.explain(event.error)

    @on(Talk.ModelWanted)
    def _want_model(self) -> None:
        self.post_message(self.ModelRequested())

    @on(Talk.QuitWanted)
    def _quit(self) -> None:
        self.leave()

    def on_find_bar_closed(self, event: "FindBar.Closed") -> None:
        """Let the person write again; handled by name, as what the log asks for."""
        if event.had_keyboard:
            self._talk.focus_composer()

    def on_chat_log_copy_requested(self, event: "ChatLog.CopyRequested") -> None:
        """Copy a message; handled by name, since the log is imported after the first picture."""
        self._copy_text(event.text, event.note)

    def _copy_text(self, text: str, note: str = "") -> None:
        said = say_outcome(copy(self.app, text), text)
        self._talk.say(f"{said} ({note})" if note else said)

    def on_chat_log_undo_requested(self) -> None:
        """Take the last change back."""
        self._conversations.undo()

    def on_chat_log_save_block_requested(self, event: "ChatLog.SaveBlockRequested") -> None:
        """Write a code block to a file."""
        self._files.save_code(event.code, event.suggested_name, event.note)

    def on_chat_log_receipt_requested(self, event: "ChatLog.ReceiptRequested") -> None:
        """Show how a reply came about."""
        self.receipts.open(event.message, self._talk.session.conversation)

    @on(Aftermath.ReplayMoved)
    def _replay_moved(self, event: Aftermath.ReplayMoved) -> None:
        self.receipts.follow(event.event)

    # --- Messages up: conversations ------------------------------------------------------------------

    @on(ConversationsPane.Chosen)
    async def _chosen(self, event: ConversationsPane.Chosen) -> None:
        if event.conversation_id is None and event.leaves_list:
            await self.action_new()
            return
        if event.leaves_list:
            self._leave_panes()
        await self._soon(self._go_to(event))

    async def _go_to(self, event: ConversationsPane.Chosen) -> None:
        await self._open(event.conversation_id)
        self._say(event.said)
        if event.leaves_list and event.message_id is not None:
            self._talk.read(event.message_id)

    def _leave_panes(self) -> None:
        """At once, before a disk is waited for: what is typed next is no key of the list."""
        self._panes.drawer = ""
        self._talk.focus_composer()

    @on(ConversationsPane.Changed)
    async def _changed_list(self, event: ConversationsPane.Changed) -> None:
        if event.other_messages and event.conversation_id == self._talk.conversation_id:
            await self._show(self._talk.session)
        self._follow_conversation()
        if event.said:
            self._talk.say(event.said)

    @on(ConversationsPane.Failed)
    def _failed_list(self, event: ConversationsPane.Failed) -> None:
        explain = self._talk.explain if event.was_asked else self._talk.explain_beside
        explain(*event.errors)

    # --- Messages up: settings -----------------------------------------------------------------------

    @on(SettingsSide.Overridden)
    def _overridden(self) -> None:
        self._talk.follow_settings()

    @on(SettingsPane.ModelRequested)
    def _load(self) -> None:
        self.post_message(self.ModelRequested())

    # --- Actions -------------------------------------------------------------------------------------

    def action_back(self) -> None:
        """Close the pane or the find bar in front, else stop what runs, else let the person write."""
        if self._panes.close() or self._talk.end_finding() or self._talk.leave_edit() or self._talk.stop():
            return
        if isinstance(self.engine_state, Opening):
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
            self.leave()
        else:
            self._may_quit = True
            self.set_timer(QUIT_SECONDS, self._forget_quitting)
            self._talk.say(say("screen.press_again_to_quit"))

    def _forget_quitting(self) -> None:
        self._may_quit = False

    async def action_new(self) -> None:
        """Begin an empty conversation, or go to one that something was written for."""
        self._leave_panes()
        await self._soon(self._open_new())

    def action_regenerate(self) -> None:
        """Answer the last message again."""
        self._talk.regenerate()

    def action_pane(self, pane: str) -> None:
        """Go to a pane, opening it if need be; from within it, back to the composer."""
        self._panes.go_to(pane)

    @on(Panes.Left)
    def _left_pane(self) -> None:
        self._talk.focus_composer()

    def action_rename(self) -> None:
        """Give the open conversation another name, in the list."""
        self._panes.show("conversations")
        self.call_after_refresh(self._conversations.rename, self._talk.conversation_id)

    def action_trash(self) -> None:
        """Move the open conversation to the trash."""
        if self._talk.session.conversation.messages:
            self._conversations.trash(self._talk.conversation_id)

    def action_export(self) -> None:
        """Write the open conversation to a file."""
        conversation = self._talk.session.conversation
        if conversation.messages:
            settings = self.settings.with_overrides(conversation.overrides)
            self._files.export(conversation, settings.system_prompt)
        else:
            self._talk.say(say("files.nothing_to_export"))

    def action_import(self) -> None:
        """Take in the conversations of a file, and open the first of them."""
        self._files.import_file(self._library.add)

    @on(FileDesk.Imported)
    async def _imported(self, event: FileDesk.Imported) -> None:
        await self._soon(self._show_imported(event))

    async def _show_imported(self, event: FileDesk.Imported) -> None:
        if event.first_id:
            await self._open(event.first_id)
            self._talk.focus_composer()
        self._say(event.error or event.said)

    def action_find(self) -> None:
        """Find something in the conversation."""
        self._panes.drawer = ""
        self._talk.find()

    def action_duplicate(self) -> None:
        """Make a copy of the open conversation and go on in that."""
        if self._talk.session.conversation.messages:
            self._conversations.duplicate(self._talk.conversation_id)

    def action_models(self) -> None:
        """Show which models there are."""
        self.post_message(self.ModelsWanted())

    def action_help(self) -> None:
        """Show the keys and where the files are."""
        self.post_message(self.HelpWanted())
