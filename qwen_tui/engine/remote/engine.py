"""The remote engine: the `Engine` contract for one model of a server."""

import logging
import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

import httpx2

from qwen_tui.chat.context import reply_room
from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import (
    Event,
    ModelInfo,
    NotTaken,
    PromptMessage,
    Request,
    StopFlag,
    Thinking,
    TokenCounts,
)
from qwen_tui.engine.inspection import Lens, MemoryFacts, PromptToken, PromptTokens, Rounding
from qwen_tui.engine.prompt_spans import bare_spans
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.remote.completion_chunk import DONE, parse_event, parsed
from qwen_tui.engine.remote.http_calls import Answer, Calls, Dropped
from qwen_tui.engine.remote.refusals import BUSY, LOST, refusal, said, told_window, unreachable
from qwen_tui.engine.remote.reply import Reply
from qwen_tui.engine.remote.request_body import Asking, asking, named_in
from qwen_tui.engine.remote.retries import Retries
from qwen_tui.engine.remote.server_kinds import Kind
from qwen_tui.engine.remote.token_counts import ServerTokenCounter
from qwen_tui.engine.sampling import seed_for
from qwen_tui.engine.thinking_room import thought_room, will_think
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)

ESTIMATE_ERROR = 4
"""An estimated prompt may turn out longer by one part in this many."""

_REASONS = {"stop": "eos"}
"""Finish reasons that receipts call by another name; `length` is the same in both."""

_BROKEN = ("abort", "error")
"""Finish reasons for which the reply is incomplete: the server gave up on it."""


