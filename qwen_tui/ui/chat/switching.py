"""Switching conversations: opened on the storage thread, then shown."""

import asyncio
from collections.abc import Callable
from typing import Protocol

from qwen_tui.engine.host import Failed
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.autosave import Autosave
from qwen_tui.session.drafts import DraftKeeper
from qwen_tui.session.library import Library
from qwen_tui.session.opening import Opener
from qwen_tui.session.requests import Send
from qwen_tui.session.session import ChatSession
from qwen_tui.session.storage import Storage
from qwen_tui.session.turn_queue import TurnQueue
from qwen_tui.strings import say
from qwen_tui.ui.chat.notices import ENGINE, SAVING
from qwen_tui.ui.chat.view import READING, ChatView
from qwen_tui.ui.widgets.keys import key_of

OFFERED = 3
"""How many conversations an empty one offers to continue."""


class Stage(Protocol):
    """The owner of what is shown."""

    shown: ChatSession | None

    def watch_shown(self) -> None:
        """Have the parts show again what is shown."""


class Switching:
    """Opens and shows conversations; text typed meanwhile belongs to the one being opened."""

    def __init__(
        self,
        stage: Stage,
        chat: ChatView,
        autosave: Autosave,
        library: Library,
        turns: TurnQueue,
        drafts: DraftKeeper,
        storage: Storage,
    ) -> None:
        self._stage = stage
        self._chat = chat
        self._autosave = autosave
        self._library = library
        self._turns = turns
        self._storage = storage
        self.opener = Opener(library, drafts)
        """Opens conversations with their drafts; waits for the disk."""
        self._lock = asyncio.Lock()
        """Held from opening a conversation until it is shown, and while unneeded ones are closed."""

    def open(self, conversation_id: str | None, said: str = "", read: str | None = None) -> None:
        """Show a conversation, or a new one for None, with a notice; with `read`, go to this message."""
        self._switch(lambda: (self.opener.open(conversation_id), said), read)

    def open_new(self) -> None:
        """Show an empty conversation, or an unstarted one with a draft."""
        shown_id, key = self._chat.session.conversation.id, key_of(self._chat, "chat.new")

        def opened() -> tuple[ChatSession, str]:
            session, code = self.opener.next_new(shown_id)
            return session, say(code, key=key) if code else ""

        self._switch(opened)

    def offer_last(self) -> None:
        """Offer to continue the most recently used conversations, if an empty one is shown."""
        if self._chat.session.conversation.messages:
            return

        async def offer() -> None:
            try:
                self._chat.transcript.offer(await self._storage.run(lambda: self._library.recent(OFFERED)))
            except QwenTuiError as error:
                self._chat.notice.explain(error)

        self._chat.run_worker(offer())

    def let_go(self) -> None:
        """Close the conversations that are neither shown nor being answered."""

        async def close() -> None:
            async with self._lock:
                shown_id = self._chat.session.conversation.id
                await self._storage.run(
                    lambda: self._library.let_go(lambda each: each == shown_id or self._turns.has(each))
                )

        self._chat.run_worker(close())

    async def take_over(self) -> None:
        """Make a read-only conversation writable once the other program has released it."""
        session = self._chat.session
        if not session.is_read_only or self._lock.locked():
            return
        async with self._lock:  # a waiting switch may go first
            opened = await self._storage.run(lambda: self.opener.taken_over(session))
            if opened is not None and session is self._stage.shown and not self._chat.outbox.is_between:
                self._chat.notice.retract(READING)
                await self._show(opened, say("screen.writable_again"))

    def _switch(self, opened: Callable[[], tuple[ChatSession, str]], read: str | None = None) -> None:
        outbox = self._chat.outbox
        ahead = outbox.leave()

        async def show() -> None:
            async with self._lock:
                if outbox.is_overtaken(ahead) and ahead.is_empty:
                    return
                try:
                    session, said = await self._storage.run(opened)
                except QwenTuiError as error:
                    self._chat.notice.explain(error)
                    outbox.give_back_ahead(ahead, self._chat.session)
                    if not outbox.is_overtaken(ahead):
                        self._chat.enter(self._chat.session)
                        self._stage.watch_shown()
                    return
                if outbox.is_overtaken(ahead):
                    for text in ahead.sent:
                        self._chat.submit(Send(text), session)
                    outbox.add_to_draft(session, ahead.draft)
                    return
                await self._show(session, said)
            if read is not None and session is self._stage.shown:
                self._chat.transcript.read(read)

        self._chat.run_worker(show(), group="switching")

    async def _show(self, session: ChatSession, said: str) -> None:
        before, self._stage.shown = self._stage.shown, session
        self._chat.enter(before)
        await self._chat.look()
        self.offer_last()
        state, notice = self._chat.engine_state, self._chat.notice
        if isinstance(state, Failed):
            notice.explain(state.error, topic=ENGINE)
        notice.tell(self._autosave.problem, SAVING)
        notice.tell(said)
