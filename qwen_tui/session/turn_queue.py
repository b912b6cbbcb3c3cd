"""Run turns in order: one engine, one reply at a time, for all conversations.

One daemon thread runs the turns and owns their conversations meanwhile; events go to an inbox that the screen
empties on a timer. So a stalled terminal never keeps a reply from being saved, and quitting never waits for a
reply.
"""

import itertools
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from qwen_tui.chat.cleaning import one_line
from qwen_tui.engine.base import Engine, PrefillProgress, TextDelta, ThinkingDelta
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.events import Accepted, Event, Refused
from qwen_tui.session.read_ahead import read_ahead
from qwen_tui.session.replay import ReplayEvent, replay
from qwen_tui.session.requests import Continue, Edit, Regenerate, Replay, Send, TurnRequest
from qwen_tui.session.session import ChatSession
from qwen_tui.settings.options import Settings

log = logging.getLogger(__name__)

_numbers = itertools.count(1)

REST_SECONDS = 0.5
"""How long a conversation must be shown before it is read ahead, since a person may only be passing by."""


@dataclass(frozen=True, slots=True, eq=False)
class Turn:
    """A request to the model in a conversation."""

    session: ChatSession
    request: TurnRequest
    settings: Callable[[], Settings]
    """Returns the person's defaults, called when the turn begins."""
    number: int = field(default_factory=lambda: next(_numbers))
    stop: threading.Event = field(default_factory=threading.Event)

    @property
    def conversation_id(self) -> str:
        """The id of its conversation."""
        return self.session.conversation.id

    @property
    def text(self) -> str | None:
        """The person's text: shown while the turn waits, returned when it is refused."""
        return self.request.text if isinstance(self.request, Send | Edit) else None


class TurnBegan:
    """The turn has left the queue."""


class TurnBroke(NamedTuple):
    """A bug in the program ended the turn; the text of the reply so far is kept."""

    error: QwenTuiError


class TurnEnded:
    """The turn is over, however it went; the next one begins."""


class Happened(NamedTuple):
    """An event of a turn; the progress of its reply is read from `ChatSession.streaming`."""

    turn: Turn
    event: Event | ReplayEvent | TurnBegan | TurnBroke | TurnEnded


class Shown(NamedTuple):
    """The conversation on screen, which can be read ahead before something is asked."""

    session: ChatSession
    settings: Callable[[], Settings]
    is_written_to: bool = False
    """Whether the person has typed a message since it is on screen."""

    def is_read_by(self, engine: Engine | None) -> bool:
        """Whether to read it ahead: on a CPU, which reads slowly, only once a message is being written."""
        return engine is not None and (self.is_written_to or engine.info.device != "cpu")


