"""The middle of the screen: one conversation being talked in, with its log, its notices and its composer.

It decides nothing about a turn: `TurnQueue` runs turns, `ChatSession` records them, `LiveReplies` and
`ReplyFeed` follow them. Fifteen times a second it looks at what has happened.
"""

import asyncio
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message as Posted
from textual.reactive import reactive

from qwen_tui.chat.messages import Role
from qwen_tui.counting import Figures, TokenCounter
from qwen_tui.engine.base import Engine
from qwen_tui.engine.host import Closed, EngineState, Failed, Ready
from qwen_tui.errors import QwenTuiError
from qwen_tui.session import ChatSession, NotSaved, Refused
from qwen_tui.settings import Settings
from qwen_tui.strings import say
from qwen_tui.turns import Happened, Turn, TurnBroke, TurnQueue
from qwen_tui.ui.composer import Composer
from qwen_tui.ui.live_replies import LiveReplies
from qwen_tui.ui.notice import Notice
from qwen_tui.ui.welcome import Suggestion, Welcome

if TYPE_CHECKING:  # see `Talk.complete`
    from qwen_tui.ui.chat_log import ChatLog
    from qwen_tui.ui.reply_feed import ReplyFeed

LOOK_SECONDS = 1 / 15
"""How often it looks at what the background threads have done."""

SAVE_SECONDS = 1.0
"""How often settings of the conversation that were changed are saved: a held arrow key changes many."""

QUIT_WORDS = ("quit", "exit", "退出")
"""Typed alone as a message they leave the program, as the beginner's chat loop did."""


class _Reading(NamedTuple):
    log: "ChatLog"
    feed: "ReplyFeed"


