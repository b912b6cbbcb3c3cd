"""The token figures on the screen, counted by the engine on a separate thread.

Only the newest request counts: older ones are outdated once a person types or switches conversations.
"""

import logging
import threading
from collections.abc import Sequence
from typing import NamedTuple

from qwen_tui.chat.context import Window
from qwen_tui.chat.messages import Message, Role
from qwen_tui.engine.base import Engine, PromptMessage
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.prompt_plan import Plan, upcoming
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings

log = logging.getLogger(__name__)


class Figures(NamedTuple):
    """What the model would see of a conversation now, and what the draft would add."""

    conversation_id: str
    window: Window
    first_sent: str
    draft_tokens: int
    draft_is_exact: bool
    """False if `draft_tokens` is an estimate."""


class WindowUse(NamedTuple):
    """How much of the context window a conversation uses; None if it cannot be counted."""

    used_tokens: int | None = None
    budget_tokens: int | None = None
    """The maximum prompt size; beyond it, old turns are dropped."""
    is_exact: bool = True
    """False if it is an estimate."""


class _Question(NamedTuple):
    conversation_id: str
    path: Sequence[Message]
    settings: Settings
    draft: str
    engine: Engine


class TokenCounter:
    """Answers the newest request; `figures` is the newest answer, or None."""

    def __init__(self) -> None:
        self._question: _Question | None = None
        self._draft = ""
        """The draft last asked about."""
        self.figures: Figures | None = None
        """The same object until there are newer ones."""
        self._engine: Engine | None = None
        self._asked = threading.Condition()
        threading.Thread(target=self._run, name="counting", daemon=True).start()

    def ask(self, session: ChatSession, defaults: Settings, draft: str, engine: Engine | None) -> None:
        """Request a count of a conversation and its draft; without an engine there are no figures."""
        conversation = session.conversation
        settings = defaults.with_overrides(conversation.overrides)
        with self._asked:
            self._engine = engine
            if engine is None:
                self.figures = self._question = None
                return
            self._draft = draft.strip()
            self._question = _Question(conversation.id, conversation.path(), settings, draft, engine)
            self._asked.notify()

    @property
    def draft(self) -> tuple[int | None, bool]:
        """The tokens of the draft, None while unknown, and whether they are counted, not estimated.

        While a longer draft is counted, those of the shorter one are shown; but nothing is not "0 tokens".
        """
        figures = self.figures
        if figures is None or bool(figures.draft_tokens) != bool(self._draft):
            return (0, True) if figures is not None and not self._draft else (None, True)
        return figures.draft_tokens, figures.draft_is_exact

    def window_use(self, session: ChatSession) -> WindowUse | None:
        """Return the use of the context window, including the running reply; None while it is unknown."""
        figures, streaming = self.figures, session.streaming
        if streaming is not None:
            window = streaming.window
            return WindowUse(window.used_tokens + streaming.tokens, window.budget_tokens, window.is_exact)
        if figures is None:
            return WindowUse()
        if figures.conversation_id != session.conversation.id:
            return None
        return WindowUse(figures.window.used_tokens, figures.window.budget_tokens, figures.window.is_exact)

    def _run(self) -> None:
        count = _Counting()
        while True:
            with self._asked:
                while self._question is None:
                    self._asked.wait()
                question, self._question = self._question, None
            figures = None
            try:
                figures = count(question)
            except QwenTuiError as error:
                log.info("could not count tokens: %s", error)
            except Exception:  # without this the thread would end, and with it all figures
                log.exception("counting tokens failed")
            with self._asked:
                if self._engine is question.engine:
                    self.figures = figures


class _Counting:
    """Counts a conversation once and then only its draft, until something other than the draft changes."""

    def __init__(self) -> None:
        self._counted: _Question | None = None
        self._view: Plan | None = None

    def __call__(self, question: _Question) -> Figures:
        """Return the figures. Raises QwenTuiError."""
        view = self._view if self._counted is not None and _differ_in_draft(self._counted, question) else None
        if view is None:
            view = upcoming(question.path, question.settings, question.engine)
            # An estimate of an engine that counts is one of a server that was out of reach.
            is_lasting = view.window.is_exact or not question.engine.info.counts_exactly
            self._counted, self._view = (question, view) if is_lasting else (None, None)
        draft = (PromptMessage(Role.USER, question.draft),) if question.draft.strip() else ()
        counted = question.engine.count(draft)
        return Figures(
            conversation_id=question.conversation_id,
            window=view.window,
            first_sent=view.first_sent,
            draft_tokens=sum(counted.per_message),
            draft_is_exact=counted.is_exact,
        )


def _differ_in_draft(one: _Question, other: _Question) -> bool:
    """Whether at most the drafts differ; messages are compared by identity, since comparing texts takes time."""
    return (
        one.engine is other.engine
        and one.settings == other.settings
        and len(one.path) == len(other.path)
        and all(mine is theirs for mine, theirs in zip(one.path, other.path, strict=True))
    )
