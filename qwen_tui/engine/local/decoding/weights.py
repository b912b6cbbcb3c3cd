"""Lay out the weights of a Llama-like model for decoding, contiguous where they are read together.

The model's own modules keep working: their weights become views of the joined ones, at no extra memory. Only the
scales of 4-bit weights are duplicated, in half precision: 200 MB of a 7B model's 5.6 GB.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from transformers import PreTrainedModel

from qwen_tui.engine.local.decoding.kernel_support import KERNEL_MODELS, ZERO_CENTRED_NORMS, Unsupported
from qwen_tui.engine.local.decoding.kernels import four_bits
from qwen_tui.engine.local.decoding.matrices import Dense, FourBits, Matrix
from qwen_tui.engine.local.decoding.mixers import Attention, DeltaRule, Mixer
from qwen_tui.engine.local.decoding.mlp import Experts, GatedMLP


class Layer(NamedTuple):
    """One layer, with a hidden size of K."""

    input_norm: torch.Tensor
    """(K)."""
    mixer: Mixer
    mlp_norm: torch.Tensor
    """(K)."""
    mlp: GatedMLP | Experts


class Weights(NamedTuple):
    """All weights of a model."""

    embedding: torch.Tensor
    """(V, K)."""
    layers: tuple[Layer, ...]
    final_norm: torch.Tensor
    """(K)."""
    head: Dense
    """(V, K)."""
    eps: float
    scale: float
    """Factor for attention scores."""
    heads: int
    kv_heads: int
    head_dim: int
    """D."""


def check(model: PreTrainedModel) -> None:
    """Raise `Unsupported` for a model of another structure, before anything is changed."""
    name = type(model).__name__
    config = model.config
    if name not in KERNEL_MODELS.values():
        raise Unsupported(f"no kernels for {name}")
    if config.hidden_act not in ("silu", "swish"):
        raise Unsupported(f"its activation is {config.hidden_act}")
    if getattr(config, "mlp_bias", False):
        raise Unsupported("its MLP has biases")
    for size in _head_sizes(config):
        if size & (size - 1) or size < 16:
            raise Unsupported(f"its heads have {size} elements")
    for layer in model.model.layers:
        for linears in _groups(layer):
            kinds = sorted({type(linear).__name__ for linear in linears})
            if len(kinds) > 1:
                raise Unsupported(f"products to be joined are made by {' and '.join(kinds)}")
            for linear in linears:
                _check(linear, model.dtype)
        if hasattr(layer.mlp, "experts"):
            _check_experts(layer.mlp, model.dtype)
    _check(model.lm_head, model.dtype, may_be_packed=False)


def gather(model: PreTrainedModel) -> Weights:
    """Lay out the weights of a model. Raises `Unsupported`."""
    check(model)
    decoder, config = model.model, model.config
    first = next(layer.self_attn for layer in decoder.layers if hasattr(layer, "self_attn"))
    return Weights(
        decoder.embed_tokens.weight.data,
        tuple(_layer(layer) for layer in decoder.layers),
        _norm(decoder.norm),
        Dense(model.lm_head.weight.data, None),
        config.rms_norm_eps,
        first.scaling,
        config.num_attention_heads,
        config.num_key_value_heads,
        first.head_dim,
    )


def _layer(layer: Any) -> Layer:
    mlp = layer.mlp
    projections, output, *own = map(_joined, _groups(layer))
    return Layer(
        _norm(layer.input_layernorm),
        _mixer(layer, projections, output),
        _norm(layer.post_attention_layernorm),
        GatedMLP(mlp.down_proj.in_features, *own) if own else _experts(mlp),
    )


def _mixer(layer: Any, projections: Matrix, output: Matrix) -> Mixer:
    if hasattr(layer, "self_attn"):
        attention = layer.self_attn
        norms = (_norm(attention.q_norm), _norm(attention.k_norm)) if hasattr(attention, "q_norm") else None
        return Attention(
            projections, norms, output, attention.q_proj.out_features > attention.o_proj.in_features
        )
    linear = layer.linear_attn
    return DeltaRule(
        projections,
        linear.conv1d.weight.data,
        linear.A_log.data,
        linear.dt_bias.data,
        linear.norm.weight.data,
        output,
        linear.num_k_heads,
        linear.norm.variance_epsilon,
    )


def _norm(norm: Any) -> torch.Tensor:
    """Return a norm's multiplier: some models store its difference from one."""
    weight: torch.Tensor = norm.weight.data
    return 1.0 + weight.float() if type(norm).__name__ in ZERO_CENTRED_NORMS else weight


def _head_sizes(config: Any) -> Iterator[int]:
    yield getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if "linear_attention" in (getattr(config, "layer_types", None) or ()):
        yield from (config.linear_key_head_dim, config.linear_value_head_dim)


def _experts(block: Any) -> Experts:
    router, gate_and_up, down = _joined_experts(block)
    has_shared = hasattr(block, "shared_expert")
    chosen = block.gate.top_k + int(has_shared)
    return Experts(
        chosen * down.shape[2],
        router,
        gate_and_up,
        down,
        getattr(block.gate, "norm_topk_prob", True),
        has_shared,
        router.new_empty(router.shape[0]),
        router.new_empty(chosen, dtype=torch.int32),
        router.new_empty(chosen, dtype=torch.float32),
        block,
    )


