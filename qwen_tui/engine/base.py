"""The contract between the program and whatever answers: what is asked, and the events that come back.

Every value here is frozen and picklable, since it crosses the pipe to the engine worker. The worker, the test
double and a remote server look the same from this side. (What needs no defaults by factory is a NamedTuple: making
a dataclass takes ten times as long, and the first picture waits for it.)
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, Protocol

from qwen_tui.chat.messages import Json, Role, Run

Quantization = Literal["auto", "none", "4bit", "8bit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """Which model is wanted, and how."""

    model: str | None = None
    """`guide`, a folder, a hub id; None leaves the choice to `engine.opening` (see README, "Which model")."""
    quantization: Quantization = "auto"
    device: str = "auto"
    """`auto`, `cpu`, `mps`, `cuda` or `cuda:N`."""
    trust_remote_code: bool = False


class Reason(NamedTuple):
    """Why something was decided as it was: a sentence's code in `strings`, and what fills its placeholders."""

    code: str
    parameters: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What was loaded, as the screen names it and as memory is counted."""

    name: str
    """As the person calls it: `guide`, `Qwen2.5-7B-Instruct`."""
    model: str
    """What would load it again: `guide`, a folder's path, a hub id."""
    architecture: str
    """The checkpoint's class, as `Qwen2ForCausalLM`."""
    parameters: int
    context_window: int
    """In tokens: prompt and reply together. The model's own, or less when there is no memory for that."""
    quantization: str
    """`none`, `4bit` (nf4) or `8bit`."""
    dtype: str
    device: str
    revision: str = ""
    has_chat_template: bool = True
    """False for a base model: it continues plain text."""
    can_think: bool = False
    """The template takes `enable_thinking`."""
    sampling_defaults: Mapping[str, Json] = field(default_factory=dict)
    """The checkpoint's own generation_config, by the names in `Sampling`, `do_sample` included."""
    memory_bytes: int = 0
    """What the weights take on the device."""
    load_seconds: float = 0.0
    note: str = ""
    """The code of a sentence about how this model came to be chosen (`strings.say`), or empty."""
    reasons: tuple[Reason, ...] = ()
    """Why it is held in this form and on these devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """The person's sampling values; None takes the checkpoint's own."""

    greedy: bool | None = None
    """True always takes the likeliest token; temperature 0 means the same."""
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    """None draws a new seed for each reply; the receipt tells which."""
    max_new_tokens: int = 2048


def sampling_of(run: Run) -> Sampling:
    """The sampling with which the same prompt gives this run's tokens again, and no more than those.

    What was not in effect is given as what changes nothing, since None would take the checkpoint's own. Values
    that are no numbers (a run comes from a file) are left to the checkpoint.
    """
    if "do_sample" not in run.sampling:
        return Sampling(seed=run.seed, max_new_tokens=max(1, len(run.token_ids)))
    nothing: dict[str, Json] = {"temperature": 1.0, "top_p": 1.0, "top_k": 0, "repetition_penalty": 1.0}
    is_sampled = bool(run.sampling["do_sample"])
    names = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
    values = {name: run.sampling.get(name, nothing.get(name)) for name in names}
    if not is_sampled:
        values = {"repetition_penalty": values["repetition_penalty"]}
    numbers = {name: value for name, value in values.items() if isinstance(value, int | float)}
    top_k = numbers.pop("top_k", None)
    return Sampling(
        greedy=not is_sampled,
        seed=run.seed,
        max_new_tokens=max(1, len(run.token_ids)),
        top_k=None if top_k is None else int(top_k),
        **numbers,
    )


class PromptMessage(NamedTuple):
    """A message as the model is to see it."""

    role: Role
    content: str
    thinking: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One reply to be generated. The messages are sent as they stand: what fits was chosen before."""

    messages: tuple[PromptMessage, ...]
    sampling: Sampling = Sampling()
    thinking: bool | None = None
    """Ask the template for thinking or no thinking; None leaves it to the template."""
    continues: bool = False
    """The last message is the assistant's, and the model goes on writing it."""


class TokenCounts(NamedTuple):
    """How many tokens messages take with the model's own tokenizer and template."""

    total: int
    """The whole prompt as it would be sent, the generation prompt included. Exact."""
    per_message: tuple[int, ...]
    """Each message with its share of the template; with the fixed parts they add up to `total`."""

    @property
    def overhead(self) -> int:
        """Tokens that belong to no message: the generation prompt, a template's default system prompt."""
        return self.total - sum(self.per_message)


# --- Events of opening an engine -------------------------------------------------------------------------

Stage = Literal["starting", "resolving", "downloading", "reading", "quantizing", "warming"]


class LoadProgress(NamedTuple):
    """How far the opening of an engine has come. `done` and `total` are bytes, 0 where they are unknown."""

    stage: Stage
    name: str = ""
    """The model, once it is known."""
    done: int = 0
    total: int = 0


# --- Events of one reply, in this order ------------------------------------------------------------------


class PromptReady(NamedTuple):
    """The prompt has been rendered and tokenised; the model is about to read it."""

    prompt_tokens: int
    reused_tokens: int = 0


class PrefillProgress(NamedTuple):
    """How much of the prompt the model has read, in tokens."""

    done: int
    total: int


class ThinkingDelta(NamedTuple):
    """More of what the model thinks before it answers."""

    text: str
    tokens: int = 1
    """How many generated tokens this text stands for."""


class TextDelta(NamedTuple):
    """More of the answer."""

    text: str
    tokens: int = 1


class Finished(NamedTuple):
    """The reply has ended; `run.stop_reason` tells why. Always the last event unless the stream raises."""

    run: Run


Event = PromptReady | PrefillProgress | ThinkingDelta | TextDelta | Finished


class StopFlag(Protocol):
    """Set by anyone, polled by the engine once a token and once a prefill chunk."""

    def set(self) -> None:
        """Ask for the reply to end; what there is of it is kept."""

    def is_set(self) -> bool:
        """Whether someone asked."""


class Engine(Protocol):
    """Something that can answer. All failures are `QwenTuiError`s."""

    @property
    def info(self) -> ModelInfo:
        """What is loaded."""

    @property
    def alive(self) -> bool:
        """Whether it can still answer. Once False it stays so: open another with the same spec."""

    def count(
        self,
        messages: Sequence[PromptMessage],
        thinking: bool | None = None,
        *,
        continues: bool = False,
        stop: StopFlag | None = None,
    ) -> TokenCounts:
        """Count the tokens of a prompt. Works while a reply is generated; no messages count as 0.

        `continues` as in `Request`: the last message's share is then its text and the generation prompt before
        it. Raises `engine.stopped_early` when `stop` is set before the answer is there.
        """

    def stream(self, request: Request, stop: StopFlag) -> Iterator[Event]:
        """Generate one reply; events arrive as they happen. Setting `stop` ends it with `Finished`."""

    def close(self) -> None:
        """Free the model and end its process. Safe to call twice."""


ReportProgress = Callable[[LoadProgress], None]
