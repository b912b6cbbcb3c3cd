"""What happens in the turns of the conversation that is shown, put into the log."""

from qwen_tui.chat.branches import path_to, variants
from qwen_tui.chat.context import Window
from qwen_tui.chat.messages import Message, Role
from qwen_tui.engine.base import PrefillProgress, TextDelta, ThinkingDelta
from qwen_tui.session.events import Accepted, Replied, ReplyStarted
from qwen_tui.session.session import ChatSession
from qwen_tui.session.turn_queue import Happened, Turn, TurnBegan, TurnEnded, TurnQueue
from qwen_tui.ui.transcript.live_replies import LiveReply
from qwen_tui.ui.transcript.memory_marker import Memory
from qwen_tui.ui.transcript.message_log import MessageLog


class ReplyFeed:
    """Keeps the log at what the turns have come to; messages that wait for their turn stand at its end."""

    def __init__(self, log: MessageLog, turns: TurnQueue) -> None:
        self._log = log
        self._turns = turns
        self._waiting: list[str] = []
        """The ids under which waiting messages stand in the log."""
        self._streaming = ""
        """The id of the reply that is being written."""

    async def open(self, session: ChatSession, live: LiveReply | None) -> None:
        """Show a conversation as it stands now, its running reply and its waiting messages included."""
        self._waiting.clear()
        await self._show_path(session, live.message.parent if live else session.conversation.head)
        self._log.memory.show(None)
        if live is not None:
            self.show_window(live.started.first_sent, live.started.window)
            self._streaming = live.message.id
            view = self._log.add(live.message, streaming=True)
            view.append_thinking("".join(live.thinking), live.thinking_tokens)
            view.append_text("".join(live.text))
            if live.progress is not None:
                view.show_progress(*live.progress)
        self.show_waiting(session)

    async def show(self, happened: list[Happened]) -> None:
        """Show what happened in the conversation that is shown; deltas in a row become one."""
        for event in _joined(happened):
            session = happened[0].turn.session
            view = self._log.list.view_of(self._streaming)
            match event:
                case TurnBegan():
                    self.show_waiting(session)
                case Accepted(message):
                    await self._add(session, message)
                case ReplyStarted(reply):
                    await self._begin(session, event)
                case PrefillProgress(done, total) if view:
                    view.show_progress(done, total)
                case ThinkingDelta(text, tokens) if view:
                    view.append_thinking(text, tokens)
                case TextDelta(text) if view:
                    view.append_text(text)
                case Replied(reply):
                    self._end(session, reply)
                case TurnEnded() if not self._streaming:
                    self.show_waiting(session)  # it may have been put back
                case TurnEnded():
                    # A defect has kept the turn from saying how its reply ended; the conversation knows.
                    kept = session.conversation.message(self._streaming)
                    if kept is not None:
                        self._end(session, kept)

    async def _begin(self, session: ChatSession, started: ReplyStarted) -> None:
        self._streaming = started.reply.id
        if self._log.list.position_of(started.reply.id) is not None:
            self._log.list.resume(started.reply.id)
        else:
            await self._add(session, started.reply, streaming=True)
        self.show_window(started.first_sent, started.window)

    async def _add(self, session: ChatSession, message: Message, *, streaming: bool = False) -> None:
        """Show a new message after the one it follows; what stood there before makes room for its sibling."""
        self._clear_waiting()
        last = self._log.messages[-1].id if self._log.messages else None
        pointed_at = self._log.cursor.message_id
        if message.parent != last:
            await self._show_path(session, message.parent)
        self._log.add(message, streaming=streaming)
        if pointed_at is not None and self._log.list.position_of(pointed_at) is None:
            self._log.move_cursor(message.id, scroll=False)
        self.show_waiting(session)

    def _end(self, session: ChatSession, reply: Message) -> None:
        self._streaming = ""
        self._log.list.finish(reply)
        self._log.keys.show_variants(variants(session.conversation))

    async def _show_path(self, session: ChatSession, head: str | None) -> None:
        conversation = session.conversation
        await self._log.show_conversation(path_to(conversation, head), variants(conversation))

    def show_window(self, first_sent: str, window: Window) -> None:
        """Draw the line where the model's memory begins."""
        used, budget = window.used_tokens, window.budget_tokens
        self._log.memory.show(Memory(first_sent, used, budget, window.older, window.is_exact))

    def show_waiting(self, session: ChatSession) -> None:
        """Let the messages that wait stand at the end of the log."""
        self._clear_waiting()
        for turn in self._turns.waiting(session.conversation.id):
            if turn.text is not None:
                message = _waiting_message(turn)
                self._waiting.append(message.id)
                self._log.add(message, waiting=True)

    def _clear_waiting(self) -> None:
        for message_id in self._waiting:
            self._log.list.remove(message_id)
        self._waiting.clear()


def _waiting_message(turn: Turn) -> Message:
    return Message(role=Role.USER, content=turn.text or "", id=f"waiting-{turn.number}")


def _joined(happened: list[Happened]) -> list[object]:
    """The events in order, with neighbouring deltas of one kind made one."""
    events: list[object] = []
    for event in (h.event for h in happened):
        last = events[-1] if events else None
        if isinstance(event, TextDelta) and isinstance(last, TextDelta):
            events[-1] = TextDelta(last.text + event.text, last.tokens + event.tokens)
        elif isinstance(event, ThinkingDelta) and isinstance(last, ThinkingDelta):
            events[-1] = ThinkingDelta(last.text + event.text, last.tokens + event.tokens)
        else:
            events.append(event)
    return events
