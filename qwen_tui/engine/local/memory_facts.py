"""Say what stands in memory: weights by type, the KV cache, what is free; and what rounding does to a matrix."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.cache_utils import DynamicLayer

from qwen_tui.engine.inspection import KeptCache, MemoryFacts, Rounding, WeightsPart
from qwen_tui.engine.local.cache.kv_cache import KVCache, length_of
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.models.main_memory import main_memory
from qwen_tui.engine.models.size import is_kept
from qwen_tui.errors import QwenTuiError

BLOCK = 64
"""Weights that share a scale in nf4."""

SCALE_BLOCK = 256
"""Scales that share a scale of their own, by double quantization: each is then a byte."""

MOST_ROWS = 1024
"""Rows of a matrix of which the rounding is measured."""

SAMPLE = 8

NF4 = (
    -1.0, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0.0,
    0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0,
)  # fmt: skip
"""The 16 values of nf4 (Dettmers and others, QLoRA, 2023, appendix E), to float32's last digits."""


def memory_facts(loaded: Loaded) -> MemoryFacts:
    """Return what stands in memory now; may be called from another thread than the one that generates."""
    model = loaded.model
    parts: dict[str, tuple[int, int]] = {}
    sizes: Counter[int] = Counter()
    matrices = []
    for name, weight, dtype, shape in _weights(model):
        number = shape.numel()
        known, taken = parts.get(dtype, (0, 0))
        parts[dtype] = known + number, taken + weight.numel() * weight.element_size()
        is_matrix = len(shape) == 2 and not is_kept(name)
        for bits in (16, 8, 4):
            sizes[bits] += bytes_as(bits, shape) if is_matrix else 2 * number
        if is_matrix:
            matrices.append(name)
    cache = _kept_cache(model, loaded.cache)
    device = next(model.parameters()).device
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info(device)
        free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    else:
        total, free = main_memory()
    in_window = max(0, loaded.info.context_window - cache.tokens)
    fitting = free // cache.bytes_per_token if cache.bytes_per_token else in_window
    return MemoryFacts(
        device=loaded.info.device,
        weights=tuple(WeightsPart(dtype, *part) for dtype, part in parts.items()),
        cache=cache,
        total_bytes=total,
        free_bytes=free,
        tokens_left=min(in_window, fitting),
        matrices=tuple(matrices),
        as_16_bits=sizes[16],
        as_8_bits=sizes[8],
        as_4_bits=sizes[4],
    )


def rounding(model: PreTrainedModel, name: str) -> Rounding:
    """Return what rounding does to the matrix of this name. Raises QwenTuiError if there is none."""
    found = next((each for each in _weights(model) if each[0] == name), None)
    if found is None or len(found[3]) != 2:
        raise QwenTuiError("engine.unexpected", detail=name)
    _, weight, dtype, shape = found
    if dtype in ("nf4", "fp4", "int8"):  # its rounding cannot be measured any more
        weight = _dequantized(weight)
    matrix = weight[:MOST_ROWS].detach().float().cpu()
    by_8, by_4 = as_8_bits(matrix), as_4_bits(matrix)
    size = float(matrix.norm()) or 1.0
    sample = zip(*(each[0, :SAMPLE].tolist() for each in (matrix, by_8, by_4)), strict=True)
    return Rounding(
        name=name,
        rows=shape[0],
        columns=shape[1],
        bytes_16=bytes_as(16, shape),
        bytes_8=bytes_as(8, shape),
        bytes_4=bytes_as(4, shape),
        error_8=float((matrix - by_8).norm()) / size,
        error_4=float((matrix - by_4).norm()) / size,
        sample=tuple(sample),
    )


