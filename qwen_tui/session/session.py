"""One conversation and the life of its turns, from question to saved.

`send`, `edit`, `regenerate` and `continue_reply` are plain generators of events. The screen runs them on a
background thread, the tests simply iterate. Whatever ends a reply (its own end, a stop, an error, a caller that
goes away), one place records it and saves it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from qwen_tui.chat.branches import path_to, showing, turned, without
from qwen_tui.chat.cleaning import clean
from qwen_tui.chat.messages import Conversation, Message, Role, Status, new_message_id
from qwen_tui.chat.names import name_from
from qwen_tui.chat.partial import Partial
from qwen_tui.chat.store import ConversationStore
from qwen_tui.engine.base import Engine, Finished, PrefillProgress, StopFlag, TextDelta, ThinkingDelta
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.events import Accepted, Event, NotSaved, Refused, Replied, ReplyStarted, SavedAgain
from qwen_tui.session.prompt_plan import Plan
from qwen_tui.session.prompt_plan import plan as plan_prompt
from qwen_tui.session.read_ahead import prepare_next
from qwen_tui.session.streaming_reply import StreamingReply
from qwen_tui.settings.options import Settings


class ChatSession:
    """A conversation that can be talked in: owns the value, its replies, and its place on disk.

    One reply at a time. The conversation may be read from any thread; changes replace it under a lock.
    """

    def __init__(self, conversation: Conversation, store: ConversationStore, read_only: bool = False) -> None:
        self.conversation = conversation
        """The conversation as it stands."""
        self._store = store
        self._lock = threading.RLock()
        """Guards the value; never held while the disk is waited for."""
        self._saving = threading.Lock()
        """Held while the conversation is written."""
        self._since: list[Callable[[Conversation], Conversation]] = []
        """The changes made since the state that is being written, or was last."""
        self.streaming: StreamingReply | None = None
        """The reply that is being written now."""
        self._is_interrupted = False
        self._has_file = bool(conversation.messages)
        self.is_saved = True
        """Whether the disk has it as it stands."""
        self._is_closed = False
        self._left: list[Partial] = []
        """The files of replies that the conversation's own file could not take yet."""
        self._chosen: dict[str, str] = {}
        """By which message another one was followed when it was last shown."""
        self.has_failed_to_save = False
        """Whether the last attempt to save it failed."""
        self.is_read_only = read_only
        """Another program has it open: nothing of it is saved here, and nobody is asked."""

    def standing(self) -> tuple[Conversation, StreamingReply | None]:
        """The conversation and its running reply at one moment: a reply that has ended is in the conversation."""
        with self._lock:
            return self.conversation, self.streaming

    def change(self, how: Callable[[Conversation], Conversation]) -> None:
        """Replace the conversation by `how(conversation)` and save it; waits for the disk.

        `how` may be called again, on a state that another program has added to. Raises `QwenTuiError`:
        `session.read_only`, or that it could not be saved; the change stands in memory then.
        """
        if self.is_read_only:
            raise QwenTuiError("session.read_only")
        self.adjust(how)
        self.save()

    def turn(self, message_id: str, step: int) -> None:
        """Show the variant that stands `step` after this one, as it was last shown; raises as `change` does."""
        self.change(lambda it: turned(it, message_id, step, self._chosen))

    def show(self, message_id: str) -> None:
        """Show the conversation through this message, as it was last shown; raises as `change` does."""
        self.change(lambda it: showing(it, message_id, self._chosen))

    def delete(self, message_id: str) -> None:
        """Take a message out (see `branches.without`); raises as `change` does."""
        self.change(lambda it: without(it, message_id, self._chosen))

    def adjust(self, how: Callable[[Conversation], Conversation]) -> None:
        """Replace the conversation without saving it yet: for what changes at every key, as its settings do."""
        with self._lock:
            before, self.conversation = self.conversation, how(self.conversation)
            self._since.append(how)
            self.is_saved = False
            if self.conversation.head != before.head:
                self._chosen |= {each.parent: each.id for each in before.path() if each.parent is not None}

    def save(self) -> None:
        """Save what the disk does not have yet, after a save that is under way; raises `QwenTuiError`."""
        with self._saving:
            with self._lock:
                if self.is_saved:
                    return
                writing, left, self._since = self.conversation, list(self._left), []
                is_worth_it = self._has_file or bool(writing.messages)
                is_ours = not self._is_closed and not self.is_read_only
            if is_worth_it and is_ours:
                try:
                    saved = self._store.save(writing)
                except QwenTuiError:
                    self.has_failed_to_save = True  # only now: the screen reads it while this thread saves
                    raise
                with self._lock:
                    self._has_file = True
                    for how in self._since:  # made while the disk was waited for
                        saved = how(saved)
                    self.conversation = saved
            with self._lock:
                self.is_saved, self.has_failed_to_save = not self._since, False
                self._left = [each for each in self._left if each not in left]
            for partial in left:
                if is_ours:
                    partial.discard()
                else:  # closed in the middle of a reply: its file is all there is of it
                    partial.close()

    def close(self) -> None:
        """Save nothing any more: the conversation was moved to the trash, or nobody has it open."""
        with self._lock:
            self._is_closed = True
            while self._left:
                self._left.pop().close()

    def interrupt(self) -> None:
        """Mark the running reply as interrupted when it ends by a stop: the program is being left."""
        self._is_interrupted = True

    # --- Turns: generators of events --------------------------------------------------------------------

    def send(
        self, text: str, settings: Settings, engine: Engine, stop: StopFlag, *, own_id: str | None = None
    ) -> Iterator[Event]:
        """Add a person's message and have it answered. `settings` are the person's defaults."""
        question = _question(text, self.conversation.head, own_id)
        yield from self._ask(question, text, settings, engine, stop)

    def edit(
        self,
        message_id: str,
        text: str,
        settings: Settings,
        engine: Engine,
        stop: StopFlag,
        *,
        own_id: str | None = None,
    ) -> Iterator[Event]:
        """Ask another question in the place of one: a sibling of it, with a branch of its own."""
        before = self.conversation.message(message_id)
        parent = before.parent if before is not None else self.conversation.head
        question = replace(_question(text, parent, own_id), edited=before is not None)
        yield from self._ask(question, text, settings, engine, stop)

    def regenerate(
        self, settings: Settings, engine: Engine, stop: StopFlag, message_id: str | None = None
    ) -> Iterator[Event]:
        """Answer a question, given by its id or an answer's, or else the last one again: with a sibling reply."""
        path = path_to(self.conversation, message_id or self.conversation.head)
        question = next((message for message in reversed(path) if message.role is Role.USER), None)
        if question is not None:
            yield from self._ask(question, "", settings, engine, stop)

    def continue_reply(
        self, reply_id: str, settings: Settings, engine: Engine, stop: StopFlag
    ) -> Iterator[Event]:
        """Let the model go on with a reply that did not come to its end; the same message grows."""
        reply = self.conversation.message(reply_id)
        if reply is None or not reply.can_go_on:
            return
        planned = self.plan(path_to(self.conversation, reply_id), settings, engine, stop, continues=True)
        if isinstance(planned, QwenTuiError):
            yield Refused("", planned)
        else:
            begun = replace(reply, status=Status.INTERRUPTED, error=None)
            yield from self._answer(begun, planned, engine, stop)
            prepare_next(self, reply.id, settings, engine)

    def _ask(
        self, question: Message, text: str, settings: Settings, engine: Engine, stop: StopFlag
    ) -> Iterator[Event]:
        planned = self.plan(self.conversation.with_message(question).path(), settings, engine, stop)
        if isinstance(planned, QwenTuiError):
            yield Refused(text, planned)
            return
        if self.conversation.message(question.id) is None:
            if (error := self._record(question)) is not None:
                yield NotSaved(error)
            yield Accepted(question)
        reply = Message(role=Role.ASSISTANT, content="", parent=question.id, status=Status.INTERRUPTED)
        yield from self._answer(reply, planned, engine, stop)
        prepare_next(self, reply.id, settings, engine)

    def plan(
        self,
        path: Sequence[Message],
        settings: Settings,
        engine: Engine,
        stop: StopFlag | None,
        *,
        continues: bool = False,
    ) -> Plan | QwenTuiError:
        """What the model is to see, or why it cannot be asked."""
        if self.is_read_only:
            return QwenTuiError("session.read_only")
        if self._is_closed:  # moved to the trash while it was asked: the text goes back to its draft
            return QwenTuiError("store.gone", name=self.conversation.name)
        settings = settings.with_overrides(self.conversation.overrides)
        try:
            return plan_prompt(path, settings, engine, continues=continues, stop=stop)
        except QwenTuiError as error:
            return error

    def _answer(self, begun: Message, planned: Plan, engine: Engine, stop: StopFlag) -> Iterator[Event]:
        """Stream a reply: every word goes to the partial file before it goes to the screen."""
        streaming = self.streaming = StreamingReply(begun, planned)
        is_told = False
        partial = self._store.partial(self.conversation, begun)
        try:
            yield ReplyStarted(begun, planned.window, planned.first_sent)
            for event in engine.stream(planned.request, stop):
                match event:
                    case TextDelta(text, tokens):
                        added = streaming.add_text(text, tokens)
                        partial.append_text(added)
                        yield TextDelta(added, tokens)
                    case ThinkingDelta(text, tokens):
                        added = streaming.add_thinking(text, tokens)
                        partial.append_thinking(added)
                        yield ThinkingDelta(added, tokens)
                    case Finished(run):
                        streaming.finish(run)
                    case _:
                        if isinstance(event, PrefillProgress):
                            streaming.progress = event
                        yield event
                if partial.error is not None and not is_told:
                    is_told = True
                    yield NotSaved(partial.error)
        except QwenTuiError as failure:
            streaming.fail(failure)
        finally:
            if self._is_interrupted:
                streaming.interrupt()
            ended = streaming.reply()
            error = self._record(ended, partial)
        if error is not None:
            yield NotSaved(error)
        elif is_told:
            yield SavedAgain()
        yield Replied(ended)

    def _record(self, message: Message, partial: Partial | None = None) -> QwenTuiError | None:
        """Make a message part of the conversation and save it, and return why that failed.

        The partial file of a reply is needed until it has been saved, and stays ours until then: as an orphan it
        would be recovered behind the back of this session.
        """
        with self._lock:
            if partial is not None:
                self._left.append(partial)
            self.adjust(lambda conversation: _named(conversation.with_message(message)))
            self.streaming = None  # in one with the change: the reply is either running or there
        try:
            self.save()
        except QwenTuiError as error:
            if partial is not None:
                partial.flush()
            return error
        return None


def _question(text: str, parent: str | None, own_id: str | None) -> Message:
    return Message(role=Role.USER, content=clean(text), parent=parent, id=own_id or new_message_id())


def _named(conversation: Conversation) -> Conversation:
    """Give a conversation that no person has named the name of its first message."""
    if conversation.named_by_person or len(conversation.messages) != 1:
        return conversation
    return replace(conversation, name=name_from(conversation.messages[0].content))
