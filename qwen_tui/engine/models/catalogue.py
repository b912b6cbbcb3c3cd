"""Catalogue of Qwen's chat models, whose requirements are known before they are downloaded.

The shapes are those in each repository's `config.json`; parameters and bytes follow from them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from qwen_tui.engine.models.size import ModelSize
from qwen_tui.errors import QwenTuiError


@dataclass(frozen=True, slots=True)
class LinearAttention:
    """Dimensions of a hybrid model's linear attention layers (gated delta rule)."""

    key_heads: int
    value_heads: int
    head_dim: int = 128
    """Of keys and of values."""
    taps: int = 4
    """Width of the causal convolution, in tokens."""
    full_attention_interval: int = 4
    """One of this many layers has full attention."""

    def parameters(self, hidden_size: int) -> int:
        """Parameters of one layer without its MLP and its norms of the hidden state."""
        values = self.value_heads * self.head_dim
        channels = 2 * self.key_heads * self.head_dim + values
        projections = hidden_size * (channels + 2 * values + 2 * self.value_heads)
        return projections + channels * self.taps + 2 * self.value_heads + self.head_dim


@dataclass(frozen=True, slots=True)
class Shape:
    """Dimensions of a Qwen2, Qwen3, Qwen3-Next or Qwen3.5 decoder."""

    hidden_size: int
    intermediate_size: int
    layers: int
    attention_heads: int
    kv_heads: int
    head_dim: int = 128
    vocab_size: int = 151_936
    context_window: int = 32_768
    is_tied: bool = False
    """Whether the output layer shares the embedding's weights."""
    experts: int = 0
    """Experts per layer, of `intermediate_size` each; 0 for a dense model."""
    active_experts: int = 0
    """How many experts each token is routed to."""
    shared_size: int = 0
    """Feed-forward size of the expert that sees every token; 0 if there is none."""
    is_qwen3: bool = False
    """Qwen3 normalizes queries and keys; Qwen2 adds a bias to queries, keys and values."""
    linear: LinearAttention | None = None
    """Qwen3-Next and later: linear attention in most layers; the others gate their attention's output."""
    is_next: bool = False
    """Qwen3-Next, whose linear attention has fewer, larger projections than Qwen3.5's."""

    @property
    def parameters(self) -> int:
        """Total parameter count, inactive experts included."""
        queries, keys = self.attention_heads * self.head_dim, self.kv_heads * self.head_dim
        attention = 2 * self.hidden_size * (queries + keys)
        attention += 2 * self.head_dim if self.is_qwen3 else queries + 2 * keys
        mixers = self.layers * attention
        if self.linear is not None:
            attention += self.hidden_size * queries
            linear_layers = self.layers - self.attention_layers
            mixers = self.attention_layers * attention + linear_layers * self.linear.parameters(
                self.hidden_size
            )
        router = self.experts * self.hidden_size
        shared = 3 * self.hidden_size * self.shared_size + (self.hidden_size if self.shared_size else 0)
        layer = (self.experts or 1) * self._feed_forward + router + shared + 2 * self.hidden_size
        return mixers + self.layers * layer + self.kept_embeddings + self.hidden_size

    @property
    def attention_layers(self) -> int:
        """How many layers keep keys and values."""
        return self.layers if self.linear is None else self.layers // self.linear.full_attention_interval

    @property
    def kept_embeddings(self) -> int:
        """Parameters of the embedding and the output layer."""
        return self.vocab_size * self.hidden_size * (1 if self.is_tied else 2)

    @property
    def _feed_forward(self) -> int:
        return 3 * self.hidden_size * self.intermediate_size

    @property
    def size(self) -> ModelSize:
        """Memory requirements, as `fit` uses them."""
        experts = self.layers * self.experts * self._feed_forward
        return ModelSize(
            parameters=self.parameters,
            kept_parameters=self.kept_embeddings + experts,
            embedding_parameters=self.vocab_size * self.hidden_size,
            layers=self.layers,
            kv_values=2 * self.attention_layers * self.kv_heads * self.head_dim,
            widest=self.hidden_size + self.shared_size + self.intermediate_size * (self.active_experts or 1),
            query_values=self.attention_heads * self.head_dim,
            context_window=self.context_window,
        )


@dataclass(frozen=True, slots=True)
class Known:
    """A model of the catalogue."""

    model: str
    """Its name on the hub."""
    shape: Shape

    @property
    def name(self) -> str:
        """Last part of the hub name."""
        return self.model.rpartition("/")[2]

    @property
    def download_bytes(self) -> int:
        """Approximate download size: the weights in bf16."""
        return 2 * self.shape.parameters


# Hidden and feed-forward size, layers, attention heads, KV heads.
_QWEN2_5 = {
    "0.5B": Shape(896, 4864, 24, 14, 2, head_dim=64, is_tied=True),
    "1.5B": Shape(1536, 8960, 28, 12, 2, is_tied=True),
    "3B": Shape(2048, 11_008, 36, 16, 2, is_tied=True),
    "7B": Shape(3584, 18_944, 28, 28, 4, vocab_size=152_064),
    "14B": Shape(5120, 13_824, 48, 40, 8, vocab_size=152_064),
    "32B": Shape(5120, 27_648, 64, 40, 8, vocab_size=152_064),
    "72B": Shape(8192, 29_568, 80, 64, 8, vocab_size=152_064),
}

