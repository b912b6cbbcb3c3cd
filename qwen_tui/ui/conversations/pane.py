"""The conversations panel: the list, its search, and actions on conversations."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, TypeVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message as Posted
from textual.widgets import Static

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.index import Entry
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.storage import Storage
from qwen_tui.session.undo import Undone
from qwen_tui.strings import say
from qwen_tui.ui.conversations.heading import ListHeading
from qwen_tui.ui.conversations.list import ConversationList
from qwen_tui.ui.conversations.marks import Marks
from qwen_tui.ui.conversations.rename_field import RenameField
from qwen_tui.ui.conversations.row import narrowed, row_of
from qwen_tui.ui.widgets.keys import key_of

T = TypeVar("T")


class ConversationsPane(Vertical):
    """Lists and changes conversations on the storage thread; the screen decides which one is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "new", say("panes.key.new"), id="conversations.new"),
        Binding("r", "row('rename')", say("panes.key.rename"), id="conversations.rename"),
        Binding("p", "row('pin')", say("panes.key.pin"), id="conversations.pin"),
        Binding("d", "row('duplicate')", say("panes.key.duplicate"), id="conversations.duplicate"),
        Binding("delete", "row('trash')", say("panes.key.trash"), id="conversations.trash"),
        Binding("slash", "search", say("panes.key.search"), id="conversations.search"),
        Binding("escape", "show_all", say("panes.key.show_all"), id="conversations.show_all", show=False),
        Binding("ctrl+z", "undo", say("panes.key.undo"), id="conversations.undo"),
    ]

    DEFAULT_CSS = """
    ConversationsPane {
        height: 100%;
        layers: list over;
        & > #conversations-empty { padding: 0 1 0 2; color: $text-muted; display: none; }
        & > ConversationList { height: 1fr; }
        &.-empty > #conversations-empty { display: block; }
        &:ansi > #conversations-empty { text-style: dim; }
    }
    """

    @dataclass
    class Chosen(Posted):
        """The person wants to open this conversation; None for a new one."""

        conversation_id: str | None = None
        message_id: str | None = None
        """The search result that the person wants to read."""
        leaves_list: bool = True
        """Whether the person goes on to write or read; otherwise the list keeps the focus."""
        said: str = ""
        """A notice to show once it is open."""

    @dataclass
    class Changed(Posted):
        """A conversation was changed, or could not be changed or listed."""

        said: str = ""
        """The notice to show."""
        errors: tuple[QwenTuiError, ...] = ()
        was_asked: bool = True
        """Whether the person is waiting for the result."""

    def __init__(
        self,
        library: Library,
        marks: Marks,
        drafts: DraftKeeper,
        is_at_work: Callable[[str], bool],
        storage: Storage,
        *,
        id: str | None = None,
    ) -> None:
        """Create the panel; `is_at_work` returns whether a turn runs or waits, and is called on another thread."""
        super().__init__(id=id)
        self._library = library
        self._marks = marks
        self._drafts = drafts
        self._is_at_work = is_at_work
        self._storage = storage
        self._entries: tuple[Entry, ...] | None = None  # from the last listing
        self._listings = 0
        self._shown_id = ""
        self._heading = ListHeading(library.search)
        self._list = ConversationList()
        self._empty = Static(id="conversations-empty", markup=False)

    async def complete(self) -> None:
        """Mount the parts after the first frame, which does not need them."""
        await self.mount(self._heading, self._empty, self._list)
        self.watch(self._list, "scroll_y", self._place_field, init=False)
        self._show()

    def refresh_list(self, shown_id: str) -> None:
        """Update the marks at once, and the rows as soon as the folder has been read."""
        self._shown_id = self._list.open_id = shown_id
        self._show()
        self._listings += 1
        self._run(partial(self._read, self._listings), self._listed)

    def _read(self, number: int) -> tuple[Entry, ...] | None:
        if number != self._listings:  # a newer listing follows
            return None
        entries = self._library.entries()
        self._drafts.among([entry.id for entry in entries])  # reads the drafts folder
        return entries

    def _listed(self, entries: tuple[Entry, ...] | None) -> None:
        if entries is not None:
            self._entries = entries
            self._show()
        problems, self._library.problems = self._library.problems, ()
        if problems:
            self.post_message(self.Changed(errors=problems, was_asked=False))

    @on(ListHeading.Moved)
    def _show(self) -> None:
        if self._entries is None or not self._list.is_mounted:
            return
        drafted = self._drafts.among([entry.id for entry in self._entries]) - {self._shown_id}
        query, found = self._heading.words, self._heading.found
        rows = narrowed(tuple(row_of(each, self._marks, drafted) for each in self._entries), query, found)
        nothing = "empty" if not query else "not_found" if found and found.is_done else "searching"
        self._empty.update(say(f"panes.conversations.{nothing}", key=key_of(self, "conversations.show_all")))
        self._heading.show_count(len(rows))
        self.set_class(not rows, "-empty")
        self._list.marked = tuple(query.split())
        self._list.rows = rows
        self._place_field()

    @on(ListHeading.Ended)
    def _end_search(self, event: ListHeading.Ended) -> None:
        event.stop()
        self._list.focus()
        if not event.found:
            self.action_show_all()

    def action_search(self) -> None:
        self._heading.search()

    def action_show_all(self) -> None:
        self._heading.end_search()
        self._show()

    # --- Actions -----------------------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Disable the list's keys while the person types a name or a query."""
        if action == "show_all":
            return self._heading.is_searching
        if action == "row":
            return self._list.has_focus and self._list.row is not None
        return self._list.has_focus or action not in ("new", "search", "undo")

    @on(ConversationList.Chosen)
    def _choose(self, event: ConversationList.Chosen) -> None:
        event.stop()
        self.post_message(self.Chosen(event.id, event.message_id))

    def action_new(self) -> None:
        self.post_message(self.Chosen())

    def action_row(self, what: str) -> None:
        if self._list.row is not None:
            getattr(self, what)(self._list.row.id)

    def rename(self, conversation_id: str) -> None:
        """Edit the name of a conversation over its row, or over the heading if it has none."""
        if not self._list.is_mounted:
            return
        if not self._list.go_to(conversation_id):
            self.action_show_all()  # a search may hide it
            self._list.go_to(conversation_id)
        field = RenameField(conversation_id, one_line(self._library.name(conversation_id)))
        self.mount(field)
        field.focus()
        self._place_field()
        self.call_after_refresh(self._place_field)  # the pane may be about to be drawn

    @on(events.Show)
    @on(events.Resize)
    def _place_field(self) -> None:
        """Place the rename field over its row, wherever that is now: it may just have been laid out."""
        for field in self.query(RenameField):
            line = self._list.line_of(field.conversation_id)
            y = 0 if line is None else self._list.region.y - self.region.y + line
            field.styles.margin = (y, 1, 0, 2)

    @on(RenameField.Ended)
    def _renamed(self, event: RenameField.Ended) -> None:
        event.stop()
        for field in self.query(RenameField):
            if field.has_focus:  # before removal, which would move the focus elsewhere
                self.screen.set_focus(self._list)
            field.remove()
        if event.name is not None:
            rename = partial(self._library.rename, event.id, event.name)
            self._run(rename, lambda _: self._changed())

    def pin(self, id: str) -> None:
        def pin() -> None:  # read from disk: the list may be outdated
            pinned = any(entry.id == id and entry.pinned for entry in self._library.entries())
            self._library.pin(id, not pinned)

        self._run(pin, lambda _: self._changed())

    def trash(self, id: str) -> None:
        """Move a conversation to the trash, unless a turn of it runs or waits."""

        def trash() -> None:
            self._refuse_at_work(id)
            self._library.trash(id)

        def trashed(_: None) -> None:
            said = say("screen.trashed", key=key_of(self, "conversations.undo"))
            if id == self._shown_id:
                self.post_message(self.Chosen(leaves_list=False, said=said))
            else:
                self._changed(said)

        self._run(trash, trashed)

    def duplicate(self, id: str) -> None:
        self._run(
            lambda: self._library.duplicate(id),
            lambda copy_id: self.post_message(self.Chosen(copy_id, said=say("screen.duplicated"))),
        )

    def undo(self) -> None:
        """Undo the last change, whichever conversation it affected."""

        def undo() -> Undone | None:
            self._refuse_at_work(self._library.changes.next_conversation)
            return self._library.changes.undo()

        def undone(it: Undone | None) -> None:
            what = say("screen.nothing_to_undo") if it is None else say(it.what, name=it.name)
            self._changed(what)

        self._run(undo, undone)

    action_undo = undo

    def _refuse_at_work(self, conversation_id: str) -> None:
        if self._is_at_work(conversation_id):
            raise QwenTuiError("screen.busy_conversation")

    def _changed(self, said: str = "") -> None:
        self.refresh_list(self._shown_id)
        self.post_message(self.Changed(said))

    def _run(self, work: Callable[[], T], done: Callable[[T], object]) -> None:
        """Run `work` on the storage thread, then `done` with its result; errors are reported."""

        async def run() -> None:
            try:
                done(await self._storage.run(work))
            except QwenTuiError as error:
                self.post_message(self.Changed(errors=(error,)))

        self.run_worker(run())
