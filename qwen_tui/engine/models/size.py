"""Memory requirements of a model: its weights in each form, and the KV cache per token of context.

The figures come from the safetensors headers in a folder (`size_of`), or from the shape of a model that is not
local (`catalogue`). All are bytes of device memory at run time, not of disk space.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from qwen_tui.engine.models.checkpoint import Checkpoint
from qwen_tui.engine.models.weight_formats import is_dequantized, quantization_in

Form = Literal["none", "8bit", "4bit"]
"""Form of the weights in memory: the compute dtype, or quantized by bitsandbytes."""

FORMS: tuple[Form, ...] = ("none", "8bit", "4bit")

BYTES_A_PARAMETER: dict[Form, float] = {"8bit": 1.0, "4bit": 0.547}
"""Bytes per quantized parameter.

nf4 with double quantization is 4 bits and one byte per block of 64; our kernels add the scale of each block in half
precision. Where they are not used, this is 6 % too much.
"""

UNKNOWN_WINDOW = 2048
"""Context window in tokens if the config does not say."""

_WINDOWS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "max_seq_len")

_DTYPES = {"float32": "F32", "float16": "F16", "bfloat16": "BF16"}
"""Names of dtypes in a config and in safetensors."""

_EXPERTS = ("num_experts", "n_routed_experts", "num_local_experts", "moe_num_experts")

_CHOSEN_EXPERTS = ("num_experts_per_tok", "moe_k")

_KEPT_ENDS = ("embed_tokens.weight", "lm_head.weight", "wte.weight")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSize:
    """What determines a model's memory requirements."""

    parameters: int
    kept_parameters: int
    """Parameters that are not quantized: see `is_kept`."""
    embedding_parameters: int
    """Parameters of the embedding, the largest single tensor of a small model."""
    layers: int
    kv_values: int
    """Key and value elements per token in the cache: 2 x layers x KV heads x head dimension."""
    widest: int
    """Largest number of values per token inside a layer: hidden plus feed-forward size."""
    query_values: int
    """Query values per token in one layer: attention heads x head dimension."""
    context_window: int
    """In tokens: prompt and reply together."""
    dtype: str = "BF16"
    """The dtype of most of the file, in safetensors' notation."""
    packed_bytes: int = 0
    """Weights of a checkpoint that was saved quantized and has no other form; 0 for all others."""
    is_dequantized: bool = False
    """Whether the weights are saved quantized, but not in memory; bitsandbytes cannot quantize them again."""

    @property
    def forms(self) -> tuple[Form, ...]:
        """The forms that it can have in memory."""
        return ("none",) if self.packed_bytes or self.is_dequantized else FORMS

    def weight_bytes(self, form: Form, bytes_a_value: int = 2) -> int:
        """Return the size of the weights in this form, with `bytes_a_value` per unquantized parameter."""
        if self.packed_bytes:
            return self.packed_bytes
        if form == "none":
            return self.parameters * bytes_a_value
        quantized = self.parameters - self.kept_parameters
        return int(self.kept_parameters * bytes_a_value + quantized * BYTES_A_PARAMETER[form])

    def kv_bytes_per_token(self, bytes_a_value: int = 2) -> int:
        """Return the KV cache size of one token of context."""
        return self.kv_values * bytes_a_value


def is_kept(tensor: str) -> bool:
    """Whether bitsandbytes leaves the tensor with this name unquantized.

    It quantizes only linear layers: not the embeddings, and transformers excludes the output layer. In
    transformers 5, the experts of a layer are one large tensor rather than linear layers, so they stay as well
    (seen with Qwen3-MoE, transformers 5.23 and bitsandbytes 0.50): quantizing such a model saves next to nothing.
    """
    return tensor.endswith(_KEPT_ENDS) or ".experts." in tensor


def size_of(checkpoint: Checkpoint) -> ModelSize:
    """Return the size of the model in a folder, from its config and the headers of its files."""
    sizes = dict(checkpoint.tensor_bytes)
    if _is_tied(checkpoint.config) and len(sizes) > 1:
        # A file may contain the output layer although it is tied to the embedding (Qwen3-0.6B's does).
        sizes.pop("lm_head.weight", None)
    whole = sum(sizes.values())
    share = whole / max(1, checkpoint.weight_bytes)
    kept = sum(size for name, size in sizes.items() if is_kept(name)) / max(1, whole)
    parameters = round(checkpoint.parameters * share)
    packed = whole if checkpoint.is_quantized and not is_dequantized(checkpoint.config) else 0
    return _sized(checkpoint.config, parameters, round(parameters * kept), checkpoint.dtype, packed)


def size_by_config(config: Mapping[str, Any], weight_bytes: int) -> ModelSize:
    """Estimate the size of a model from its config and the size of its weight files."""
    text = text_config(config)
    named = str(text.get("dtype") or text.get("torch_dtype") or config.get("torch_dtype"))
    dtype = _DTYPES.get(named, "BF16")
    is_fp8 = is_dequantized(config)
    parameters = weight_bytes // (1 if is_fp8 else 4 if dtype == "F32" else 2)
    expert = 3 * _hidden(text) * _number(text, "moe_intermediate_size", "intermediate_size")
    kept = (
        _embedding(text) * (1 if _is_tied(config) else 2) + layers(text) * _number(text, *_EXPERTS) * expert
    )
    packed = weight_bytes if quantization_in(config) and not is_fp8 else 0
    return _sized(config, parameters, min(parameters, kept), dtype, packed)


