"""The left side of the screen: the list of conversations, the search in it, and what is done to them there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar, TypeVar

from textual import on
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message as Posted
from textual.widgets import Input, Static

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.index import Entry
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.search import Finding
from qwen_tui.session.storage import Storage
from qwen_tui.session.undo import Undone
from qwen_tui.strings import say
from qwen_tui.ui.conversations.list import ConversationList, here_and_now
from qwen_tui.ui.conversations.marks import Marks
from qwen_tui.ui.conversations.rename_field import RenameField
from qwen_tui.ui.conversations.row import ConversationRow, narrowed
from qwen_tui.ui.conversations.search_field import SearchField
from qwen_tui.ui.textual_patches.focus import focus_at_once
from qwen_tui.ui.widgets.keys import key_of

T = TypeVar("T")

LOOK_SECONDS = 1 / 15
"""How often it looks at what a search has found."""

_ROW_ACTIONS = ("rename", "pin", "duplicate", "trash")
"""What is done to the conversation under the cursor."""

_LIST_ACTIONS = ("new", "search", "undo")
"""What else the keys do only while the list itself has the keyboard."""


class ConversationsPane(Vertical):
    """Shows the conversations and changes them on the storage thread; which one is shown is the screen's matter."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", say("panes.key.new"), id="conversations.new"),
        Binding("r", "rename", say("panes.key.rename"), id="conversations.rename"),
        Binding("p", "pin", say("panes.key.pin"), id="conversations.pin"),
        Binding("d", "duplicate", say("panes.key.duplicate"), id="conversations.duplicate"),
        Binding("delete", "trash", say("panes.key.trash"), id="conversations.trash"),
        Binding("slash", "search", say("panes.key.search"), id="conversations.search"),
        Binding("escape", "show_all", say("panes.key.show_all"), id="conversations.show_all", show=False),
        Binding("ctrl+z", "undo", say("panes.key.undo"), id="conversations.undo"),
    ]

    DEFAULT_CSS = """
    ConversationsPane {
        height: 100%;
        layers: list over;
        & > Horizontal { height: 2; padding: 0 1 0 0; }
        & #conversations-slash { width: 2; color: $text-muted; visibility: hidden; }
        & #conversations-heading { width: 1fr; text-style: bold; }
        & #conversations-count { width: auto; color: $text-muted; }
        & > #conversations-empty { padding: 0 1 0 2; color: $text-muted; display: none; }
        & > ConversationList { height: 1fr; }
        & SearchField { display: none; width: 1fr; }
        &.-searching SearchField { display: block; }
        &.-searching #conversations-slash { visibility: visible; }
        &.-searching #conversations-heading { display: none; }
        &.-empty > #conversations-empty { display: block; }
        &:ansi #conversations-count { text-style: dim; }
        &:ansi > #conversations-empty { text-style: dim; }
    }
    """

    @dataclass
    class Chosen(Posted):
        """The person wants to talk in this conversation; None for a new one."""

        conversation_id: str | None = None
        message_id: str | None = None
        """The message that the person has found and wants to read."""
        leaves_list: bool = True
        """Whether the person goes on to write or read; otherwise the list keeps the keyboard."""
        said: str = ""
        """What to say once it is open."""

    @dataclass
    class Changed(Posted):
        """Something was done to this conversation; `said` is what to say about it."""

        conversation_id: str
        said: str = ""
        other_messages: bool = False
        """Whether other messages are shown in it now."""

    @dataclass
    class Failed(Posted):
        """Something could not be done, or some conversations cannot be listed."""

        errors: tuple[QwenTuiError, ...]
        was_asked_for: bool = True
        """Whether the person waits for it."""

    def __init__(
        self,
        library: Library,
        marks: Marks,
        drafts: DraftKeeper,
        is_at_work: Callable[[str], bool],
        storage: Storage,
        *,
        id: str | None = None,
        clock: Callable[[], datetime] = here_and_now,
    ) -> None:
        """`is_at_work` tells whether something runs or waits in a conversation; it is asked on another thread."""
        super().__init__(id=id)
        self._library = library
        self._marks = marks
        self._drafts = drafts
        self._is_at_work = is_at_work
        self._storage = storage
        self._entries: tuple[Entry, ...] | None = None
        """The conversations of the last listing."""
        self._listings = 0
        self._shown_id = ""
        self._finding = Finding(library.search)
        self._query = ""
        self._list = ConversationList(clock)
        self._search = SearchField()
        self._count = Static(id="conversations-count", markup=False)
        self._empty = Static(id="conversations-empty", markup=False)

    async def complete(self) -> None:
        """Mount its parts: for after the first picture, which need not wait for them."""
        slash = Static("/", id="conversations-slash", markup=False)
        heading = Static(say("panes.conversations"), id="conversations-heading", markup=False)
        await self.mount(Horizontal(slash, heading, self._search, self._count), self._empty, self._list)
        self._looking = self.set_interval(LOOK_SECONDS, self._show_found, pause=True)
        self.watch(self._list, "scroll_y", self._place_field, init=False)
        self._show()

    # --- What is shown -----------------------------------------------------------------------------------

    def refresh_list(self, shown_id: str) -> None:
        """List the conversations: with other marks at once, and anew as soon as their folder has been read."""
        self._shown_id = self._list.open_id = shown_id
        self._show()
        self._listings += 1
        self._run(partial(self._read, self._listings), self._listed)

    def _read(self, number: int) -> tuple[tuple[Entry, ...], list[QwenTuiError]] | None:
        if number != self._listings:  # another one is to follow
            return None
        entries = self._library.entries()
        self._drafts.among([entry.id for entry in entries])  # reads their folder
        return entries, self._library.take_problems()

    def _listed(self, listing: tuple[tuple[Entry, ...], list[QwenTuiError]] | None) -> None:
        if listing is not None:
            self._entries, problems = listing
            self._show()
            if problems:
                self.post_message(self.Failed(tuple(problems), was_asked_for=False))

    def _rows(self) -> tuple[ConversationRow, ...]:
        entries = self._entries or ()
        drafted = self._drafts.among([entry.id for entry in entries])
        return tuple(
            ConversationRow(
                id=entry.id,
                title=entry.name,
                updated=entry.updated,
                pinned=entry.pinned,
                running=self._marks.is_busy(entry.id),
                unread=self._marks.is_unread(entry.id),
                draft=entry.id in drafted and entry.id != self._shown_id,
            )
            for entry in entries
        )

    def _show(self) -> None:
        if self._entries is None or not self._list.is_mounted:
            return
        query, found = self._query, self._finding.found
        rows = narrowed(self._rows(), query, found)
        nothing = "empty" if not query else "not_found" if found and found.is_done else "searching"
        self._empty.update(say(f"panes.conversations.{nothing}", key=key_of(self, "conversations.show_all")))
        self._count.update(f"{len(rows):,}" if rows else "")
        self.set_class(not rows, "-empty")
        self._list.marked = tuple(query.split())
        self._list.rows = rows
        self._place_field()

    @on(Input.Changed, "SearchField")
    def _narrow(self, event: Input.Changed) -> None:
        event.stop()
        self._find(event.value.strip() if self.has_class("-searching") else "")

    @on(SearchField.Ended)
    def _end_search(self, event: SearchField.Ended) -> None:
        event.stop()
        self._list.focus()
        if not event.found:
            self.action_show_all()

    def action_search(self) -> None:
        self._search.value = ""
        self.add_class("-searching")
        focus_at_once(self._search)

    def action_show_all(self) -> None:
        self.remove_class("-searching")
        self._find("")

    def _find(self, query: str) -> None:
        self._query = query
        self._finding.ask(query)
        self._show()
        if query:
            self._looking.resume()
        else:
            self._looking.pause()

    def _show_found(self) -> None:
        self._show()
        if self._finding.found is not None and self._finding.found.is_done:
            self._looking.pause()

    # --- What is done ------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The keys of the list belong to the field while something is renamed or looked for."""
        if action == "show_all":
            return self.has_class("-searching")
        if action in _ROW_ACTIONS:
            return self._list.has_focus and self._list.row is not None
        return self._list.has_focus or action not in _LIST_ACTIONS

    @on(ConversationList.Chosen)
    def _choose(self, event: ConversationList.Chosen) -> None:
        event.stop()
        self.post_message(self.Chosen(event.id, event.message_id))

    def action_new(self) -> None:
        self.post_message(self.Chosen())

    def action_rename(self) -> None:
        self.rename(self._row.id)

    def action_pin(self) -> None:
        id, pinned = self._row.id, not self._row.pinned
        self._run(lambda: self._library.pin(id, pinned), lambda _: self._changed(id))

    def action_duplicate(self) -> None:
        self.duplicate(self._row.id)

    def action_trash(self) -> None:
        self.trash(self._row.id)

    def action_undo(self) -> None:
        self.undo()

    @property
    def _row(self) -> ConversationRow:
        """The one under the cursor; the keys for it do nothing where there is none."""
        assert self._list.row is not None
        return self._list.row

    def rename(self, conversation_id: str) -> None:
        """Let the person write another name, over the conversation's row, or over the heading if it has none."""
        if not self._list.is_mounted:
            return
        if not self._list.go_to(conversation_id):
            self.action_show_all()  # a search may hide it
            self._list.go_to(conversation_id)
        field = RenameField(conversation_id, one_line(self._library.name(conversation_id)))
        self.mount(field)
        field.focus()
        self._place_field()
        self.call_after_refresh(self._place_field)  # the pane may just be about to be drawn

    def _place_field(self) -> None:
        """Let the field for a name lie over its row, wherever that is now."""
        for field in self.query(RenameField):
            line = self._list.line_of(field.conversation_id)
            y = 0 if line is None else self._list.region.y - self.region.y + line
            field.styles.margin = (y, 1, 0, 2)

    @on(RenameField.Ended)
    def _renamed(self, event: RenameField.Ended) -> None:
        event.stop()
        for field in self.query(RenameField):
            if field.has_focus:  # first: what goes away with the keyboard gives it to whatever comes next
                self.screen.set_focus(self._list)
            field.remove()
        id, name = event.id, event.name
        if name is not None:
            self._run(lambda: self._library.rename(id, name), lambda _: self._changed(id))

    def trash(self, conversation_id: str) -> None:
        """Move a conversation to the trash, unless something runs in it."""

        def trash() -> None:
            self._refuse_at_work(conversation_id)
            self._library.trash(conversation_id)

        def trashed(_: None) -> None:
            said = say("screen.trashed", key=key_of(self, "conversations.undo"))
            if conversation_id == self._shown_id:
                self.post_message(self.Chosen(leaves_list=False, said=said))
            else:
                self._changed(conversation_id, said)

        self._run(trash, trashed)

    def duplicate(self, conversation_id: str) -> None:
        """Make a copy of a conversation and let the person go on in it."""
        self._run(
            lambda: self._library.duplicate(conversation_id),
            lambda copy_id: self.post_message(self.Chosen(copy_id, said=say("screen.duplicated"))),
        )

    def undo(self) -> None:
        """Take the last change back, whichever conversation it was done to."""

        def undo() -> Undone | None:
            self._refuse_at_work(self._library.next_undo)
            return self._library.undo()

        def undone(it: Undone | None) -> None:
            if it is None:
                self._changed("", say("screen.nothing_to_undo"))
            else:
                self._changed(it.conversation_id, say(it.what, name=it.name), it.is_of_messages)

        self._run(undo, undone)

    def _refuse_at_work(self, conversation_id: str) -> None:
        if self._is_at_work(conversation_id):
            raise QwenTuiError("screen.busy_conversation")

    def _changed(self, conversation_id: str, said: str = "", other_messages: bool = False) -> None:
        self.refresh_list(self._shown_id)
        self.post_message(self.Changed(conversation_id, said, other_messages))

    def _run(self, work: Callable[[], T], done: Callable[[T], object]) -> None:
        """Do something on the storage thread, then `done` with what came of it, if it could be done."""

        async def run() -> None:
            try:
                result = await self._storage.run(work)
            except QwenTuiError as error:
                self.post_message(self.Failed((error,)))
            else:
                done(result)

        self.run_worker(run())
