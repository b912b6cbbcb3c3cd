"""A scripted engine: replies that were queued beforehand, and a record of what it was asked."""

import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from qwen_tui.chat.messages import Role, Run
from qwen_tui.engine.base import (
    Event,
    Finished,
    ModelInfo,
    PrefillProgress,
    PromptMessage,
    PromptReady,
    Request,
    StopFlag,
    TextDelta,
    Thinking,
    ThinkingDelta,
    TokenCounts,
)
from qwen_tui.engine.inspection import Author, Lens, MemoryFacts, PromptToken, PromptTokens, Rounding
from qwen_tui.engine.thinking import Reread
from qwen_tui.errors import QwenTuiError

AUTHORS: dict[Role, Author] = {Role.SYSTEM: "system", Role.USER: "user", Role.ASSISTANT: "assistant"}

INFO = ModelInfo(
    name="scripted",
    model="scripted",
    architecture="None",
    parameters=0,
    context_window=400,
    quantization="none",
    dtype="float32",
    device="cpu",
    sampling_defaults={"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20},
    can_think=True,
)

QWEN = ModelInfo(
    name="Qwen3-4B",
    model="Qwen/Qwen3-4B",
    architecture="Qwen3ForCausalLM",
    parameters=4_000_000_000,
    context_window=32_768,
    quantization="none",
    dtype="bfloat16",
    device="cuda:0",
    can_think=True,
    sampling_defaults={"do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20},
)


@dataclass
class Reply:
    """One scripted reply: its deltas, and what goes wrong."""

    deltas: Sequence[str] = ("All ", "right.")
    thinking: Sequence[str] = ()
    fails: QwenTuiError | None = None
    """Raised after the deltas."""
    gate: threading.Event | None = None
    """The last delta waits for this, or for the stop flag."""
    seconds_a_delta: float = 0.0
    reread: Reread | None = None
    """How the whole is divided at its end."""


@dataclass
class ScriptedEngine:
    """Counts a token a word (3 a message for the template); answers with the queued replies, then with an echo."""

    replies: list[Reply] = field(default_factory=list)
    info: ModelInfo = INFO
    asked: list[Request] = field(default_factory=list)
    prepared: list[tuple[PromptMessage, ...]] = field(default_factory=list)
    closed: bool = False
    alive: bool = True
    reads_ahead: bool = True
    answers_now: threading.Event = field(default_factory=threading.Event)
    """Set when the running reply was asked to end its thinking."""
    on_ask: Callable[[Request], None] = lambda request: None

    def count(
        self,
        messages: Sequence[PromptMessage],
        thinking: Thinking = None,
        *,
        continues: bool = False,
        stop: StopFlag | None = None,
    ) -> TokenCounts:
        per_message = tuple(len(message.content.split()) + 3 for message in messages)
        return TokenCounts(sum(per_message) + 2 if messages else 0, per_message)

    def inspect(
        self, request: Request, *, template: bool = True, stop: StopFlag | None = None
    ) -> PromptTokens:
        return PromptTokens(
            tuple(
                PromptToken(number, f"{word} ".encode(), False, AUTHORS[message.role], place)
                for place, message in enumerate(request.messages)
                for number, word in enumerate(message.content.split())
            )
        )

    def memory(self) -> MemoryFacts:
        raise QwenTuiError("server.no_memory", host="scripted")

    def rounding(self, matrix: str) -> Rounding:
        raise QwenTuiError("server.no_memory", host="scripted")

    def lens(self, request: Request) -> Lens:
        raise QwenTuiError("server.no_lens", host="scripted")

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        self.asked.append(request)
        self.on_ask(request)
        script = self.replies.pop(0) if self.replies else Reply([f"echo: {request.messages[-1].content}"])
        prompt = self.count(request.messages).total
        yield PromptReady(prompt)
        yield PrefillProgress(prompt, prompt)
        reason, sent, ids = "eos", 0, []
        for kind, text in [
            *((ThinkingDelta, t) for t in script.thinking),
            *((TextDelta, t) for t in script.deltas),
        ]:
            if script.gate is not None and sent == len(script.thinking) + len(script.deltas) - 1:
                while not script.gate.wait(0.005) and not stop.is_set():
                    pass
            if script.seconds_a_delta:
                time.sleep(script.seconds_a_delta)
            if stop.is_set():
                reason = "stopped"
                break
            sent += 1
            ids.append(zlib.crc32(text.encode("utf-8", "surrogatepass")) % 50_000)
            yield kind(text)
        if script.fails is not None:
            raise script.fails
        if script.reread is not None:
            yield script.reread
        yield Finished(
            Run(
                model="scripted",
                dtype="float32",
                prompt_tokens=prompt,
                prompt_digest=f"{zlib.crc32(repr(request.messages).encode()):016x}",
                token_ids=tuple(ids),
                sampling={"do_sample": True, "temperature": 0.7, "max_new_tokens": 100},
                seed=7,
                new_tokens=sent,
                first_token_seconds=0.01,
                decode_seconds=0.1,
                stop_reason=reason,
            )
        )

    def answer_now(self) -> bool:
        if self.info.server:
            return False
        self.answers_now.set()
        return True

    def prepare(self, messages: Sequence[PromptMessage], thinking: Thinking = None) -> None:
        self.prepared.append(tuple(messages))

    def close(self) -> None:
        self.closed = True
        self.alive = False
