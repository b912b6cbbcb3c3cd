"""The replies that are being written, as far as the screen knows them, and the marks in the list that follow.

A person may switch away from a conversation while its reply runs, and back: what has arrived meanwhile is kept
here, on the screen's own thread, so that nothing is shown twice and nothing is missed.
"""

from dataclasses import dataclass, field

from qwen_tui.chat.messages import Message
from qwen_tui.engine.base import PrefillProgress, TextDelta, ThinkingDelta
from qwen_tui.session.events import Replied, ReplyStarted
from qwen_tui.session.turn_queue import Happened, TurnBegan, TurnEnded


@dataclass
class LiveReply:
    """What has come of one reply."""

    started: ReplyStarted
    text: list[str] = field(default_factory=list)
    thinking: list[str] = field(default_factory=list)
    thinking_tokens: int = 0
    tokens: int = 0
    progress: PrefillProgress | None = None

    @property
    def message(self) -> Message:
        """The reply when it began: without a word."""
        return self.started.reply


class LiveReplies:
    """At most one a conversation; and which conversations have a reply nobody has looked at."""

    def __init__(self) -> None:
        self._live: dict[str, LiveReply] = {}
        self._busy: set[str] = set()
        self._unread: set[str] = set()

    def of(self, conversation_id: str) -> LiveReply | None:
        """The reply that is being written in this conversation."""
        return self._live.get(conversation_id)

    def is_busy(self, conversation_id: str) -> bool:
        """Whether a turn of this conversation is being answered."""
        return conversation_id in self._busy

    def is_unread(self, conversation_id: str) -> bool:
        """Whether a reply ended here while another conversation was shown."""
        return conversation_id in self._unread

    def look_at(self, conversation_id: str) -> None:
        """The person sees this conversation now."""
        self._unread.discard(conversation_id)

    def note(self, happened: Happened, shown_id: str) -> bool:
        """Follow what happened; True when the marks in the list change by it."""
        own_id = happened.turn.conversation_id
        live = self._live.get(own_id)
        match happened.event:
            case TurnBegan():
                self._busy.add(own_id)
            case ReplyStarted():
                self._live[own_id] = LiveReply(happened.event)
                return False
            case PrefillProgress() as progress if live:
                live.progress = progress
                return False
            case ThinkingDelta(text, tokens) if live:
                live.thinking.append(text)
                live.thinking_tokens += tokens
                live.tokens += tokens
                return False
            case TextDelta(text, tokens) if live:
                live.text.append(text)
                live.tokens += tokens
                return False
            case Replied():
                self._live.pop(own_id, None)
                if own_id != shown_id:
                    self._unread.add(own_id)
            case TurnEnded():
                self._busy.discard(own_id)
                self._live.pop(own_id, None)
            case _:
                return False
        return True