def _joined_experts(block: Any) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return the router and both products of the experts; a shared expert is made the last one."""
    router, experts = block.gate.weight.data, block.experts
    gate_and_up, down = experts.gate_up_proj.data, experts.down_proj.data
    if not hasattr(block, "shared_expert"):
        return router, gate_and_up, down
    gate, shared = block.shared_expert_gate, block.shared_expert
    router = torch.cat([router, gate.weight.data])
    both = torch.cat([shared.gate_proj.weight.data, shared.up_proj.weight.data])
    gate_and_up = torch.cat([gate_and_up, both[None]])
    down = torch.cat([down, shared.down_proj.weight.data[None]])
    block.gate.weight.data, gate.weight.data = router[:-1], router[-1:]
    experts.gate_up_proj.data, experts.down_proj.data = gate_and_up[:-1], down[:-1]
    shared.gate_proj.weight.data, shared.up_proj.weight.data = gate_and_up[-1].chunk(2)
    shared.down_proj.weight.data = down[-1]
    return router, gate_and_up, down


def _groups(layer: Any) -> list[list[Any]]:
    """Return a layer's linear modules, grouped by those to be joined."""
    mlp = layer.mlp
    own = [] if hasattr(mlp, "experts") else [[mlp.gate_proj, mlp.up_proj], [mlp.down_proj]]
    if hasattr(layer, "self_attn"):
        attention = layer.self_attn
        return [[attention.q_proj, attention.k_proj, attention.v_proj], [attention.o_proj], *own]
    linear = layer.linear_attn
    projections = [linear.in_proj_qkv, linear.in_proj_z, linear.in_proj_b, linear.in_proj_a]
    return [projections, [linear.out_proj], *own]


def _check(linear: Any, dtype: torch.dtype, *, may_be_packed: bool = True) -> None:
    kind = type(linear).__name__
    if may_be_packed and kind == "Linear4bit":
        state = linear.weight.quant_state
        if state.blocksize != four_bits.BLOCK or dtype is not torch.bfloat16:
            raise Unsupported(f"four bits in blocks of {state.blocksize}, {dtype}")
        if linear.weight.dtype is not torch.uint8:
            raise Unsupported(f"four bits kept as {linear.weight.dtype}")
        if linear.in_features % four_bits.BLOCK or linear.out_features % four_bits.ROWS:
            raise Unsupported(f"a matrix of {linear.out_features} x {linear.in_features} in four bits")
    elif may_be_packed and kind == "Linear8bitLt":
        if linear.weight.dtype is not torch.int8:
            raise Unsupported(f"eight bits kept as {linear.weight.dtype}")
    elif type(linear) is not torch.nn.Linear:
        raise Unsupported(f"its products are made by {kind}")
    elif linear.weight.dtype is not dtype:
        raise Unsupported(f"its weights are not all in {dtype}")


def _check_experts(block: Any, dtype: torch.dtype) -> None:
    weights = [block.gate.weight, block.experts.gate_up_proj, block.experts.down_proj]
    if hasattr(block, "shared_expert"):
        shared = block.shared_expert
        for linear in (shared.gate_proj, shared.up_proj, shared.down_proj, block.shared_expert_gate):
            _check(linear, dtype, may_be_packed=False)
        if shared.down_proj.weight.shape != block.experts.down_proj.shape[1:]:
            raise Unsupported("its shared expert has another size")
    if any(weight.dtype is not dtype or not weight.is_contiguous() for weight in weights):
        raise Unsupported(f"its experts are not all in {dtype}")


def _joined(linears: Sequence[Any]) -> Matrix:
    """Stack these linear modules in one matrix, and make their weights views of it."""
    biases = [linear.bias.data for linear in linears if linear.bias is not None]
    bias = torch.cat(biases) if biases else None
    if type(linears[0]).__name__ == "Linear8bitLt":
        return _joined_eight_bits(linears, bias)
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


def _joined_eight_bits(linears: Sequence[Any], bias: torch.Tensor | None) -> Dense:
    # bitsandbytes moves both from the weight to the state of the module when that is first used.
    kept = [linear.state if linear.state.CB is not None else linear.weight for linear in linears]
    codes = kept[0].CB if len(kept) == 1 else torch.cat([each.CB for each in kept])
    scales = torch.cat([each.SCB.flatten() for each in kept]).float() / 127
    for linear, each, part in zip(
        linears, kept, torch.split(codes, [len(it.CB) for it in kept]), strict=True
    ):
        linear.weight.data = each.CB = part
    return Dense(codes, bias, scales)


def _scales(state: Any) -> torch.Tensor:
    """Return the largest magnitude of each block (N * K / 64), unpacked if double quantization was used."""
    absmax = state.absmax
    if state.nested:
        from bitsandbytes.functional import dequantize_blockwise

        absmax = dequantize_blockwise(state.absmax, state.state2) + state.offset
    scales: torch.Tensor = absmax.flatten().to(torch.float16)
    return scales
