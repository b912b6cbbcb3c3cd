"""The weights of a Llama-like model, laid out for decoding: what is read together lies together.

The model's own modules go on working: their weights become parts of the joined ones, which take no memory twice.
Only of weights in four bits the scales are kept once more, in half precision: 200 MB of a 7B model's 5.6 GB.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel

from qwen_tui.engine.local.fast.kernels import dense, four_bits

ARCHITECTURES = ("Qwen2ForCausalLM", "Qwen3ForCausalLM", "LlamaForCausalLM", "MistralForCausalLM")
"""Those that are the same but for biases and for norms of queries and keys."""


class Unsupported(Exception):
    """Why a model cannot be decoded in this way."""


class Dense(NamedTuple):
    """A matrix as it is."""

    weight: torch.Tensor
    """(N, K)."""
    bias: torch.Tensor | None
    """(N)."""

    def product(
        self,
        x: torch.Tensor,
        out: torch.Tensor,
        gain: torch.Tensor | None = None,
        eps: float = 0.0,
        *,
        adds: bool = False,
    ) -> None:
        """See `dense.product`."""
        dense.product(self.weight, self.bias, x, out, gain, eps, adds=adds)

    def linear(self, x: torch.Tensor) -> torch.Tensor:
        """Of several vectors: (C, K) to (C, N)."""
        return torch.nn.functional.linear(x, self.weight, self.bias)

    def gated_product(self, x: torch.Tensor, out: torch.Tensor, gain: torch.Tensor, eps: float) -> None:
        """See `dense.gated_product`."""
        dense.gated_product(self.weight, x, out, gain, eps)


class FourBits(NamedTuple):
    """A matrix in NF4 or FP4."""

    codes: torch.Tensor
    """(N, K / 2) uint8."""
    scales: torch.Tensor
    """(N, K / 64) float16."""
    values: torch.Tensor
    """(16) float32: what the codes stand for."""
    bias: torch.Tensor | None
    """(N)."""

    def product(
        self,
        x: torch.Tensor,
        out: torch.Tensor,
        gain: torch.Tensor | None = None,
        eps: float = 0.0,
        *,
        adds: bool = False,
    ) -> None:
        """See `four_bits.product`."""
        four_bits.product(self.codes, self.scales, self.values, self.bias, x, out, gain, eps, adds=adds)

    def linear(self, x: torch.Tensor) -> torch.Tensor:
        """Of several vectors: (C, K) to (C, N). The matrix is unpacked for them."""
        weight = four_bits.unpacked(self.codes, self.scales, self.values, x.dtype)
        return torch.nn.functional.linear(x, weight, self.bias)

    def gated_product(self, x: torch.Tensor, out: torch.Tensor, gain: torch.Tensor, eps: float) -> None:
        """See `four_bits.gated_product`."""
        four_bits.gated_product(self.codes, self.scales, self.values, x, out, gain, eps)


Matrix = Dense | FourBits


class Layer(NamedTuple):
    """One layer; H query heads, G heads of keys, D elements a head, K of the hidden state, I inside."""

    input_gain: torch.Tensor
    """(K)."""
    projections: Matrix
    """((H + 2G) * D, K): queries over keys over values."""
    head_gains: tuple[torch.Tensor, torch.Tensor] | None
    """(D) for queries and keys, where a model has such norms."""
    output: Matrix
    """(K, H * D)."""
    inner_gain: torch.Tensor
    """(K)."""
    gate_and_up: Matrix
    """(2I, K)."""
    down: Matrix
    """(K, I)."""


class Weights(NamedTuple):
    """All of a model."""

    embedding: torch.Tensor
    """(V, K)."""
    layers: tuple[Layer, ...]
    last_gain: torch.Tensor
    """(K)."""
    head: Dense
    """(V, K)."""
    eps: float
    scale: float
    """What attention scores are multiplied by."""
    heads: int
    groups: int
    size: int
    """D."""
    inner: int
    """I."""


def check(model: PreTrainedModel) -> None:
    """Raise `Unsupported` for a model of another structure, before anything is changed."""
    name = type(model).__name__
    config = model.config
    if name not in ARCHITECTURES:
        raise Unsupported(f"no kernels for {name}")
    if config.hidden_act not in ("silu", "swish"):
        raise Unsupported(f"its activation is {config.hidden_act}")
    if getattr(config, "mlp_bias", False):
        raise Unsupported("its inner products have biases")
    size = model.model.layers[0].self_attn.head_dim
    if size & (size - 1) or size < 16:
        raise Unsupported(f"its heads have {size} elements")
    for layer in model.model.layers:
        for linear in _linears(layer):
            _check(linear, model.dtype)
    _check(model.lm_head, model.dtype, may_be_packed=False)


def gather(model: PreTrainedModel) -> Weights:
    """Lay the weights out; raises `Unsupported`."""
    check(model)
    decoder = model.model
    first = decoder.layers[0].self_attn
    return Weights(
        decoder.embed_tokens.weight.data,
        tuple(_layer(layer) for layer in decoder.layers),
        decoder.norm.weight.data,
        Dense(model.lm_head.weight.data, None),
        decoder.norm.variance_epsilon,
        first.scaling,
        model.config.num_attention_heads,
        model.config.num_key_value_heads,
        first.head_dim,
        model.config.intermediate_size,
    )


def _layer(layer: Any) -> Layer:
    attention, mlp = layer.self_attn, layer.mlp
    has_norms = hasattr(attention, "q_norm")
    return Layer(
        layer.input_layernorm.weight.data,
        _joined([attention.q_proj, attention.k_proj, attention.v_proj]),
        (attention.q_norm.weight.data, attention.k_norm.weight.data) if has_norms else None,
        _joined([attention.o_proj]),
        layer.post_attention_layernorm.weight.data,
        _joined([mlp.gate_proj, mlp.up_proj]),
        _joined([mlp.down_proj]),
    )


def _linears(layer: Any) -> list[Any]:
    attention, mlp = layer.self_attn, layer.mlp
    return [
        attention.q_proj,
        attention.k_proj,
        attention.v_proj,
        attention.o_proj,
        mlp.gate_proj,
        mlp.up_proj,
        mlp.down_proj,
    ]


def _check(linear: Any, dtype: torch.dtype, *, may_be_packed: bool = True) -> None:
    kind = type(linear).__name__
    if may_be_packed and kind == "Linear4bit":
        state = linear.weight.quant_state
        if state.blocksize != four_bits.BLOCK or dtype is not torch.bfloat16:
            raise Unsupported(f"four bits in blocks of {state.blocksize}, {dtype}")
        if linear.in_features % four_bits.BLOCK or linear.out_features % four_bits.ROWS:
            raise Unsupported(f"a matrix of {linear.out_features} x {linear.in_features} in four bits")
    elif type(linear) is not torch.nn.Linear:
        raise Unsupported(f"its products are made by {kind}")
    elif linear.weight.dtype is not dtype:
        raise Unsupported(f"its weights are not all in {dtype}")


def _joined(linears: Sequence[Any]) -> Matrix:
    """These over each other in one matrix, of which theirs become parts."""
    biases = [linear.bias.data for linear in linears if linear.bias is not None]
    bias = torch.cat(biases) if biases else None
    if type(linears[0]) is not torch.nn.Linear:
        return _joined_four_bits(linears, bias)
    if len(linears) == 1:
        return Dense(linears[0].weight.data, bias)
    weight = torch.cat([linear.weight.data for linear in linears])
    parts = torch.split(weight, [linear.weight.shape[0] for linear in linears])
    for linear, part in zip(linears, parts, strict=True):
        linear.weight.data = part
    return Dense(weight, bias)


def _joined_four_bits(linears: Sequence[Any], bias: torch.Tensor | None) -> FourBits:
    columns = linears[0].in_features
    scales = torch.cat([_scales(linear.weight.quant_state) for linear in linears])
    packed = [linear.weight.data for linear in linears]
    codes = packed[0] if len(packed) == 1 else torch.cat([part.reshape(-1) for part in packed])
    if len(packed) > 1:
        parts = torch.split(codes, [part.numel() for part in packed])
        for linear, old, part in zip(linears, packed, parts, strict=True):
            linear.weight.data = part.view(old.shape)
    values = linears[0].weight.quant_state.code.to(torch.float32)
    return FourBits(codes.view(-1, columns // 2), scales.view(-1, columns // four_bits.BLOCK), values, bias)


def _scales(state: Any) -> torch.Tensor:
    """The largest magnitude of each block (N * K / 64), which with double quantization is packed itself."""
    absmax = state.absmax
    if state.nested:
        from bitsandbytes.functional import dequantize_blockwise

        absmax = dequantize_blockwise(state.absmax, state.state2) + state.offset
    scales: torch.Tensor = absmax.flatten().to(torch.float16)
    return scales