_dense = partial(Shape, context_window=40_960, is_qwen3=True)
_mixture = partial(_dense, experts=128, active_experts=8)

_QWEN3 = {
    "0.6B": _dense(1024, 3072, 28, 16, 8, is_tied=True),
    "1.7B": _dense(2048, 6144, 28, 16, 8, is_tied=True),
    "4B": _dense(2560, 9728, 36, 32, 8, is_tied=True),
    "8B": _dense(4096, 12_288, 36, 32, 8),
    "14B": _dense(5120, 17_408, 40, 40, 8),
    "32B": _dense(5120, 25_600, 64, 64, 8),
    "30B-A3B": _mixture(2048, 768, 48, 32, 4),
    "235B-A22B": _mixture(4096, 1536, 94, 64, 4),
}

_LONG = {size: replace(_QWEN3[size], context_window=262_144) for size in ("4B", "30B-A3B", "235B-A22B")}
"""The models of July 2025."""

_hybrid = partial(Shape, head_dim=256, context_window=262_144, is_qwen3=True)

_NEXT = _hybrid(
    2048,
    512,
    48,
    16,
    2,
    linear=LinearAttention(16, 32),
    experts=512,
    active_experts=10,
    shared_size=512,
    is_next=True,
)

_dense_hybrid = partial(_hybrid, vocab_size=248_320)
_mixed_hybrid = partial(_dense_hybrid, experts=256, active_experts=8)

_QWEN3_5 = {
    "0.8B": _dense_hybrid(1024, 3584, 24, 8, 2, linear=LinearAttention(16, 16), is_tied=True),
    "2B": _dense_hybrid(2048, 6144, 24, 8, 2, linear=LinearAttention(16, 16), is_tied=True),
    "4B": _dense_hybrid(2560, 9216, 32, 16, 4, linear=LinearAttention(16, 32), is_tied=True),
    "9B": _dense_hybrid(4096, 12_288, 32, 16, 4, linear=LinearAttention(16, 32)),
    "27B": _dense_hybrid(5120, 17_408, 64, 24, 4, linear=LinearAttention(16, 48)),
    "35B-A3B": _mixed_hybrid(2048, 512, 40, 16, 2, linear=LinearAttention(16, 32), shared_size=512),
    "122B-A10B": _mixed_hybrid(3072, 1024, 48, 32, 2, linear=LinearAttention(16, 64), shared_size=1024),
    "397B-A17B": _dense_hybrid(
        4096,
        1024,
        60,
        32,
        2,
        linear=LinearAttention(16, 64),
        experts=512,
        active_experts=10,
        shared_size=1024,
    ),
}

_CODER_480B = _dense(6144, 2560, 62, 96, 8, experts=160, active_experts=8, context_window=262_144)


def _family(name: str, shapes: Mapping[str, Shape]) -> Iterator[Known]:
    """Yield the sizes of a family from large to small; `name` has a place for the size."""
    for size in reversed(tuple(shapes)):
        yield Known(f"Qwen/{name.format(size)}", shapes[size])


KNOWN: tuple[Known, ...] = (
    Known("Qwen/Qwen3.8-27B", _QWEN3_5["27B"]),
    *_family("Qwen3.6-{}", {size: _QWEN3_5[size] for size in ("27B", "35B-A3B")}),
    *_family("Qwen3.5-{}", _QWEN3_5),
    Known("Qwen/Qwen3-Coder-Next", _NEXT),
    Known("Qwen/Qwen3-Next-80B-A3B-Instruct", _NEXT),
    Known("Qwen/Qwen3-Next-80B-A3B-Thinking", _NEXT),
    *_family("Qwen3-{}-Instruct-2507", _LONG),
    *_family("Qwen3-{}-Thinking-2507", _LONG),
    Known("Qwen/Qwen3-Coder-480B-A35B-Instruct", _CODER_480B),
    Known("Qwen/Qwen3-Coder-30B-A3B-Instruct", _LONG["30B-A3B"]),
    *_family("Qwen3-{}", _QWEN3),
    *_family("Qwen2.5-{}-Instruct", _QWEN2_5),
    # The largest size has no Coder model.
    *_family("Qwen2.5-Coder-{}-Instruct", {size: _QWEN2_5[size] for size in tuple(_QWEN2_5)[:-1]}),
)
"""Newest families first, each from large to small."""

TAUGHT = "Qwen/Qwen2.5-7B-Instruct"
"""The model of the beginner's guide, which is always offered first or second."""


def known(model: str) -> Known | None:
    """Return the entry with this name, ignoring case, or None."""
    return next((each for each in KNOWN if each.model.lower() == model.lower()), None)


def shape_named(name: str) -> Shape:
    """Return the shape of a model named like `qwen2.5-7b` or `Qwen/Qwen3-8B`. Raises QwenTuiError."""
    wanted = _short(name)
    for each in KNOWN:
        if _short(each.model) == wanted:
            return each.shape
    raise QwenTuiError("bench.no_such_shape", name=name, shapes=", ".join(shape_names()))


def shape_names() -> list[str]:
    """Return the names that `shape_named` accepts, the first one of models with the same shape."""
    names: dict[Shape, str] = {}
    for each in KNOWN:
        names.setdefault(each.shape, _short(each.model))
    return list(names.values())


def _short(name: str) -> str:
    return name.lower().rpartition("/")[2].removesuffix("-instruct")
