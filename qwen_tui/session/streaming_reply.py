"""A reply while it is being written: its text so far, readable from any thread, and how it ended."""

import threading
from dataclasses import replace
from typing import NamedTuple

from qwen_tui.chat.cleaning import Cleaner, clean
from qwen_tui.chat.context import Window
from qwen_tui.chat.messages import Message, Role, Run, Status
from qwen_tui.engine.base import Event, Finished, PrefillProgress, Request, TextDelta, ThinkingDelta
from qwen_tui.engine.thinking import Reread
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.prompt_plan import Plan

_STATUS = {"length": Status.LENGTH, "stopped": Status.STOPPED}
"""Status by stop reason, for replies that did not end by themselves."""


class Place(NamedTuple):
    """A reader's position in a reply: the number of deltas read of each kind."""

    text: int = 0
    thinking: int = 0


class News(NamedTuple):
    """The new part of a reply since a position."""

    text: str
    thinking: str
    thinking_tokens: int
    """How many generated tokens `thinking` represents."""
    place: Place
    """The position to continue from."""


class StreamingReply:
    """A reply that one thread writes (`add_text` and others) and any thread may read."""

    def __init__(self, begun: Message, planned: Plan) -> None:
        """Start a reply; `begun` is the reply before this run: empty, or with the text to continue."""
        self.begun = begun
        self.window: Window = planned.window
        """What the model sees."""
        self.first_sent = planned.first_sent
        """The id of the oldest message that the model sees."""
        self.progress: PrefillProgress | None = None
        """How much of the prompt has been read, if that takes a while."""
        self._lock = threading.Lock()
        self._request = planned.request
        self._reply = begun
        self._text: list[str] = []
        self._thinking: list[tuple[str, int]] = []
        self.tokens = 0
        """How many tokens have been generated, thinking included."""
        self._text_cleaner, self._thinking_cleaner = Cleaner(), Cleaner()

    @property
    def is_thinking(self) -> bool:
        """Whether the model is writing a thought, and has not begun to answer."""
        return bool(self._thinking) and not self._text

    def since(self, place: Place) -> News:
        """Return what was added since this position."""
        with self._lock:
            thinking = self._thinking[place.thinking :]
            return News(
                "".join(self._text[place.text :]),
                "".join(text for text, _ in thinking),
                sum(tokens for _, tokens in thinking),
                Place(len(self._text), len(self._thinking)),
            )

    def take(self, event: Event) -> Event:
        """Add what the engine sent; return the event with the cleaned text that can be shown."""
        match event:
            case TextDelta(text, tokens):
                return TextDelta(self.add_text(text, tokens), tokens)
            case ThinkingDelta(text, tokens):
                return ThinkingDelta(self.add_thinking(text, tokens), tokens)
            case PrefillProgress():
                self.progress = event
            case Reread() | Finished():
                self.settle(event)
        return event

    def add_text(self, delta: str, tokens: int) -> str:
        """Append to the answer; return the cleaned text that can be shown."""
        cleaned = self._text_cleaner.feed(delta)
        with self._lock:
            self._text.append(cleaned)
            self.tokens += tokens
        return cleaned

    def add_thinking(self, delta: str, tokens: int) -> str:
        """Append to the thinking; return the cleaned text that can be shown."""
        cleaned = self._thinking_cleaner.feed(delta)
        with self._lock:
            self._thinking.append((cleaned, tokens))
            self.tokens += tokens
        return cleaned

    def settle(self, event: Reread | Finished) -> None:
        """Record what an engine says at the end of a reply: how its text is divided, and how it was generated."""
        if isinstance(event, Finished):
            self._finish(event.run)
            return
        with self._lock:
            self._text = [clean(event.answer)]
            tokens = sum(tokens for _, tokens in self._thinking)
            self._thinking = [(clean(event.thinking), tokens)] if event.thinking else []
            self._text_cleaner, self._thinking_cleaner = Cleaner(), Cleaner()

    def _finish(self, run: Run) -> None:
        """Complete the run with what only this process knows of the prompt."""
        run = replace(
            with_prompt(run, self._request),
            first_sent=self.first_sent,
            content_start=len(self.begun.content),
            thinking_start=len(self.begun.thinking),
        )
        status = _STATUS.get(run.stop_reason, Status.COMPLETE)
        self._reply = replace(self.begun, status=status, receipt=(*self.begun.receipt, run))

    def fail(self, error: QwenTuiError) -> None:
        """Record that the model failed."""
        self._reply = replace(self._reply, status=Status.FAILED, error=error)

    def interrupt(self) -> None:
        """Record that the stop came from quitting the program, not from the person."""
        if self._reply.status is Status.STOPPED:
            self._reply = replace(self._reply, status=Status.INTERRUPTED)

    def reply(self) -> Message:
        """Return the reply so far; flushes the cleaners."""
        self.add_text(self._text_cleaner.flush(), 0)
        self.add_thinking(self._thinking_cleaner.flush(), 0)
        news = self.since(Place())
        content, thinking = self.begun.content + news.text, self.begun.thinking + news.thinking
        return replace(self._reply, content=content, thinking=thinking)


def with_prompt(run: Run, request: Request) -> Run:
    """Return the run with the system prompt and thinking mode of its request."""
    first = request.messages[0]
    system_prompt = first.content if first.role is Role.SYSTEM else ""
    asked = request.thinking
    if isinstance(asked, str):
        return replace(run, system_prompt=system_prompt, thinking=True, effort=asked)
    return replace(run, system_prompt=system_prompt, thinking=asked)
