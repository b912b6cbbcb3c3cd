"""A conversation and its turns, from a message to the saved reply.

`send`, `edit`, `regenerate` and `continue_reply` are plain generators of events. The screen runs them on a
background thread; tests simply iterate. However a reply ends (by itself, by a stop, by an error, by a closed
generator), it is recorded and saved in one place.
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
from qwen_tui.engine.base import Engine, Finished, StopFlag, TextDelta, ThinkingDelta
from qwen_tui.engine.thinking import Reread
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.events import Accepted, Event, NotSaved, Refused, Replied, ReplyStarted, SavedAgain
from qwen_tui.session.prompt_plan import Plan
from qwen_tui.session.prompt_plan import plan as plan_prompt
from qwen_tui.session.read_ahead import prepare_next
from qwen_tui.session.requests import LAST, Regenerate
from qwen_tui.session.streaming_reply import StreamingReply
from qwen_tui.session.traces import Traces
from qwen_tui.settings.options import Settings


class ChatSession:
    """An open conversation: its value, its running reply, and its state on disk.

    One reply at a time. The conversation may be read from any thread; it is replaced under a lock.
    """

    def __init__(self, conversation: Conversation, store: ConversationStore, read_only: bool = False) -> None:
        self.conversation = conversation
        """The current value of the conversation."""
        self._store = store
        self._lock = threading.RLock()
        """Guards the value; never held during disk access."""
        self._saving = threading.Lock()
        """Held while the conversation is written."""
        self._since: list[Callable[[Conversation], Conversation]] = []
        """Changes made since the state that is being written, or was last written."""
        self.streaming: StreamingReply | None = None
        """The reply that is being written now."""
        self.traces = Traces(store.traces, conversation.id)
        """How the tokens of the last replies were chosen."""
        self._is_interrupted = False
        self._has_file = bool(conversation.messages)
        self.is_saved = True
        """Whether the current value is on disk."""
        self._is_closed = False
        self._left: list[Partial] = []
        """Partial files of replies that are not saved in the conversation's own file yet."""
        self._chosen: dict[str, str] = {}
        """Maps a message id to the id of the child that was last shown after it."""
        self.has_failed_to_save = False
        """Whether the last attempt to save failed."""
        self.is_read_only = read_only
        """Another program has the conversation open: it cannot be changed, saved or continued here."""

    def standing(self) -> tuple[Conversation, StreamingReply | None]:
        """Return the conversation and its running reply consistently: an ended reply is in the conversation."""
        with self._lock:
            return self.conversation, self.streaming

    def change(self, how: Callable[[Conversation], Conversation]) -> None:
        """Replace the conversation by `how(conversation)` and save it; waits for the disk.

        `how` may be called again, on a state that another program has added to. Raises `QwenTuiError`:
        `session.read_only`, or an error of saving, in which case the change remains in memory.
        """
        if self.is_read_only:
            raise QwenTuiError("session.read_only")
        self.adjust(how)
        self.save()

    def turn(self, message_id: str, step: int) -> None:
        """Show the variant `step` places after this one, at its last shown leaf; raises like `change`."""
        self.change(lambda it: turned(it, message_id, step, self._chosen))

    def show(self, message_id: str) -> None:
        """Show the branch through this message, at its last shown leaf; raises like `change`."""
        self.change(lambda it: showing(it, message_id, self._chosen))

    def delete(self, message_id: str) -> None:
        """Delete a message (see `branches.without`); raises like `change`."""
        self.change(lambda it: without(it, message_id, self._chosen))

    def adjust(self, how: Callable[[Conversation], Conversation]) -> None:
        """Replace the conversation without saving: for changes at every key press, such as settings."""
        with self._lock:
            before, self.conversation = self.conversation, how(self.conversation)
            self._since.append(how)
            self.is_saved = False
            if self.conversation.head != before.head:
                self._chosen |= {each.parent: each.id for each in before.path() if each.parent is not None}

    def save(self) -> None:
        """Save unsaved changes, after any save in progress; raises `QwenTuiError`."""
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
                    for how in self._since:  # changes made during the write
                        saved = how(saved)
                    self.conversation = saved
            with self._lock:
                self.is_saved, self.has_failed_to_save = not self._since, False
                self._left = [each for each in self._left if each not in left]
            for partial in left:
                if is_ours:
                    partial.discard()
                else:  # closed during a reply: the partial is its only copy
                    partial.close()

    def close(self) -> None:
        """Stop saving: the conversation was moved to the trash, or nobody has it open."""
        with self._lock:
            self._is_closed = True
            while self._left:
                self._left.pop().close()

    def interrupt(self) -> None:
        """Mark the running reply as interrupted when a stop ends it: the program is quitting."""
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
        """Add an edited message as a sibling of another one, on its own branch, and have it answered."""
        before = self.conversation.message(message_id)
        parent = before.parent if before is not None else self.conversation.head
        question = replace(_question(text, parent, own_id), edited=before is not None)
        yield from self._ask(question, text, settings, engine, stop)

    def regenerate(
        self, settings: Settings, engine: Engine, stop: StopFlag, asked: Regenerate = LAST
    ) -> Iterator[Event]:
        """Regenerate a reply to the last question, or to the one that is asked for."""
        path = path_to(self.conversation, asked.message_id or self.conversation.head)
        question = next((message for message in reversed(path) if message.role is Role.USER), None)
        if question is not None:
            yield from self._ask(question, "", settings, engine, stop, asked)

    def continue_reply(
        self, reply_id: str, settings: Settings, engine: Engine, stop: StopFlag
    ) -> Iterator[Event]:
        """Let the model continue an unfinished or edited reply; the text is appended to the same message."""
        reply = self.conversation.message(reply_id)
        if reply is None or not reply.can_go_on:
            return
        planned = self.plan(path_to(self.conversation, reply_id), settings, engine, stop, continues=True)
        if isinstance(planned, QwenTuiError):
            yield Refused("", planned)
        else:
            begun = replace(reply, status=Status.INTERRUPTED, error=None)
            yield from self._answer(begun, planned, engine, stop)
            prepare_next(self.conversation, reply.id, settings, engine, self.plan)

    def _ask(
        self,
        question: Message,
        text: str,
        settings: Settings,
        engine: Engine,
        stop: StopFlag,
        asked: Regenerate = LAST,
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
        yield from self._answer(reply, planned.changed(asked.given_ids, asked.sampling), engine, stop)
        prepare_next(self.conversation, reply.id, settings, engine, self.plan)

    def plan(
        self,
        path: Sequence[Message],
        settings: Settings,
        engine: Engine,
        stop: StopFlag | None,
        *,
        continues: bool = False,
    ) -> Plan | QwenTuiError:
        """Return what the model will see, or why it cannot be asked."""
        if self.is_read_only:
            return QwenTuiError("session.read_only")
        if self._is_closed:  # moved to the trash while waiting: the text goes back to its draft
            return QwenTuiError("store.gone", name=self.conversation.name)
        settings = settings.with_overrides(self.conversation.overrides)
        try:
            return plan_prompt(path, settings, engine, continues=continues, stop=stop)
        except QwenTuiError as error:
            return error

    def _answer(self, begun: Message, planned: Plan, engine: Engine, stop: StopFlag) -> Iterator[Event]:
        """Stream a reply; every delta goes to the partial file before it goes to the screen."""
        streaming = self.streaming = StreamingReply(begun, planned)
        is_told = False
        partial = self._store.partial(self.conversation, begun)
        try:
            yield ReplyStarted(begun, planned.window, planned.first_sent)
            for event in self.traces.stream(begun, planned.request, engine, stop):
                shown = streaming.take(event)
                if isinstance(shown, TextDelta):
                    partial.append_text(shown.text)
                elif isinstance(shown, ThinkingDelta):
                    partial.append_thinking(shown.text)
                if not isinstance(shown, Reread | Finished):
                    yield shown
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
        """Add a message to the conversation and save it; return the error of saving.

        A reply's partial file is needed, and stays locked, until the reply is saved: as an orphan it would be
        recovered behind this session's back.
        """
        with self._lock:
            if partial is not None:
                self._left.append(partial)
            self.adjust(lambda conversation: _named(conversation.with_message(message)))
            self.streaming = None  # in the same lock, so that a reply is always visible in exactly one place
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
    """Name a conversation after its first message, unless a person has named it."""
    if conversation.named_by_person or len(conversation.messages) != 1:
        return conversation
    return replace(conversation, name=name_from(conversation.messages[0].content))
