"""One conversation and the life of its turns, from question to saved.

`send` and `regenerate` are plain generators of events. The screen runs them on a background thread, `qwen-tui
ask` and the tests simply iterate. Whatever ends a reply (its own end, a stop, an error, a caller that goes away),
one place records it and saves it.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from qwen_tui.chat.cleaning import Cleaner, clean
from qwen_tui.chat.context import Window
from qwen_tui.chat.messages import Conversation, Message, Role, Run, Status
from qwen_tui.chat.names import name_from
from qwen_tui.chat.partial import Partial
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import (
    Engine,
    Finished,
    PrefillProgress,
    PromptReady,
    Request,
    StopFlag,
    TextDelta,
    ThinkingDelta,
)
from qwen_tui.errors import QwenTuiError
from qwen_tui.memory import plan
from qwen_tui.settings import Settings


class Accepted(NamedTuple):
    """The person's message is part of the conversation and on disk."""

    message: Message


class Refused(NamedTuple):
    """The turn was not begun; the text belongs back in the composer."""

    text: str
    error: QwenTuiError


class ReplyStarted(NamedTuple):
    """The model is asked; `reply` is still empty. `window` tells what it sees."""

    reply: Message
    window: Window
    first_sent: str
    """The id of the oldest message that the model sees."""


class Replied(NamedTuple):
    """The reply has ended, one way or another, and is recorded. The last event of a turn that was accepted."""

    reply: Message


class NotSaved(NamedTuple):
    """Saving failed; everything is kept in memory and saved with the next change that can be."""

    error: QwenTuiError


Event = (
    Accepted
    | Refused
    | ReplyStarted
    | PromptReady
    | PrefillProgress
    | ThinkingDelta
    | TextDelta
    | Replied
    | NotSaved
)