class Talk(Vertical):
    """The conversation that is shown, and what runs in it."""

    class TurnsMoved(Posted):
        """A turn of some conversation began or ended: the list has to show it."""

    class Measured(Posted):
        """How much of the context window the conversation takes; None while it cannot be counted."""

        def __init__(self, used_tokens: int | None, budget_tokens: int | None = None) -> None:
            super().__init__()
            self.used_tokens = used_tokens
            self.budget_tokens = budget_tokens
            """How large a prompt may be: what is used beyond it makes the model forget."""

    class ModelWanted(Posted):
        """A message is to be answered, and there is no model."""

    class QuitWanted(Posted):
        """The person typed a word that leaves the program."""

    settings: reactive[Settings] = reactive(Settings)
    """The person's defaults."""
    engine_state: reactive[EngineState | None] = reactive[EngineState | None](None)
    """Whether there is something that answers; None before anyone has asked for it."""
    title: reactive[str] = reactive("")
    """The name of the conversation, or nothing while it has none worth showing."""

    def __init__(self, session: ChatSession, turns: TurnQueue, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.session = session
        """The conversation that is shown."""
        self.live = LiveReplies()
        """The replies that are being written, in all conversations."""
        self._turns = turns
        self._log_changes = asyncio.Lock()
        """Held while the log is changed: opening a conversation takes steps, and a reply may end meanwhile."""
        self._counter = TokenCounter()
        self._figures: Figures | None = None
        self._welcome = Welcome()
        self._reading: _Reading | None = None
        """What the conversation is read in; None until the first picture is there."""
        self._notice = Notice(id="notice")
        self._composer = Composer(id="composer")

    def compose(self) -> ComposeResult:
        """The place of the log, notice, composer."""
        yield Vertical(id="reading")
        yield self._notice
        yield self._composer

    async def complete(self) -> None:
        """Show the conversation in a log, and begin to look at what happens.

        For after the first picture, which would wait a quarter longer for what this imports and mounts; the
        composer works before.
        """
        from qwen_tui.ui.chat_log import ChatLog  # late: see above
        from qwen_tui.ui.reply_feed import ReplyFeed

        log = ChatLog(welcome=self._welcome, id="log")
        await self.query_one("#reading").mount(log)
        self._reading = _Reading(log, ReplyFeed(log, self._turns))
        await self.show(self.session)
        self.watch_engine_state(self.engine_state)
        self.set_interval(LOOK_SECONDS, self._look)
        self.set_interval(SAVE_SECONDS, self._save_adjusted)

    def on_unmount(self) -> None:
        """Keep what was adjusted last."""
        self._save_adjusted()

    def watch_settings(self) -> None:
        """Other settings may let the model see more or less."""
        self.count()

    def watch_title(self, title: str) -> None:
        """Show the name where the next message is written."""
        self._composer.title = title

    def watch_engine_state(self, state: EngineState | None) -> None:
        """Say what the engine has come to; without one, what waits for it goes back to the composer."""
        if self._reading is None:
            return
        self._welcome.state = state
        match state:
            case Failed(error):
                while turn := self._turns.take_back(self.session.conversation.id):
                    self._composer.give_back(turn.text or "")
                self._reading.feed.show_waiting(self.session)
                self._notice.explain(error)
            case Ready(engine, fallback=fallback):
                self._reading.log.assistant_name = engine.info.name
                if fallback is not None:
                    self._notice.say(say("screen.fallback", error=fallback))
        self.count()

    @property
    def conversation_id(self) -> str:
        """Which conversation is shown."""
        return self.session.conversation.id

    async def show(self, session: ChatSession) -> None:
        """Show this conversation as it stands, a reply that runs in it included."""
        async with self._log_changes:
            self._save_adjusted()
            self.session = session
            self.live.look_at(self.conversation_id)
            if self._reading is not None:
                await self._reading.feed.open(session, self.live.of(self.conversation_id))
            self._follow_session()

    def is_needed(self, conversation_id: str) -> bool:
        """Whether a conversation has to stay open though it is not shown: something runs or waits in it."""
        return self.live.is_busy(conversation_id) or self._turns.has(conversation_id)

    def say(self, text: str) -> None:
        """Show a sentence above the composer."""
        self._notice.say(text)

    def explain(self, *errors: QwenTuiError) -> None:
        """Show an error, or several, above the composer."""
        self._notice.explain(*errors)

    def focus_composer(self) -> None:
        """Let the person write."""
        self._composer.focus()

    @property
    def selected_draft(self) -> str:
        """What is selected in the composer."""
        return self._composer.selected_text

    def count(self) -> None:
        """Have the tokens of the conversation and of the draft counted anew."""
        conversation = self.session.conversation
        settings = self.settings.with_overrides(conversation.overrides)
        engine: Engine | None = self.engine_state.engine if isinstance(self.engine_state, Ready) else None
        self._counter.ask(conversation.id, conversation.path(), settings, self._composer.text, engine)

    def regenerate(self) -> None:
        """Answer the last message again."""
        if any(message.role is Role.USER for message in self.session.conversation.path()):
            self._submit(None)
        else:
            self.say(say("screen.nothing_to_regenerate"))

    def stop(self) -> bool:
        """Take back the newest waiting message, else stop the running reply; False when there is neither."""
        turn = self._turns.take_back(self.conversation_id)
        if turn is not None:
            self._composer.give_back(turn.text or "")
            self._show_waiting()
            self.say(say("screen.taken_back"))
            return True
        return self._turns.stop(self.conversation_id)

    # --- Sending -------------------------------------------------------------------------------------

    @on(Composer.Submitted)
    def _send(self, event: Composer.Submitted) -> None:
        if event.text.strip() in QUIT_WORDS:
            self.post_message(self.QuitWanted())
        else:
            self._submit(event.text)

    def _submit(self, text: str | None) -> None:
        self._notice.clear()
        state = self.engine_state
        if isinstance(state, Failed | Closed):
            self.post_message(self.ModelWanted())  # whatever was wrong may have been mended since
        waits = self._turns.running is not None or not isinstance(state, Ready)
        self._turns.submit(Turn(self.session, text, lambda: self.settings))
        if waits:
            self._show_waiting()

    def _show_waiting(self) -> None:
        if self._reading is not None:
            self._reading.feed.show_waiting(self.session)

    @on(Composer.DraftChanged)
    def _draft_changed(self) -> None:
        self.count()

    @on(Suggestion.Chosen)
    def _try(self, event: Suggestion.Chosen) -> None:
        self._composer.give_back(event.text)
        self._composer.focus()

    # --- Looking at what happens ---------------------------------------------------------------------

    async def _look(self) -> None:
        if self._reading is None or not self.is_attached:
            return
        async with self._log_changes:
            happened = self._turns.drain()
            moved = [each for each in happened if self.live.note(each, self.conversation_id)]
            for turn, of_turn in groupby(happened, key=lambda each: each.turn):
                events = list(of_turn)
                if turn.session is self.session:
                    await self._reading.feed.show(events)
                for each in events:
                    self._notice_problem(each)
        if moved:
            self._follow_session()
            self.post_message(self.TurnsMoved())
        self._measure(self._reading.feed)

    def _notice_problem(self, happened: Happened) -> None:
        """Say what went wrong, whichever conversation is shown; a text that was refused comes back."""
        match happened.event:
            case Refused(text, error):
                self._composer.give_back(text)
            case NotSaved(error) | TurnBroke(error):
                pass
            case _:
                return
        if happened.turn.session is self.session:
            self._notice.explain(error)
        else:
            name = happened.turn.session.conversation.name
            self._notice.say(say("screen.elsewhere", name=name, error=error))

    def _save_adjusted(self) -> None:
        if self.session.is_adjusted:
            try:
                self.session.save()
            except QwenTuiError as error:
                self._notice.explain(error)

    def _follow_session(self) -> None:
        """Show what follows from the conversation as it is now: earlier questions, whether it is busy, counts."""
        path = self.session.conversation.path()
        self._composer.history = tuple(message.content for message in path if message.role is Role.USER)
        self._composer.busy = self.live.is_busy(self.conversation_id)
        self.count()

    def _measure(self, feed: "ReplyFeed") -> None:
        """Show the newest figures; while a reply is written, it counts what has come of it."""
        live, figures = self.live.of(self.conversation_id), self._counter.figures
        if live is not None:
            window = live.started.window
            self.post_message(self.Measured(window.used_tokens + live.tokens, window.budget_tokens))
        if figures is self._figures:
            return
        self._figures = figures
        self._composer.draft_tokens = figures.draft_tokens if figures else None
        if live is None and figures is None:
            self.post_message(self.Measured(None))
        elif live is None and figures is not None and figures.conversation_id == self.conversation_id:
            window = figures.window
            self.post_message(self.Measured(window.used_tokens, window.budget_tokens))
            feed.show_window(figures.first_sent, window)
