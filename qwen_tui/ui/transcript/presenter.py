"""Updates the log: compares what it shows with the session, and applies the difference.

No events are relayed: the conversation, its running reply and the waiting turns are read whenever the log is
updated. So nothing is missed while another conversation is shown, and nothing is shown twice.
"""

from collections.abc import Sequence
from itertools import takewhile

from qwen_tui.chat.branches import path_to, variants
from qwen_tui.chat.context import Window
from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.session.requests import Continue, Edit, Regenerate, Replay, Send
from qwen_tui.session.session import ChatSession
from qwen_tui.session.streaming_reply import Place, StreamingReply
from qwen_tui.session.turn_queue import Turn
from qwen_tui.strings import say
from qwen_tui.ui.transcript.memory_marker import Memory
from qwen_tui.ui.transcript.message_log import MessageLog


class Presenter:
    """The part of a session that is shown in the log."""

    def __init__(self, log: MessageLog) -> None:
        self._log = log
        self._session: ChatSession | None = None
        self._conversation: Conversation | None = None
        """The conversation as last shown."""
        self._streaming: StreamingReply | None = None
        self._place = Place()
        """How much of the running reply is shown."""
        self._waiting: tuple[Turn, ...] = ()

    async def show(self, session: ChatSession, waiting: tuple[Turn, ...]) -> bool:
        """Show a session with `waiting` turns at the end; return whether it differs from what was shown."""
        conversation, streaming = session.standing()
        is_other = session is not self._session
        has_changed = is_other or conversation is not self._conversation or streaming is not self._streaming
        if is_other:
            self._log.memory.show(None)
            self._streaming = None
        if has_changed or waiting != self._waiting:
            self._clear_waiting()
            await self._show_path(conversation, streaming, is_other=is_other)
            self._show_waiting(waiting)
        self._session, self._conversation = session, conversation
        if streaming is not self._streaming:
            self._streaming = streaming
            if streaming is not None:
                self._place = Place()
                self.show_window(streaming.first_sent, streaming.window)
        if streaming is not None:
            self._show_news(streaming)
        return has_changed

    def show_window(self, first_sent: str, window: Window) -> None:
        """Show the line where the context begins."""
        used, budget = window.used_tokens, window.budget_tokens
        self._log.memory.show(Memory(first_sent, used, budget, window.start, window.is_exact))

    async def _show_path(
        self, conversation: Conversation, streaming: StreamingReply | None, *, is_other: bool
    ) -> None:
        begun = streaming.begun if streaming is not None else None
        settled = conversation.path() if begun is None else path_to(conversation, begun.parent)
        path = settled if begun is None else (*settled, begun)
        shown, pointed_at = tuple(self._log.messages), self._log.cursor.message_id
        shared = _shared(shown, path)
        if is_other or shared < len(shown):
            await self._log.show_conversation(settled, variants(conversation))
            shared = len(settled)
        else:
            for before, message in zip(shown, path, strict=False):
                if message is not before and message is not begun and message != before:
                    self._log.list.finish(message)
            if begun is not None and shared == len(path) and streaming is not self._streaming:
                self._log.list.resume(begun.id)
        for message in path[shared:]:
            self._log.add(message, streaming=message is begun)
            self._place = Place()
        self._log.show_variants(variants(conversation))
        if pointed_at is not None and path and self._log.list.position_of(pointed_at) is None:
            self._log.move_cursor(path[-1].id, scroll=False)

    def _show_news(self, streaming: StreamingReply) -> None:
        view, news = self._log.list.view_of(streaming.begun.id), streaming.since(self._place)
        self._place = news.place
        if view is None:
            return
        if streaming.progress is not None and not streaming.tokens:
            view.show_progress(*streaming.progress)
        if news.thinking:
            view.append_thinking(news.thinking, news.thinking_tokens)
        if news.text:
            view.append_text(news.text)

    def _show_waiting(self, waiting: tuple[Turn, ...]) -> None:
        self._waiting = waiting
        for turn in waiting:
            self._log.add(waiting_message(turn), waiting=True)

    def _clear_waiting(self) -> None:
        for turn in self._waiting:
            self._log.list.remove(waiting_message(turn).id)
        self._waiting = ()


def waiting_message(turn: Turn) -> Message:
    """Return a message that represents a waiting turn: its text, or what it requests."""
    match turn.request:
        case Send(text=text) | Edit(text=text):
            words = text
        case Regenerate():
            words = say("chat.waiting.regenerate")
        case Continue():
            words = say("chat.waiting.continue")
        case Replay():
            words = say("chat.waiting.replay")
    return Message(role=Role.USER, content=words, id=f"waiting-{turn.number}")


def _shared(shown: Sequence[Message], path: Sequence[Message]) -> int:
    """Return the length of the common prefix by message id, whatever the contents."""
    both = zip(shown, path, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0].id == pair[1].id, both))
