"""Keep what the panel looks at up to date: which reply, and the engine's answers about it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from qwen_tui.chat.messages import Json, Message, Role
from qwen_tui.engine.base import Engine
from qwen_tui.engine.inspection import MemoryFacts, Rounding
from qwen_tui.engine.trace import TokenTrace
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.replay import traced_again
from qwen_tui.session.traces import Traces
from qwen_tui.strings import say
from qwen_tui.ui.inside.asking import Asking
from qwen_tui.ui.inside.choosing import Choosing, next_token
from qwen_tui.ui.inside.prompted import prompted
from qwen_tui.ui.inside.subject import Look, Prompted, Subject

Asked = tuple[object, ...]
"""What an answer depends on."""


class Looking:
    """Compares the chat with what is shown, and asks the engine what the tab in front needs."""

    def __init__(self, subject: Callable[[], Subject], changed: Callable[[], None]) -> None:
        """Create it; `changed` is called when something that is shown has changed."""
        self.look = Look()
        self._subject = subject
        self._changed = changed
        self._asking = Asking()
        self.given: Sequence[TokenTrace] = ()
        """How the tokens were chosen with which the next reply begins; the last one is looked at."""
        self._asked: dict[str, Asked] = {}
        """What the newest question of each kind was about."""

    def again(self, tab: str) -> None:
        """Look again; `tab` is the one in front."""
        before, now = self.look.subject, self._subject()
        self.look.subject = now
        if before is not None and before.session is not now.session:
            before.session.traces.is_wanted = False
        now.session.traces.is_wanted = True
        traces = self.look.traces
        if before is None or not _same(before, now):
            self._choose(before, now)
        reply = self.look.reply
        self.look.traces = now.session.traces.of(reply.id) if reply is not None else ()
        if before is None or not _same(before, now) or len(self.look.traces) != len(traces):
            self._changed()
        if now.engine is not None and tab == "prompt":
            self._ask_prompt(now, now.engine)
        if now.engine is not None and tab == "memory":
            self._ask_memory(now, now.engine)

    def step(self, by: int) -> None:
        """Look at an earlier or later reply; after the last one comes the next message."""
        subject = self.look.subject
        if subject is None:
            return
        replies: list[Message | None] = [*subject.replies, None]
        ids = [reply.id if reply is not None else None for reply in replies]
        at = ids.index(self.look.reply.id if self.look.reply is not None else None)
        self._turn_to(replies[max(0, min(at + by, len(replies) - 1))])
        self._changed()

    def look_ahead(self) -> None:
        """Look at the next message."""
        self._turn_to(None)

    def trace_again(self) -> None:
        """Generate the reply again from its receipt, only to see how its tokens are chosen."""
        subject, reply = self.look.subject, self.look.reply
        if subject is None or subject.engine is None or reply is None or self._asking.is_asking("trace"):
            return
        self.look.said = say("inside.tracing")
        traces = subject.session.traces
        work = partial(traced_again, subject.conversation, reply, subject.engine)
        self._asking.ask("trace", work, partial(self._take_traces, traces, reply.id))
        self._changed()

    def _take_traces(
        self, traces: Traces, reply_id: str, answer: Sequence[TokenTrace | None] | QwenTuiError
    ) -> None:
        self.look.said = str(answer) if isinstance(answer, QwenTuiError) else ""
        if not isinstance(answer, QwenTuiError):
            traces.fill(reply_id, answer)
        self._changed()

    def pick(self, choosing: Choosing, number: int) -> None:
        """Choose a candidate as the next token of a reply, and ask what can come after it."""
        subject, reply = self.look.subject, self.look.reply
        choosing.pick(number)
        if subject is None or subject.engine is None or reply is None or choosing.next is not None:
            return

        def take(answer: TokenTrace | QwenTuiError) -> None:
            choosing.next = answer
            self._changed()

        self._asking.ask("next", partial(next_token, subject, subject.engine, reply, choosing.ids), take)

    def use_trial(self) -> None:
        """Make the tried sampling values those of the conversation."""
        subject, trial = self.look.subject, dict(self.look.trial)
        if subject is not None and trial:
            greedy: dict[str, Json] = {"greedy": None} if subject.settings.greedy else {}
            overrides = {**subject.conversation.overrides, **greedy, **trial}
            subject.session.adjust(lambda conversation: replace(conversation, overrides=overrides))

    def _choose(self, before: Subject | None, now: Subject) -> None:
        """Choose a reply: the one under the cursor of the messages, a new one, else the one looked at before."""
        replies = now.replies
        newest = replies[-1] if replies else None
        pointed = _reply_at(now) if before is None or now.message_id != before.message_id else None
        if pointed is not None:
            self._turn_to(pointed)
            return
        old = self.look.reply
        is_other = before is None or before.session is not now.session
        was_newest = before is not None and (old is None or [old.id] == [m.id for m in before.replies[-1:]])
        is_new = before is not None and newest is not None and newest.id not in {m.id for m in before.replies}
        kept = next((each for each in replies if old is not None and each.id == old.id), None)
        if is_other or (is_new and was_newest) or (old is not None and kept is None):
            self._turn_to(newest)
        else:
            self._turn_to(kept)

    def _turn_to(self, reply: Message | None) -> None:
        before = self.look.reply
        self.look.reply = reply
        if (before.id if before else None) != (reply.id if reply else None):
            self.look.at, self.look.traces, self.look.trial, self.look.said = 0, (), {}, ""
            if reply is not None and self.given and self.look.subject is not None:
                self.look.subject.session.traces.fill(reply.id, self.given)
                self.look.at, self.given = len(self.given) - 1, ()

    def _ask_prompt(self, now: Subject, engine: Engine) -> None:
        reply = self.look.reply
        about: Asked = (
            now.conversation if reply is None else now.conversation.id,
            reply,
            engine,
            now.settings,
        )
        if reply is None:
            about += (now.draft,)
        if not _same(self._asked.get("prompt"), about):
            self._asked["prompt"] = about
            self._asking.ask("prompt", partial(prompted, now, engine, reply), self._take_prompt)

    def _ask_memory(self, now: Subject, engine: Engine) -> None:
        about: Asked = (now.conversation, engine)
        if not _same(self._asked.get("memory"), about) and now.session.streaming is None:
            self._asked["memory"] = about
            self._asking.ask("memory", engine.memory, self._take_memory)

    def _take_memory(self, answer: MemoryFacts | QwenTuiError) -> None:
        self.look.memory = answer
        self._changed()

    def measure_rounding(self, matrix: str) -> None:
        """Ask what rounding does to a matrix of weights."""
        subject = self.look.subject
        if subject is not None and subject.engine is not None and matrix:
            self._asking.ask("rounding", partial(subject.engine.rounding, matrix), self._take_rounding)

    def _take_rounding(self, answer: Rounding | QwenTuiError) -> None:
        self.look.rounding = answer
        self._changed()

    def _take_prompt(self, answer: Prompted | QwenTuiError) -> None:
        self.look.prompt = answer
        self._changed()

    def forget(self, *, keeps_tracing: bool) -> None:
        """Drop everything that was found out, so that a closed panel keeps no memory."""
        if self.look.subject is not None and not keeps_tracing:
            self.look.subject.session.traces.is_wanted = False
        self._asking.forget()
        self._asked.clear()
        self.look.prompt = self.look.subject = None
        self.look.memory = self.look.rounding = None
        self.look.traces = ()


def _same(one: Asked | None, other: Asked) -> bool:
    """Compare field by field; conversations and messages by identity, which is enough as they are frozen."""
    if one is None or len(one) != len(other):
        return False
    return all(
        a is b or (a == b if not hasattr(a, "messages") else False) for a, b in zip(one, other, strict=True)
    )


def _reply_at(subject: Subject) -> Message | None:
    """Return the reply under the cursor of the messages, or the one to the question under it."""
    path = subject.path
    at = next((n for n, each in enumerate(path) if each.id == subject.message_id), None)
    if at is None:
        return None
    return next((each for each in path[at:] if each.role is Role.ASSISTANT), None)