class TurnQueue:
    """Runs turns one after another as soon as there is an engine."""

    def __init__(self) -> None:
        self._waiting: deque[Turn] = deque()
        self.running: Turn | None = None
        """The turn that is being answered now."""
        self._is_accepted = False
        """Whether the running turn's text is part of its conversation."""
        self._put_back_last: Turn | None = None
        self._engine: Engine | None = None
        self._answering: Engine | None = None
        """The engine of the running turn."""
        self._quiet_since = time.monotonic()
        """When something was last asked, typed or answered."""
        self._shown: Shown | None = None
        self._read_from: float | None = None
        """The `time.monotonic()` at which to read ahead the shown conversation; None once that has begun."""
        self._reader: Engine | None = None
        """The engine that last read ahead, or was meant to."""
        self._being_read: ChatSession | None = None
        """The conversation that the engine may be reading ahead now."""
        self._stop_reading = threading.Event()
        """Set when the planning of a read-ahead should give way to other work."""
        self._inbox: deque[Happened] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="turns", daemon=True)
        self._thread.start()

    def submit(self, turn: Turn) -> None:
        """Append a turn to the queue."""
        with self._changed:
            self._waiting.append(turn)
            self._read_from = None  # the engine reads ahead by itself after a reply
            self._stop_reading.set()
            self._quiet_since = time.monotonic()
            self._changed.notify_all()

    def read_ahead(self, session: ChatSession, settings: Callable[[], Settings]) -> None:
        """Have the engine read this conversation once it has been shown for a moment and nothing is asked."""
        with self._changed:
            if self._shown is not None and self._shown.session is not session:
                self._stop_reading.set()
            if self._reader is not None and self._being_read not in (None, session):
                self._reader.prepare(())  # cancels reading ahead
                self._being_read = None
            is_written_to = self._shown is not None and self._shown[::2] == (session, True)
            self._shown = Shown(session, settings, is_written_to)
            self._rest()

    def use(self, engine: Engine | None) -> None:
        """Use this engine from the next turn on; with None, turns wait."""
        with self._changed:
            self._engine = engine
            if engine is not None and engine is not self._reader:
                self._reader = engine
                if self._shown is not None:
                    self._rest()
            self._changed.notify_all()

    def waiting(self, conversation_id: str) -> tuple[Turn, ...]:
        """Return the turns of a conversation that have not begun, in order."""
        with self._changed:
            return tuple(turn for turn in self._waiting if turn.conversation_id == conversation_id)

    def unsaved(self, conversation_id: str) -> tuple[Send | Edit, ...]:
        """Return the messages written for this conversation that are not part of it yet, in order."""
        with self._changed:
            turns = list(self._waiting)
            if self.running is not None and not self._is_accepted:
                turns.insert(0, self.running)
        return tuple(
            turn.request
            for turn in turns
            if turn.conversation_id == conversation_id and isinstance(turn.request, Send | Edit)
        )

    def is_running(self, conversation_id: str) -> bool:
        """Return whether a turn of this conversation is being answered now."""
        turn = self.running
        return turn is not None and turn.conversation_id == conversation_id

    def is_answering(self, engine: Engine) -> bool:
        """Return whether the running turn uses this engine."""
        return self.running is not None and self._answering is engine

    def note_writing(self, *, is_new: bool = True) -> None:
        """Record that the person is typing; or only that a draft was restored, if it is not new."""
        with self._changed:
            self._quiet_since = time.monotonic()
            if is_new and self._shown is not None and not self._shown.is_written_to:
                self._shown = self._shown._replace(is_written_to=True)
                self._changed.notify_all()

    def quiet_seconds(self) -> float | None:
        """Return how long nothing has been asked, typed or answered; None while a turn runs or waits."""
        with self._changed:
            if self.running is not None or self._waiting:
                return None
            return time.monotonic() - self._quiet_since

    def take_back(self, conversation_id: str) -> Turn | None:
        """Remove and return the newest waiting turn of a conversation."""
        with self._changed:
            for turn in reversed(self._waiting):
                if turn.conversation_id == conversation_id:
                    self._waiting.remove(turn)
                    return turn
        return None

    def take_all_back(self) -> tuple[Turn, ...]:
        """Remove all waiting turns; newest first, so that each text can be inserted before the next."""
        with self._changed:
            turns = tuple(reversed(self._waiting))
            self._waiting.clear()
        return turns

    def has(self, conversation_id: str) -> bool:
        """Return whether a turn of this conversation runs or waits."""
        with self._changed:
            turns = (*self._waiting, *([self.running] if self.running else []))
        return any(turn.conversation_id == conversation_id for turn in turns)

    def is_asked(self, conversation_id: str, request: TurnRequest) -> bool:
        """Return whether an equal request of this conversation runs (and is not being stopped) or waits."""
        with self._changed:
            running = self.running
            turns = [*self._waiting, *([running] if running and not running.stop.is_set() else [])]
        return any(turn.conversation_id == conversation_id and turn.request == request for turn in turns)

    def stop(self, conversation_id: str) -> bool:
        """Stop the running reply of this conversation, keeping its text; return False if there is none."""
        turn = self.running if self.is_running(conversation_id) else None
        if turn is not None:
            turn.stop.set()
        return turn is not None

    def answer_now(self, conversation_id: str) -> bool:
        """End the thinking of this conversation's running reply; return False if the engine cannot do that."""
        engine = self._answering if self.is_running(conversation_id) else None
        return engine is None or engine.answer_now()

    def drain(self) -> list[Happened]:
        """Return the events since the last call, in order."""
        return [self._inbox.popleft() for _ in range(len(self._inbox))]

    def close(self, timeout_seconds: float) -> None:
        """Stop the running reply and wait, at most this long, for it to be saved."""
        with self._changed:
            self._closed = True
            self._stop_reading.set()
            self._waiting.clear()
            if self.running is not None:
                self.running.session.interrupt()
                self.running.stop.set()
            self._changed.notify_all()
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        while (next_one := self._next()) is not None:
            turn, engine = next_one
            if isinstance(turn, Shown):
                _read_ahead(turn, engine, self._stop_reading)
                continue
            self._inbox.append(Happened(turn, TurnBegan()))
            try:
                for event in _events(turn, engine):
                    if isinstance(event, Refused) and self._put_back(turn, engine):
                        break
                    self._is_accepted = self._is_accepted or isinstance(event, Accepted)
                    if not isinstance(event, TextDelta | ThinkingDelta | PrefillProgress):
                        self._inbox.append(Happened(turn, event))
            except Exception as error:  # one turn's bug must not end the thread
                log.exception("a turn failed")
                problem = QwenTuiError("error.unknown", detail=one_line(f"{type(error).__name__}: {error}"))
                broke = TurnBroke(problem) if self._is_accepted else Refused(turn.text or "", problem)
                self._inbox.append(Happened(turn, broke))
            finally:
                self._quiet_since = time.monotonic()
                self.running = None
                self._inbox.append(Happened(turn, TurnEnded()))

    def _put_back(self, turn: Turn, engine: Engine) -> bool:
        """Requeue a turn whose engine died before it could do anything, but only once."""
        with self._changed:
            if engine.alive or self._closed or turn.stop.is_set() or turn is self._put_back_last:
                return False
            self._put_back_last = turn
            self.running = None
            self._waiting.appendleft(turn)
            return True

    def _rest(self) -> None:
        """Schedule reading ahead of the shown conversation; call with the lock held."""
        self._read_from = time.monotonic() + REST_SECONDS
        self._changed.notify_all()

    def _next(self) -> tuple[Turn | Shown, Engine] | None:
        with self._changed:
            while not self._closed:
                # A dead engine would fail every waiting turn at once, and another is on its way.
                engine, shown = self._engine, self._shown
                is_alive = engine is not None and engine.alive
                reads = is_alive and shown is not None and shown.is_read_by(engine)
                read_from = self._read_from if reads else None
                left = None if read_from is None else read_from - time.monotonic()
                if is_alive and (self._waiting or (left is not None and left <= 0)):
                    break
                self._changed.wait(left)
            if self._closed or self._engine is None:
                return None
            if not self._waiting and self._shown is not None:
                self._read_from, self._being_read = None, self._shown.session
                self._stop_reading.clear()
                return self._shown, self._engine
            self._answering = self._engine
            self.running = self._waiting.popleft()
            self._being_read = self.running.session  # the engine reads ahead in it after the reply
            self._is_accepted = self.running.text is None
            return self.running, self._engine


def _read_ahead(shown: Shown, engine: Engine, stop: threading.Event) -> None:
    """Read a conversation ahead; nobody waits for it, so errors are only logged."""
    try:
        read_ahead(shown.session.conversation, shown.settings(), engine, shown.session.plan, stop)
    except Exception:
        log.exception("reading a conversation ahead failed")


def _events(turn: Turn, engine: Engine) -> Iterator[Event | ReplayEvent]:
    session, settings, stop = turn.session, turn.settings(), turn.stop
    match turn.request:
        case Send(text, own_id):
            return session.send(text, settings, engine, stop, own_id=own_id)
        case Edit(message_id, text, own_id):
            return session.edit(message_id, text, settings, engine, stop, own_id=own_id)
        case Regenerate():
            return session.regenerate(settings, engine, stop, turn.request)
        case Continue(reply_id):
            return session.continue_reply(reply_id, settings, engine, stop)
        case Replay(reply_id):
            return replay(session.conversation, reply_id, engine, stop)