class ChatSession:
    """A conversation that can be talked in: owns the value, its replies, and its place on disk.

    One reply at a time. The conversation may be read from any thread; changes replace it under a lock.
    """

    def __init__(self, conversation: Conversation, store: ConversationStore) -> None:
        self._conversation = conversation
        self._store = store
        self._lock = threading.RLock()
        self._is_adjusted = False
        self._is_closed = False

    @property
    def conversation(self) -> Conversation:
        """The conversation as it stands."""
        return self._conversation

    def change(self, how: Callable[[Conversation], Conversation]) -> None:
        """Replace the conversation by `how(conversation)` and save it.

        Raises `QwenTuiError` when it could not be saved; the change holds in memory nevertheless. A
        conversation without messages is not worth a file and gets none.
        """
        with self._lock:
            self._conversation = how(self._conversation)
            self.save()

    def adjust(self, how: Callable[[Conversation], Conversation]) -> None:
        """Replace the conversation without saving it yet: for what changes at every key, as its settings do."""
        with self._lock:
            self._conversation = how(self._conversation)
            self._is_adjusted = True

    def save(self) -> None:
        """Save the conversation as it stands; raises `QwenTuiError`."""
        with self._lock:
            if self._conversation.messages and not self._is_closed:
                self._conversation = self._store.save(self._conversation)
            self._is_adjusted = False

    def close(self) -> None:
        """Save nothing any more: the conversation was moved to the trash."""
        with self._lock:
            self._is_closed = True

    @property
    def is_adjusted(self) -> bool:
        """Whether something was adjusted that is not saved yet."""
        return self._is_adjusted

    def send(self, text: str, settings: Settings, engine: Engine, stop: StopFlag) -> Iterator[Event]:
        """Add a person's message and have it answered. `settings` are the person's defaults."""
        question = Message(role=Role.USER, content=clean(text), parent=self._conversation.head)
        yield from self._turn(question, text, settings, engine, stop)

    def regenerate(self, settings: Settings, engine: Engine, stop: StopFlag) -> Iterator[Event]:
        """Answer the last message of the person again; the reply becomes a sibling of the one before."""
        path = self._conversation.path()
        question = next((message for message in reversed(path) if message.role is Role.USER), None)
        if question is not None:
            yield from self._turn(question, "", settings, engine, stop)

    def _turn(
        self, question: Message, text: str, settings: Settings, engine: Engine, stop: StopFlag
    ) -> Iterator[Event]:
        settings = settings.with_overrides(self._conversation.overrides)
        asked = self._conversation.with_message(question)
        try:
            planned = plan(asked.path(), settings, engine)
        except QwenTuiError as error:
            yield Refused(text, error)
            return
        if self._conversation.message(question.id) is None:
            yield from self._record(question)
            yield Accepted(question)
        reply = Message(role=Role.ASSISTANT, content="", parent=question.id, status=Status.INTERRUPTED)
        yield ReplyStarted(reply, planned.window, planned.first_sent)
        yield from self._answer(reply, planned.request, engine, stop)

    def _answer(self, reply: Message, request: Request, engine: Engine, stop: StopFlag) -> Iterator[Event]:
        """Stream a reply: every word goes to the partial file before it goes to the screen."""
        growing = _Growing(reply)
        is_told = False
        partial = self._store.partial(self._conversation, reply)
        try:
            for event in engine.stream(request, stop):
                match event:
                    case TextDelta(text, tokens):
                        added = growing.add_text(text)
                        partial.append_text(added)
                        yield TextDelta(added, tokens)
                    case ThinkingDelta(text, tokens):
                        added = growing.add_thinking(text)
                        partial.append_thinking(added)
                        yield ThinkingDelta(added, tokens)
                    case Finished(run):
                        growing.finish(run)
                    case _:
                        yield event
                if partial.error is not None and not is_told:
                    is_told = True
                    yield NotSaved(partial.error)
        except QwenTuiError as error:
            growing.fail(error)
        finally:
            ended = growing.reply()
            problems = list(self._record(ended, partial))
        yield from problems
        yield Replied(ended)

    def _record(self, message: Message, partial: Partial | None = None) -> Iterator[NotSaved]:
        """Make a message part of the conversation and save it; then its partial file is no longer needed."""
        try:
            self.change(lambda conversation: _named(conversation.with_message(message)))
        except QwenTuiError as error:
            if partial is not None:
                partial.close()  # keeps the file: it holds what the conversation's own file could not take
            yield NotSaved(error)
        else:
            if partial is not None:
                partial.discard()


class _Growing:
    """A reply while it is written: its text and thinking so far, and how it ended."""

    def __init__(self, reply: Message) -> None:
        self._reply = reply
        self._text: list[str] = []
        self._thinking: list[str] = []
        self._text_cleaner, self._thinking_cleaner = Cleaner(), Cleaner()

    def add_text(self, delta: str) -> str:
        self._text.append(self._text_cleaner.feed(delta))
        return self._text[-1]

    def add_thinking(self, delta: str) -> str:
        self._thinking.append(self._thinking_cleaner.feed(delta))
        return self._thinking[-1]

    def finish(self, run: Run) -> None:
        status = {"length": Status.LENGTH, "stopped": Status.STOPPED}.get(run.stop_reason, Status.COMPLETE)
        self._reply = replace(self._reply, status=status, receipt=(*self._reply.receipt, run))

    def fail(self, error: QwenTuiError) -> None:
        self._reply = replace(self._reply, status=Status.FAILED, error=error)

    def reply(self) -> Message:
        """The reply as it stands; what the cleaners still held back is let go."""
        self._text.append(self._text_cleaner.flush())
        self._thinking.append(self._thinking_cleaner.flush())
        return replace(self._reply, content="".join(self._text), thinking="".join(self._thinking))


def _named(conversation: Conversation) -> Conversation:
    """Give a conversation that no person has named the name of its first message."""
    if conversation.named_by_person or len(conversation.messages) != 1:
        return conversation
    return replace(conversation, name=name_from(conversation.messages[0].content))
