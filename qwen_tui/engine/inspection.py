"""What an engine shows of its inner life when asked: the tokens of a prompt, and what stands in memory."""

from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

if TYPE_CHECKING:
    from qwen_tui.engine.base import Request, StopFlag

Author = Literal["template", "unasked", "system", "user", "assistant"]
"""Who put a token into the prompt.

`template` marks up the messages; `unasked` is what the template adds without being asked, such as a default system
prompt; the others are the author of a message. In a bare text without a template there is no `template`.
"""


class PromptToken(NamedTuple):
    """One token of a prompt."""

    id: int
    text: bytes
    """Its bytes, which may be a part of a character; for a special token its name."""
    is_special: bool
    """Whether it is one of the tokenizer's control tokens rather than text."""
    author: Author
    message: int
    """Index of the message that it belongs to, markup included; -1 if to none."""


class PromptTokens(NamedTuple):
    """A prompt as the model reads it."""

    tokens: tuple[PromptToken, ...]
    reused_tokens: int = 0
    """How many tokens from the start are in the KV cache now, and would not be read again."""
    is_exact: bool = True
    """False if a server only says where the tokens of each message begin, or says nothing at all."""


class WeightsPart(NamedTuple):
    """The weights stored in one type."""

    dtype: str
    """As in `ModelInfo.dtype`, or `nf4`, `int8`."""
    parameters: int
    bytes: int


class KeptCache(NamedTuple):
    """The KV cache, as far as it is in memory."""

    tokens: int
    """Tokens whose keys and values are stored."""
    bytes_per_token: int
    """Over all layers that store every token."""
    allocated_bytes: int
    """Reserved for it, which is more than `tokens` need."""
    state_bytes: int
    """Constant states of linear-attention layers, whatever the number of tokens; 0 without such layers."""
    state_layers: int = 0
    token_layers: int = 0
    """Numbers of layers with a constant state, and of layers that store every token."""
    kept_tokens: int = 0
    kept_bytes: int = 0
    """Of copies of other prompts' caches, kept so that returning to them reads only what is new."""


class MemoryFacts(NamedTuple):
    """What stands in the memory of the device that runs the model."""

    device: str
    weights: tuple[WeightsPart, ...]
    cache: KeptCache
    total_bytes: int
    free_bytes: int
    """Free on the device, other programs considered."""
    tokens_left: int
    """How many more tokens fit: into the context window, and into the free memory."""
    matrices: tuple[str, ...]
    """Names of the weight matrices that `Rounding` can measure."""
    as_16_bits: int
    as_8_bits: int
    as_4_bits: int
    """Bytes that this checkpoint takes in that form: its own tensors, with what a quantization leaves alone."""


class Rounding(NamedTuple):
    """What rounding does to one matrix of weights."""

    name: str
    rows: int
    columns: int
    bytes_16: int
    bytes_8: int
    bytes_4: int
    error_8: float
    error_4: float
    """Size of the error relative to the matrix: the norm of the difference divided by the norm."""
    sample: tuple[tuple[float, float, float], ...]
    """The first weights: as they are, and as 8 and 4 bits."""


class LensLayer(NamedTuple):
    """What one layer would say next if the model ended there."""

    layer: int
    """0 is the embedding, before the first layer."""
    id: int
    text: bytes
    probability: float
    final_rank: int
    """Rank at this layer of the token that the last layer finds likeliest; 1 is the likeliest."""


class Lens(NamedTuple):
    """What each layer would say next, from the embedding to the last layer."""

    layers: tuple[LensLayer, ...]


class Inspects(Protocol):
    """The questions about an engine's inner life; all fail with `QwenTuiError`."""

    def inspect(
        self, request: "Request", *, template: bool = True, stop: "StopFlag | None" = None
    ) -> PromptTokens:
        """Return the tokens of a request's prompt, also while a reply is generated.

        Without `template`, the messages' contents are joined by newlines, as for a base model. Raises
        `engine.stopped_early` if `stop` is set before the answer is known.
        """

    def memory(self) -> MemoryFacts:
        """Return what stands in memory. Raises `server.no_memory` for a model on a server."""

    def rounding(self, matrix: str) -> Rounding:
        """Return what rounding does to one of `MemoryFacts.matrices`. Raises like `memory`."""

    def lens(self, request: "Request") -> Lens:
        """Return what each layer would say after a request's prompt and `given_ids`; waits for a running reply.

        Raises `server.no_lens` for a model on a server, `engine.no_lens`, or `engine.lens_too_long`.
        """
