"""What the screen is made of, which conversation it shows, and keeping that on disk.

`ChatScreen` adds what can be done: keys, the command palette, and what the parts ask for.
"""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.reactive import reactive

from qwen_tui.engine.host import Asleep, EngineState, Failed, Opening, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.autosave import Keeping
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.settings.options import Settings
from qwen_tui.strings import say
from qwen_tui.ui.conversations.library_pane import LibraryPane
from qwen_tui.ui.settings.side import SettingsSide
from qwen_tui.ui.side_panels import Panes
from qwen_tui.ui.talk import Talk
from qwen_tui.ui.textual_patches.compositor import cut_where_it_is_seen
from qwen_tui.ui.textual_patches.keymap_first import GivenKeysFirst
from qwen_tui.ui.widgets.header import Header
from qwen_tui.ui.widgets.key_bar import KeyBar
from qwen_tui.ui.widgets.keys import key_of

KEEP_SECONDS = 1.0
"""How often what has changed is saved: settings that a held arrow key changes, drafts, what failed before."""


class ChatLayout(GivenKeysFirst):
    """Header, conversations, talk, settings and footer, and the state that is handed down to them."""

    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - typed by Screen, which does not call it a class variable
        (0, "-narrow"),
        (Panes.BESIDE_FROM["settings"], "-medium"),
        (Panes.BESIDE_FROM["conversations"], "-wide"),
    ]

    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """Whether there is something that answers."""

    def __init__(
        self,
        library: Library,
        turns: TurnQueue,
        drafts: DraftKeeper,
        conversation: str | None,
        problems: Iterable[QwenTuiError],
    ) -> None:
        """`problems` are those of the config file, to be said at once."""
        super().__init__()
        cut_where_it_is_seen(self)
        self._library = library
        self._drafts = drafts
        self._keeping = Keeping(library, drafts)
        self._problems = list(problems)
        self._header = Header()
        self._talk = Talk(self._first(conversation), library, turns, drafts, id="talk")
        self._conversations = LibraryPane(
            library, self._talk.live, drafts, self._talk.is_at_work, id="conversations"
        )
        self._settings = SettingsSide(self._talk.session, id="settings")
        self._panes = Panes(self._conversations, self._talk, self._settings, id="panes")

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield self._header
        yield self._panes
        yield KeyBar()

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
        self._settings.complete()
        self._follow_conversation()
        self._list()
        self.set_interval(KEEP_SECONDS, self._keep)

    def _first(self, name: str | None) -> ChatSession:
        if name is not None:
            try:
                return self._library.open_named(name, self._drafts.left_behind())
            except QwenTuiError as error:
                self._problems.append(error)
        return self._library.new_or_left_behind(self._drafts.left_behind())

    def explain(self, error: QwenTuiError) -> None:
        """Show an error above the composer."""
        self._talk.explain(error)

    # --- Attributes down -----------------------------------------------------------------------------

    def watch_settings(self, settings: Settings) -> None:
        """Hand other defaults down."""
        self._talk.settings = settings
        self._settings.show_defaults(settings)

    def watch_engine_state(self, state: EngineState | None) -> None:
        """Hand down what the engine has come to."""
        info = state.engine.info if isinstance(state, Ready | Asleep) else None
        self._header.info = info if isinstance(state, Ready) else None
        self._header.asleep = info.name if info is not None and isinstance(state, Asleep) else ""
        self._settings.show_model(info)
        self._header.progress = state.progress if isinstance(state, Opening) else None
        self._header.problem = state.error.explanation.title if isinstance(state, Failed) else ""
        self._talk.engine_state = state

    # --- Which conversation is shown -----------------------------------------------------------------

    async def _open(self, conversation_id: str | None) -> None:
        """Open a conversation, or a new one, and show it at once: what is open and not needed is closed."""
        try:
            session = self._library.new() if conversation_id is None else self._library.open(conversation_id)
        except QwenTuiError as error:
            self._talk.explain(error)
            self._list()
        else:
            await self._show(session)

    async def _open_new(self) -> None:
        """Open an empty conversation; before it, one after another, those that were written for and never begun.

        They have no row in the list. The newest comes first, and after the oldest the empty one.
        """
        self.note_draft()
        self._drafts.keep()
        left = [each for each in self._drafts.left_behind() if each.has_words]
        ids = [each.own_id for each in left]
        shown_id = self._talk.conversation_id
        await self._show(
            self._library.new_or_left_behind(left[ids.index(shown_id) + 1 :] if shown_id in ids else left)
        )
        shown_id = self._talk.conversation_id
        if shown_id in ids:
            what = "screen.left_behind" if shown_id == ids[-1] else "screen.left_behind.older"
            self._talk.say(say(what, key=key_of(self, "chat.new")))

    async def _show(self, session: ChatSession) -> None:
        failed = self.engine_state.error if isinstance(self.engine_state, Failed) else None
        await self._talk.show(session, *filter(None, (failed, self._keeping.problem)))
        self._follow_conversation()
        self._list()

    def _follow_conversation(self) -> None:
        session, conversation = self._talk.session, self._talk.session.conversation
        self._settings.show_session(session, busy=self._talk.live.is_busy(conversation.id))
        self._talk.title = conversation.name if conversation.messages else ""

    def _list(self) -> None:
        """Show the list of conversations as the folder has it now."""
        self._library.let_go(self._talk.is_needed)
        self._conversations.refresh_list(self._talk.conversation_id)

    # --- Keeping it on disk --------------------------------------------------------------------------

    async def _keep(self) -> None:
        """Save what is not on disk yet; take over a conversation that another program has let go of."""
        self.note_draft()  # someone who types without a rest
        self._say(self._keeping.keep())
        session = self._talk.session
        if session.is_read_only:
            try:
                opened = self._library.open(session.conversation.id)
            except QwenTuiError:
                return
            if opened is not session:
                await self._show(opened)
                self._talk.say(say("screen.writable_again"))

    def may_leave(self) -> bool:
        """Whether everything is on disk, or the person has been told that it is not and leaves all the same."""
        self.note_draft()
        warning = self._keeping.before_leaving()
        self._say(warning)
        return warning is None

    def note_draft(self) -> None:
        """Have what stands in the composer kept with what was noted before."""
        self._talk.note_draft()

    def _say(self, what: QwenTuiError | str | None) -> None:
        if isinstance(what, QwenTuiError):
            self._talk.explain(what)
        elif what:
            self._talk.say(what)