def _sized(config: Mapping[str, Any], parameters: int, kept: int, dtype: str, packed_bytes: int) -> ModelSize:
    """Add what the config says about the shape."""
    text = text_config(config)
    return ModelSize(
        parameters=parameters,
        kept_parameters=kept,
        embedding_parameters=_embedding(text),
        layers=layers(text),
        kv_values=_kv_values(text),
        widest=_widest(text),
        query_values=_number(text, "num_attention_heads", "n_head") * _head_dim(text),
        context_window=context_window(config),
        dtype=dtype,
        packed_bytes=packed_bytes,
        is_dequantized=is_dequantized(config),
    )


# --- Reading config.json, which may contain anything: a value that is not a number counts as absent. -----


def text_config(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the language model's part of a config that may have several parts."""
    text = config.get("text_config")
    return text if isinstance(text, Mapping) else config


def layers(config: Mapping[str, Any]) -> int:
    """Return the number of layers."""
    return _number(config, "num_hidden_layers", "n_layer", "num_layers")


def _kv_values(config: Mapping[str, Any]) -> int:
    """Return 2 x layers x KV heads x head dimension, over the layers that keep keys and values of all tokens.

    Linear attention layers (Qwen3-Next) have a state of fixed size. Sliding-window layers count in full, a slight
    overestimate.
    """
    kv_heads = _number(config, "num_key_value_heads", "num_attention_heads", "n_head")
    return 2 * _attention_layers(config) * kv_heads * _head_dim(config)


def chosen_share(config: Mapping[str, Any]) -> float:
    """Return the fraction of a layer's experts that each token is routed to."""
    experts = _number(config, *_EXPERTS) or 1
    return min(1.0, (_number(config, *_CHOSEN_EXPERTS) or experts) / experts)


def context_window(config: Mapping[str, Any]) -> int:
    """Return the context window in tokens: prompt and reply together.

    A config that extends its positions (YaRN as described on Qwen's model cards) may still state the original
    length, so the larger of the two counts. A sliding window limits what a layer attends to, not the length of a
    text.
    """
    text = text_config(config)
    named = next((value for name in _WINDOWS if (value := _number(text, name))), UNKNOWN_WINDOW)
    rope = text.get("rope_parameters") or text.get("rope_scaling")
    if not isinstance(rope, Mapping):
        return named
    # Models with several kinds of attention have one such dictionary per kind.
    kinds = [kind for kind in rope.values() if isinstance(kind, Mapping)] or [rope]
    return max([named, *map(_stretched, kinds)])


def _stretched(rope: Mapping[str, Any]) -> int:
    """Return the extended length for YaRN, whose factor determines it; 0 for every other kind.

    The factor of `llama3` slows down the low frequencies and is no length (Llama-3.2: 32 x 8,192, and 131,072
    positions). For `linear` and `dynamic`, transformers (5.23) reads no original length: whether the config's own
    is the original or the extended one differs between models. `longrope` states the extended one.
    """
    if rope.get("rope_type", rope.get("type")) != "yarn":
        return 0
    factor = rope.get("factor")
    if not isinstance(factor, int | float) or isinstance(factor, bool) or not 0 < factor < 1e6:
        return 0
    return int(_number(rope, "original_max_position_embeddings") * factor)


def _head_dim(config: Mapping[str, Any]) -> int:
    heads = _number(config, "num_attention_heads", "n_head")
    return _number(config, "head_dim") or _hidden(config) // max(1, heads)


def _attention_layers(config: Mapping[str, Any]) -> int:
    count = layers(config)
    kinds = config.get("layer_types")
    if isinstance(kinds, list) and len(kinds) == count:
        return sum(1 for kind in kinds if "linear" not in str(kind))
    if "linear_num_value_heads" in config:  # Qwen3-Next: every n-th layer has full attention
        return count // (_number(config, "full_attention_interval") or 4)
    return count


def _is_tied(config: Mapping[str, Any]) -> bool:
    return bool({**config, **text_config(config)}.get("tie_word_embeddings"))


def _widest(config: Mapping[str, Any]) -> int:
    hidden = _hidden(config)
    inner = _number(config, "intermediate_size", "n_inner") or 4 * hidden
    experts = _number(config, *_CHOSEN_EXPERTS) * _number(config, "moe_intermediate_size")
    return hidden + (experts or inner)


def _embedding(config: Mapping[str, Any]) -> int:
    return _number(config, "vocab_size") * _hidden(config)


def _hidden(config: Mapping[str, Any]) -> int:
    return _number(config, "hidden_size", "n_embd", "d_model")


def _number(values: Mapping[str, Any], *names: str) -> int:
    """Return the first of these values that is a plausible count, else 0."""
    named = map(values.get, names)
    return next((value for value in named if type(value) is int and 0 < value < 2**40), 0)
