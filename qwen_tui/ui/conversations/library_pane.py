"""The left side of the screen: the list of conversations, and what is done to them there."""

from collections.abc import Callable

from textual import on
from textual.containers import Vertical
from textual.message import Message as Posted

from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.search import Finding
from qwen_tui.strings import say
from qwen_tui.ui.conversations.pane import ConversationsPane
from qwen_tui.ui.conversations.row import ConversationRow
from qwen_tui.ui.transcript.live_replies import LiveReplies
from qwen_tui.ui.widgets.keys import key_of

LOOK_SECONDS = 1 / 15
"""How often it looks at what a search has found."""


class LibraryPane(Vertical):
    """Shows the library and changes it; which conversation is talked in is not its matter."""

    class Chosen(Posted):
        """The person wants to talk in this conversation; None for a new one."""

        def __init__(
            self,
            conversation_id: str | None = None,
            *,
            message_id: str | None = None,
            leaves_list: bool = True,
            said: str = "",
        ) -> None:
            super().__init__()
            self.conversation_id = conversation_id
            self.message_id = message_id
            """The message that the person has found and wants to read."""
            self.leaves_list = leaves_list
            """Whether the person goes on to write or read; otherwise the list keeps the keyboard."""
            self.said = said
            """What is to be said once it is open."""

    class Changed(Posted):
        """Something was done to a conversation, and this is to be said of it."""

        def __init__(self, said: str = "") -> None:
            super().__init__()
            self.said = said

    class Unlisted(Posted):
        """Some conversations cannot be listed, which nobody asked about just now."""

        def __init__(self, *errors: QwenTuiError) -> None:
            super().__init__()
            self.errors = errors

    class Failed(Posted):
        """Something that was asked for could not be done."""

        def __init__(self, error: QwenTuiError) -> None:
            super().__init__()
            self.error = error

    def __init__(
        self,
        library: Library,
        live: LiveReplies,
        drafts: DraftKeeper,
        is_needed: Callable[[str], bool],
        *,
        id: str | None = None,
    ) -> None:
        """`is_needed` tells whether something runs or waits in a conversation, so that it cannot be trashed."""
        super().__init__(id=id)
        self._library = library
        self._live = live
        self._drafts = drafts
        self._is_needed = is_needed
        self._shown_id = ""
        self._list = ConversationsPane()
        self._finding = Finding(library.search)

    def complete(self) -> None:
        """Mount the list: for after the first picture, which need not wait for it."""
        self.mount(self._list)
        self._looking = self.set_interval(LOOK_SECONDS, self._look, pause=True)

    def refresh_list(self, shown_id: str) -> None:
        """List the conversations as the folder has them now; `shown_id` is the one that is talked in."""
        self._shown_id = shown_id
        entries = self._library.entries()
        drafted = self._drafts.among([entry.id for entry in entries])
        self._list.entries = tuple(
            ConversationRow(
                id=entry.id,
                title=entry.name,
                updated=entry.updated,
                pinned=entry.pinned,
                running=self._live.is_busy(entry.id),
                unread=self._live.is_unread(entry.id),
                draft=entry.id in drafted and entry.id != shown_id,
            )
            for entry in entries
        )
        self._list.open_id = shown_id
        problems = self._library.take_problems()
        if problems:
            self.post_message(self.Unlisted(*problems))

    def rename_shown(self) -> None:
        """Let the person write another name for the conversation under the cursor."""
        self._list.action_rename()

    def trash(self, conversation_id: str) -> None:
        """Move a conversation to the trash, unless something runs in it."""
        if self._is_needed(conversation_id):
            self.post_message(self.Failed(QwenTuiError("screen.busy_conversation")))
            return
        trashed = self._change(
            lambda: self._library.trash(conversation_id),
            say("screen.trashed", key=key_of(self, "conversations.undo")),
        )
        if trashed and conversation_id == self._shown_id:
            self.post_message(
                self.Chosen(
                    leaves_list=False, said=say("screen.trashed", key=key_of(self, "conversations.undo"))
                )
            )

    @on(ConversationsPane.Opened)
    def _open(self, event: ConversationsPane.Opened) -> None:
        event.stop()
        self.post_message(self.Chosen(event.id, message_id=event.message_id))

    @on(ConversationsPane.SearchChanged)
    def _search(self, event: ConversationsPane.SearchChanged) -> None:
        event.stop()
        self._finding.ask(event.query)
        self._list.found = None
        if event.query:
            self._looking.resume()
        else:
            self._looking.pause()

    def _look(self) -> None:
        """Show what has been found since."""
        self._list.found = found = self._finding.found
        if found is not None and found.is_done:
            self._looking.pause()

    @on(ConversationsPane.NewRequested)
    def _new(self, event: ConversationsPane.NewRequested) -> None:
        event.stop()
        self.post_message(self.Chosen())

    @on(ConversationsPane.RenameRequested)
    def _rename(self, event: ConversationsPane.RenameRequested) -> None:
        event.stop()
        self._change(lambda: self._library.rename(event.id, event.name), "")

    @on(ConversationsPane.PinRequested)
    def _pin(self, event: ConversationsPane.PinRequested) -> None:
        event.stop()
        self._change(lambda: self._library.pin(event.id, event.pinned), "")

    @on(ConversationsPane.TrashRequested)
    def _trash(self, event: ConversationsPane.TrashRequested) -> None:
        event.stop()
        self.trash(event.id)

    @on(ConversationsPane.DuplicateRequested)
    def _duplicate(self, event: ConversationsPane.DuplicateRequested) -> None:
        event.stop()
        self.duplicate(event.id)

    def duplicate(self, conversation_id: str) -> None:
        """Make a copy of a conversation and let the person go on in it."""
        try:
            copy_id = self._library.duplicate(conversation_id)
        except QwenTuiError as error:
            self.post_message(self.Failed(error))
        else:
            self.post_message(self.Chosen(copy_id, said=say("screen.duplicated")))

    @on(ConversationsPane.UndoRequested)
    def _undo(self, event: ConversationsPane.UndoRequested) -> None:
        event.stop()
        self.undo()

    def undo(self) -> None:
        """Take the last change back, whichever conversation it was done to."""
        if self._is_needed(self._library.next_undo):
            self.post_message(self.Failed(QwenTuiError("screen.busy_conversation")))
            return
        try:
            undone = self._library.undo()
        except QwenTuiError as error:
            self.post_message(self.Failed(error))
        else:
            said = say(undone.what, name=undone.name) if undone else say("screen.nothing_to_undo")
            self.post_message(self.Changed(said))

    def _change(self, change: Callable[[], object], said: str) -> bool:
        """Do something to a conversation and say so; False when it could not be done."""
        try:
            change()
        except QwenTuiError as error:
            self.post_message(self.Failed(error))
            return False
        self.post_message(self.Changed(said))
        return True
