"""The figures of the conversation that is shown: tokens in its window, tokens of the draft."""

from typing import NamedTuple

from qwen_tui.engine.base import Engine
from qwen_tui.session.session import ChatSession
from qwen_tui.session.token_counter import Figures, TokenCounter
from qwen_tui.settings.options import Settings
from qwen_tui.ui.transcript.live_replies import LiveReply


class Measure(NamedTuple):
    """How much of the context window the conversation takes; None while it cannot be counted."""

    used_tokens: int | None
    budget_tokens: int | None = None
    """How large a prompt may be: what is used beyond it makes the model forget."""
    is_exact: bool = True
    """False where it is estimated."""


class Measuring:
    """Has tokens counted in the background, and adds to them what comes of a running reply."""

    def __init__(self) -> None:
        self._counter = TokenCounter()
        self._seen: Figures | None = None

    def ask(self, session: ChatSession, defaults: Settings, draft: str, engine: Engine | None) -> None:
        """Have a conversation and a draft counted anew."""
        conversation = session.conversation
        settings = defaults.with_overrides(conversation.overrides)
        self._counter.ask(conversation.id, conversation.path(), settings, draft, engine)

    @property
    def figures(self) -> Figures | None:
        """The newest figures."""
        return self._counter.figures

    def has_news(self) -> bool:
        """Whether there are other figures than at the last call."""
        before, self._seen = self._seen, self.figures
        return self._seen is not before

    def of(self, conversation_id: str, live: LiveReply | None) -> Measure | None:
        """How full the window of a conversation is; None where the figures are of another one."""
        if live is not None:
            window = live.started.window
            return Measure(window.used_tokens + live.tokens, window.budget_tokens, window.is_exact)
        if self.figures is None:
            return Measure(None)
        if self.figures.conversation_id != conversation_id:
            return None
        window = self.figures.window
        return Measure(window.used_tokens, window.budget_tokens, window.is_exact)