def bytes_as(bits: int, shape: torch.Size) -> int:
    """Return the bytes of a matrix in that form: of its weights, and of the scales that belong to them."""
    number = shape.numel()
    if bits == 16:
        return 2 * number
    if bits == 8:
        return number + 4 * shape[0]
    blocks = -(-number // BLOCK)
    return number // 2 + blocks + 4 * -(-blocks // SCALE_BLOCK)


def as_8_bits(matrix: torch.Tensor) -> torch.Tensor:
    """Round a matrix as LLM.int8 does: to 127 steps of the largest weight in each row."""
    largest = matrix.abs().amax(1, keepdim=True).clamp(min=torch.finfo(matrix.dtype).tiny)
    return (matrix / largest * 127).round() * largest / 127


def as_4_bits(matrix: torch.Tensor) -> torch.Tensor:
    """Round a matrix to nf4: each block of 64 weights to 16 values, scaled by its largest weight."""
    padded = torch.nn.functional.pad(matrix.flatten(), (0, -matrix.numel() % BLOCK)).view(-1, BLOCK)
    largest = padded.abs().amax(1, keepdim=True).clamp(min=torch.finfo(matrix.dtype).tiny)
    values = torch.tensor(NF4, dtype=matrix.dtype)
    middles = (values[1:] + values[:-1]) / 2
    rounded = values[torch.bucketize(padded / largest, middles)] * largest
    return rounded.flatten()[: matrix.numel()].view_as(matrix)


def _weights(model: PreTrainedModel) -> Iterator[tuple[str, torch.Tensor, str, torch.Size]]:
    """Yield each parameter, tied ones once: its name, its storage, its type, and the shape that it stands for."""
    for name, weight in model.named_parameters():
        state: Any = getattr(weight, "quant_state", None)
        if state is not None:
            yield name, weight, str(state.quant_type), state.shape
        else:
            yield name, weight, str(weight.dtype).removeprefix("torch."), weight.shape


def _dequantized(weight: Any) -> torch.Tensor:
    state = getattr(weight, "quant_state", None)
    if state is not None:
        from bitsandbytes.functional import dequantize_4bit

        return torch.as_tensor(dequantize_4bit(weight.data, state))
    scales = getattr(weight, "SCB", None)
    return torch.as_tensor(weight if scales is None else weight.float() * scales[:, None] / 127)


def _kept_cache(model: PreTrainedModel, cache: KVCache) -> KeptCache:
    states, config = cache.states, model.config.get_text_config(decoder=True)
    layers = list(states.layers) if states is not None else []
    heads: int = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // max(1, config.num_attention_heads)
    kinds = getattr(config, "layer_types", None) or ["full_attention"] * config.num_hidden_layers
    token_layers = sum("attention" in kind and "linear" not in kind for kind in kinds)
    element = torch.empty(0, dtype=model.dtype).element_size()
    kept = [layer for layer in layers if isinstance(layer, DynamicLayer) and layer.is_initialized]
    stored = [
        (getattr(each, "all_keys", each.keys), getattr(each, "all_values", each.values)) for each in kept
    ]
    constant = [state for each in layers if not isinstance(each, DynamicLayer) for state in _states(each)]
    others = list(cache.kept.each) if cache.kept is not None else []
    return KeptCache(
        tokens=length_of(states) if states is not None and kept else 0,
        bytes_per_token=2 * token_layers * heads * head_dim * element,
        allocated_bytes=sum(_bytes(tensor) for pair in stored for tensor in pair),
        state_bytes=sum(map(_bytes, constant)),
        state_layers=len(kinds) - token_layers,
        token_layers=token_layers,
        kept_tokens=sum(len(each.ids) for each in others),
        kept_bytes=sum(each.nbytes for each in others),
    )


def _states(layer: Any) -> Iterator[torch.Tensor]:
    """Yield the tensors of a layer with a constant state."""
    for name in ("conv_states", "recurrent_states"):
        states = getattr(layer, name, None)
        for state in states.values() if isinstance(states, dict) else (states,):
            if isinstance(state, torch.Tensor):
                yield state


def _bytes(tensor: torch.Tensor) -> int:
    return tensor.numel() * tensor.element_size()
