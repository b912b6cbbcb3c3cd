"""Qwen's chat models, as far as their shapes are certain: what each takes can be told before it is here.

The shapes are those of the `config.json` of each repository; parameters and bytes follow from them.
"""

from dataclasses import dataclass, replace

from qwen_tui.engine.models.size import ModelSize
from qwen_tui.errors import QwenTuiError


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A Qwen2 or Qwen3 decoder in numbers, by the names of its `config.json`."""

    hidden_size: int
    intermediate_size: int
    layers: int
    attention_heads: int
    kv_heads: int
    head_dim: int = 128
    vocab_size: int = 151_936
    context_window: int = 32_768
    is_tied: bool = False
    """The output layer is the embedding once more."""
    experts: int = 0
    """In each layer, of `intermediate_size` each; 0 is a dense model."""
    active_experts: int = 0
    """How many of them a token goes through."""
    is_qwen3: bool = False
    """Qwen3 norms its queries and keys; Qwen2 adds a bias to queries, keys and values."""

    @property
    def parameters(self) -> int:
        """All of them, experts that rest included."""
        return self.layers * self._layer + self.kept_embeddings + self.hidden_size

    @property
    def active_parameters(self) -> int:
        """Those that a token goes through."""
        idle = self.experts - self.active_experts
        return self.parameters - self.layers * idle * self._feed_forward

    @property
    def kept_embeddings(self) -> int:
        """Parameters of embedding and output layer."""
        return self.vocab_size * self.hidden_size * (1 if self.is_tied else 2)

    @property
    def _layer(self) -> int:
        queries, keys = self.attention_heads * self.head_dim, self.kv_heads * self.head_dim
        attention = 2 * self.hidden_size * queries + 2 * self.hidden_size * keys
        attention += 2 * self.head_dim if self.is_qwen3 else queries + 2 * keys
        router = self.experts * self.hidden_size
        return attention + (self.experts or 1) * self._feed_forward + router + 2 * self.hidden_size

    @property
    def _feed_forward(self) -> int:
        return 3 * self.hidden_size * self.intermediate_size

    @property
    def size(self) -> ModelSize:
        """What it takes, as `fit` reckons with it."""
        experts = self.layers * self.experts * self._feed_forward
        return ModelSize(
            parameters=self.parameters,
            kept_parameters=self.kept_embeddings + experts,
            embedding_parameters=self.vocab_size * self.hidden_size,
            layers=self.layers,
            kv_values=2 * self.layers * self.kv_heads * self.head_dim,
            widest=self.hidden_size + self.intermediate_size * (self.active_experts or 1),
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
        """The last part of it."""
        return self.model.rpartition("/")[2]

    @property
    def download_bytes(self) -> int:
        """About what comes over the network: the weights in bf16."""
        return 2 * self.shape.parameters


_QWEN2_5 = {
    "0.5B": Shape(
        hidden_size=896, intermediate_size=4864, layers=24, attention_heads=14, kv_heads=2, head_dim=64,
        is_tied=True,
    ),
    "1.5B": Shape(
        hidden_size=1536, intermediate_size=8960, layers=28, attention_heads=12, kv_heads=2, is_tied=True
    ),
    "3B": Shape(
        hidden_size=2048, intermediate_size=11_008, layers=36, attention_heads=16, kv_heads=2, is_tied=True
    ),
    "7B": Shape(
        hidden_size=3584, intermediate_size=18_944, layers=28, attention_heads=28, kv_heads=4,
        vocab_size=152_064,
    ),
    "14B": Shape(
        hidden_size=5120, intermediate_size=13_824, layers=48, attention_heads=40, kv_heads=8,
        vocab_size=152_064,
    ),
    "32B": Shape(
        hidden_size=5120, intermediate_size=27_648, layers=64, attention_heads=40, kv_heads=8,
        vocab_size=152_064,
    ),
    "72B": Shape(
        hidden_size=8192, intermediate_size=29_568, layers=80, attention_heads=64, kv_heads=8,
        vocab_size=152_064,
    ),
}  # fmt: skip

_QWEN3_BASE = Shape(
    hidden_size=1024, intermediate_size=3072, layers=28, attention_heads=16, kv_heads=8, context_window=40_960,
    is_tied=True, is_qwen3=True,
)  # fmt: skip

_QWEN3 = {
    "0.6B": _QWEN3_BASE,
    "1.7B": replace(_QWEN3_BASE, hidden_size=2048, intermediate_size=6144),
    "4B": replace(_QWEN3_BASE, hidden_size=2560, intermediate_size=9728, layers=36, attention_heads=32),
    "8B": replace(
        _QWEN3_BASE, hidden_size=4096, intermediate_size=12_288, layers=36, attention_heads=32, is_tied=False
    ),
    "14B": replace(
        _QWEN3_BASE, hidden_size=5120, intermediate_size=17_408, layers=40, attention_heads=40, is_tied=False
    ),
    "32B": replace(
        _QWEN3_BASE, hidden_size=5120, intermediate_size=25_600, layers=64, attention_heads=64, is_tied=False
    ),
    "30B-A3B": replace(
        _QWEN3_BASE, hidden_size=2048, intermediate_size=768, layers=48, attention_heads=32, kv_heads=4,
        is_tied=False, experts=128, active_experts=8,
    ),
    "235B-A22B": replace(
        _QWEN3_BASE, hidden_size=4096, intermediate_size=1536, layers=94, attention_heads=64, kv_heads=4,
        is_tied=False, experts=128, active_experts=8,
    ),
}  # fmt: skip

_LONG = 262_144
"""The context window, in tokens, of the models of July 2025."""


def _long(size: str) -> Shape:
    return replace(_QWEN3[size], context_window=_LONG)


KNOWN: tuple[Known, ...] = (
    *(Known(f"Qwen/Qwen2.5-{size}-Instruct", shape) for size, shape in _QWEN2_5.items()),
    *(
        Known(f"Qwen/Qwen2.5-Coder-{size}-Instruct", _QWEN2_5[size])
        for size in ("0.5B", "1.5B", "3B", "7B", "14B", "32B")
    ),
    *(Known(f"Qwen/Qwen3-{size}", shape) for size, shape in _QWEN3.items()),
    *(
        Known(f"Qwen/Qwen3-{size}-{kind}-2507", _long(size))
        for size in ("4B", "30B-A3B", "235B-A22B")
        for kind in ("Instruct", "Thinking")
    ),
    Known("Qwen/Qwen3-Coder-30B-A3B-Instruct", _long("30B-A3B")),
)
"""From the older family to the newer, each from small to large."""


def known(model: str) -> Known | None:
    """The entry of this name, whatever its capitals; None when there is none."""
    return next((each for each in KNOWN if each.model.lower() == model.lower()), None)


def shape_named(name: str) -> Shape:
    """The shape of a model by its name, as `qwen2.5-7b` or `Qwen/Qwen3-8B`; raises QwenTuiError."""
    wanted = name.lower().rpartition("/")[2].removesuffix("-instruct")
    for each in KNOWN:
        if each.name.lower().removesuffix("-instruct") == wanted:
            return each.shape
    raise QwenTuiError("bench.no_such_shape", name=name, shapes=", ".join(shape_names()))


def shape_names() -> list[str]:
    """What `shape_named` takes: of models with one shape, the first."""
    names: dict[Shape, str] = {}
    for each in KNOWN:
        names.setdefault(each.shape, each.name.lower().removesuffix("-instruct"))
    return list(names.values())