class RemoteEngine:
    """A model on a server, made by `remote.opening`."""

    reads_ahead = False
    """The server decides what it caches between requests."""

    def __init__(
        self, calls: Calls, kind: Kind, info: ModelInfo, counter: ServerTokenCounter, host: str
    ) -> None:
        self.info = info
        self._calls = calls
        self._kind = kind
        self._counter = counter
        self._host = host
        self._closed = threading.Event()
        self._refused: dict[str, Json] = {}
        """Request keys that the server has refused, with their values."""
        self._told: set[tuple[str, ...]] = set()

    @property
    def alive(self) -> bool:
        """True until closed: a server that is unreachable may come back, so each request tries again."""
        return not self._closed.is_set()

    def count(
        self,
        messages: Sequence[PromptMessage],
        thinking: Thinking = None,
        *,
        continues: bool = False,
        stop: StopFlag | None = None,
    ) -> TokenCounts:
        """Count the tokens of a prompt; see `Engine.count`. Exact if `info.counts_exactly`."""
        try:
            return self._counter.count(messages, thinking, continues=continues, stop=stop)
        except Dropped:
            raise QwenTuiError("engine.stopped_early" if self.alive else "engine.closed") from None
        except Exception as error:
            raise unreachable(error, self._host) from error

    def inspect(
        self, request: Request, *, template: bool = True, stop: StopFlag | None = None
    ) -> PromptTokens:
        """Return the messages, each as if it were one token, where the server does not show its prompts."""
        spans = bare_spans(request.messages)
        whole = (PromptToken(-1, span.text.encode(), False, span.author, span.message) for span in spans)
        return PromptTokens(tuple(whole), is_exact=False)

    def memory(self) -> MemoryFacts:
        """Raise QwenTuiError: a server does not say what stands in its memory."""
        raise QwenTuiError("server.no_memory", host=self._host)

    def rounding(self, matrix: str) -> Rounding:
        """Raise QwenTuiError, as `memory` does."""
        raise QwenTuiError("server.no_memory", host=self._host)

    def lens(self, request: Request) -> Lens:
        """Raise QwenTuiError: a server does not show what its layers compute."""
        raise QwenTuiError("server.no_lens", host=self._host)

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Generate one reply; see `Engine.stream`. A stop drops the request, whatever the server is doing."""
        reply = Reply(self.info, seed_for(request.sampling), request)
        try:
            yield from self._stream(request, reply, stop)
        except Dropped:
            if not self.alive:
                raise QwenTuiError("engine.closed") from None
            yield from reply.end("stopped")
        except QwenTuiError:
            yield from reply.flush()
            raise
        except Exception as error:
            yield from reply.flush()
            log.info("%s: %s", self._host, error)
            raise unreachable(error, self._host, has_begun=reply.has_begun) from error

    def answer_now(self) -> bool:
        """Return False: the protocol has no way to end a reply's thinking; see `Engine.answer_now`."""
        return False

    def prepare(self, messages: Sequence[PromptMessage], thinking: Thinking = None) -> None:
        """Do nothing; see `reads_ahead`."""

    def close(self) -> None:
        """Drop all requests in progress. Safe to call twice."""
        self._closed.set()
        self._calls.close()

    # --- One reply --------------------------------------------------------------------------------------

    def _stream(self, request: Request, reply: Reply, stop: StopFlag) -> Iterator[Event]:
        retries = Retries(self._host, stop)
        reply.prompt_tokens = self._counter.counted(
            request.messages, request.thinking, continues=request.continues
        )
        most_new_tokens = self._most_new_tokens(request, stop)
        while True:
            asked = asking(request, self.info.model, self._kind, reply.seed, self._refused, most_new_tokens)
            try:
                answer = yield from self._attempt(asked, reply, stop)
            except LOST:
                if reply.has_begun or (again := retries.next()) is None:
                    raise
                yield again
                retries.wait(again)
                continue
            if answer is None:
                return
            named = named_in(said(answer), asked.body) if answer.status in (400, 422) else frozenset()
            if named:
                log.info("%s does not support %s", self._host, ", ".join(sorted(named)))
                self._refused |= {name: asked.body[name] for name in named}
                continue
            retry_after = answer.headers.get("retry-after", "")
            again = retries.next(answer.status, retry_after) if answer.status in BUSY else None
            if again is None:
                refused = refusal(answer, self._host)
                if refused.code == "server.too_long":
                    self._learn_from(refused)
                raise refused
            yield again
            retries.wait(again)

    def _learn_from(self, refused: QwenTuiError) -> None:
        """Send less from now on: adopt the window in the refusal, or raise the estimates if it has none."""
        window = told_window(refused)
        if 0 < window < self.info.context_window:
            self.info = replace(self.info, context_window=window)
        else:
            self._counter.was_too_low()

    def _most_new_tokens(self, request: Request, stop: StopFlag) -> int:
        """Limit the reply to the room after its prompt: vLLM and SGLang refuse what might exceed the window.

        Thinking has room of its own, next to that of the answer: see `Reply.is_long_enough`.
        """
        window, wanted = self.info.context_window, request.sampling.max_new_tokens
        room = max(1, reply_room(window, wanted))
        if will_think(self.info, request.thinking):
            thoughts = thought_room(window, request.thinking_budget)
            room, wanted = room + thoughts, wanted + thoughts
        if room == wanted:
            return wanted
        try:
            prompt = self._counter.count(
                request.messages, request.thinking, continues=request.continues, stop=stop
            ).total
        except (httpx2.HTTPError, TimeoutError):
            return room
        left = window - (prompt if self._counter.is_exact else prompt + prompt // ESTIMATE_ERROR)
        return max(room, min(wanted, left))

    def _attempt(self, asked: Asking, reply: Reply, stop: StopFlag) -> Generator[Event, None, Answer | None]:
        """Send the request once; the generator returns a response that was no reply, or None."""
        reply.sampling, reply.not_taken = asked.sampling, asked.not_taken
        for item in self._sent(asked, reply, stop):
            if isinstance(item, Answer):
                piece = parsed(item.json) if item.status == 200 else None
                if piece is None:
                    return item
            elif item.strip() == DONE:
                if reply.has_begun:  # a server that gives no reason has still completed the reply
                    reply.finish_reason = reply.finish_reason or "stop"
                break
            else:
                piece = parse_event(item)
                if piece is None:
                    raise QwenTuiError("server.garbled", host=self._host)
            if not reply.has_begun:
                yield from self._notes(asked)
            yield from reply.take(piece)
            if reply.has_thought and not self.info.thinks:
                self.info = replace(self.info, thinks=True)
            has_both_rooms = asked.sampling["max_new_tokens"] > reply.request.sampling.max_new_tokens
            if reply.has_stopped:
                reply.finish_reason = "stop"
                break
            if has_both_rooms and reply.is_long_enough and not reply.finish_reason:
                reply.finish_reason = "length"
                break
            if piece.error:
                raise QwenTuiError("server.error", host=self._host, detail=one_line(piece.error))
        if reply.finish_reason in ("", *_BROKEN):
            raise QwenTuiError("server.broke_off", host=self._host, detail="")
        if reply.prompt_tokens:
            self._counter.learn(reply.request.messages, reply.prompt_tokens)
        yield from reply.end(_REASONS.get(reply.finish_reason, one_line(reply.finish_reason)))
        return None

    def _sent(self, asked: Asking, reply: Reply, stop: StopFlag) -> Iterator[Answer | str]:
        """Yield what the server sends; ignore a lost connection once the reply is complete."""
        try:
            yield from self._calls.events("/v1/chat/completions", asked.body, stop)
        except (httpx2.HTTPError, TimeoutError, Dropped):
            if not reply.finish_reason:
                raise

    def _notes(self, asked: Asking) -> Iterator[Event]:
        """Yield notices about this request, each only once."""
        for names, is_certain in ((asked.not_taken, True), (asked.uncertain, False)):
            if names and names not in self._told:
                self._told.add(names)
                yield NotTaken(names, self._kind.name, is_certain)
