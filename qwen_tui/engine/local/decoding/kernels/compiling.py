"""Compile the kernels that a model will need while its weights are still being read.

Triton compiles a kernel for its shapes and types: 2 to 4 seconds for all of a model's the first time; later they
come from its cache. Here they run on a few rows, with the tile for the model's own number of rows.
"""

import ast
import contextlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, NamedTuple

import torch

from qwen_tui.engine.local.decoding.kernels import (
    activation,
    attention,
    convolution,
    delta_rule,
    delta_rule_prefill,
    dense,
    experts,
    four_bits,
    rotary,
)

ROWS = 16
"""Triton specializes on numbers divisible by 16, as a model's row counts are."""

CAPACITY = 2048


class Kind(NamedTuple):
    """Properties of a model that its kernels depend on; the letters are those of `weights.Layer`."""

    hidden_size: int
    """K."""
    intermediate_size: int
    """I."""
    heads: int
    """H."""
    kv_heads: int
    """G."""
    head_dim: int
    """D."""
    has_bias: bool
    has_head_norms: bool
    is_four_bits: bool
    dtype: torch.dtype
    experts: int = 0
    """E."""
    chosen: int = 0
    """C."""
    expert_size: int = 0
    """I of an expert."""
    shares_add_to_one: bool = True
    has_shared_expert: bool = False
    rotated: int = 0
    """How many elements of a head the rotary embedding turns; 0 is all."""
    linear: tuple[int, int, int, int, int] | None = None
    """Of layers with the delta rule: key heads, value heads, elements of a key and of a value head, taps."""

    @property
    def value_size(self) -> int:
        """How many elements the value heads of a layer with the delta rule have together."""
        return self.linear[1] * self.linear[3] if self.linear is not None else 0


def kind_of(config: Any, dtype: torch.dtype, *, is_four_bits: bool) -> Kind:
    """Derive the kind from the config of one of `kernel_support.KERNEL_MODELS`."""
    config = config.get_text_config(decoder=True)
    is_qwen2 = config.model_type == "qwen2"
    is_hybrid = config.model_type in ("qwen3_5_text", "qwen3_5_moe_text")
    head_dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    mixture: tuple[Any, ...] = ()
    if hasattr(config, "moe_intermediate_size"):
        mixture = (
            config.num_experts,
            config.num_experts_per_tok,
            config.moe_intermediate_size,
            getattr(config, "norm_topk_prob", True),
            hasattr(config, "shared_expert_intermediate_size"),
        )
    kind = Kind(
        config.hidden_size,
        getattr(config, "intermediate_size", 0),
        config.num_attention_heads,
        config.num_key_value_heads,
        head_dim,
        is_qwen2 or bool(getattr(config, "attention_bias", False)),
        is_hybrid or config.model_type in ("qwen3", "qwen3_moe"),
        is_four_bits,
        dtype,
        *mixture,
    )
    if not is_hybrid:
        return kind
    rotated = int(head_dim * config.rope_parameters.get("partial_rotary_factor", 1.0))
    return kind._replace(rotated=rotated, linear=_linear(config))


def _linear(config: Any) -> tuple[int, int, int, int, int]:
    return (
        config.linear_num_key_heads,
        config.linear_num_value_heads,
        config.linear_key_head_dim,
        config.linear_value_head_dim,
        config.linear_conv_kernel_dim,
    )


Zeros = Callable[..., torch.Tensor]
"""Creates a tensor of this shape on the device, in the model's dtype unless given."""

Part = Callable[[Kind, Zeros], None]


def compile_all(kind: Kind, device: torch.device, *, threads: int) -> None:
    """Compile every kernel by running it once, several in parallel. Raises whatever Triton raises."""
    _run(_first, kind, device)  # the shortest, alone: the first kernel initializes Triton's driver
    # All variants of a kernel are in one part: Triton's table of them is not thread-safe.
    parts: list[Part] = [_dense_products, _attend]
    parts.append(_four_bit_products if kind.is_four_bits else _gated_product)
    if kind.experts:
        parts.append(_experts)
    if kind.linear is not None:
        parts += (_solve, _pass_on, _read, _delta_rule)  # the slowest first
    with parsing_in_turn(), ThreadPoolExecutor(threads, thread_name_prefix="compiling") as pool:
        for done in [pool.submit(_run, part, kind, device) for part in parts]:
            done.result()


@contextlib.contextmanager
def parsing_in_turn() -> Iterator[None]:
    """Let only one thread at a time into `ast.parse`, which Triton uses to read every kernel.

    CPython tracks the recursion depth of a parse per interpreter: threads that alternate within a tree can see
    each other's depth, and raise a `SystemError` ("recursion depth mismatch"; seen with 3.11).
    """
    parse, lock = ast.parse, threading.Lock()

    def parse_alone(*arguments: Any, **options: Any) -> Any:
        with lock:
            return parse(*arguments, **options)

    ast.parse = parse_alone
    try:
        yield
    finally:
        ast.parse = parse


def _run(part: Part, kind: Kind, device: torch.device) -> None:
    with torch.no_grad(), contextlib.ExitStack() as stack:  # all of these are per-thread settings
        if device.type == "cuda":
            stack.enter_context(torch.cuda.device(device))
            stream = torch.cuda.Stream(device)
            stack.enter_context(torch.cuda.stream(stream))
        part(kind, partial(_zeros, device, kind.dtype))


def _zeros(
    device: torch.device, model_dtype: torch.dtype, *shape: int, dtype: torch.dtype | None = None
) -> torch.Tensor:
    return torch.zeros(shape, dtype=dtype or model_dtype, device=device)


def _matrices(kind: Kind) -> Iterator[tuple[int, bool, bool]]:
    """Yield for each matrix of a layer its columns, whether it has a norm and a bias, and whether it adds."""
    yield kind.hidden_size, True, False
    for columns in sorted({kind.heads * kind.head_dim, kind.intermediate_size, kind.value_size} - {0}):
        yield columns, False, True


def _norm(kind: Kind, zeros: Zeros, size: int) -> torch.Tensor:
    """The weights of a norm: those that are kept as their distance from one were added up in float32."""
    return zeros(size, dtype=torch.float32) if kind.linear is not None else zeros(size)


def _dense_products(kind: Kind, zeros: Zeros) -> None:
    hidden = zeros(kind.hidden_size)
    head = zeros(ROWS, kind.hidden_size)
    norm = _norm(kind, zeros, kind.hidden_size)
    dense.product(head, None, hidden, zeros(ROWS, dtype=torch.float32), norm, 1e-6)
    if kind.experts:
        dense.product(head, None, hidden, zeros(ROWS), norm, 1e-6)  # the router's
    if kind.is_four_bits:
        return
    for columns, has_norm, adds in _matrices(kind):
        norm_weight = norm if has_norm else None
        bias = zeros(ROWS) if has_norm and kind.has_bias else None
        tile = dense.tile_of(kind.hidden_size, columns, has_norm=has_norm)
        weight, x, out = zeros(ROWS, columns), zeros(columns), zeros(ROWS)
        dense.product(weight, bias, x, out, norm_weight, 1e-6, adds=adds, tile=tile)


def _gated_product(kind: Kind, zeros: Zeros) -> None:
    hidden, norm = zeros(kind.hidden_size), _norm(kind, zeros, kind.hidden_size)
    dense.gated_product(zeros(2 * ROWS, kind.hidden_size), hidden, zeros(ROWS), norm, 1e-6)


def _four_bit_products(kind: Kind, zeros: Zeros) -> None:
    def packed(columns: int, rows: int = ROWS) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        codes = zeros(rows, columns // 2, dtype=torch.uint8)
        scales = zeros(rows, columns // four_bits.BLOCK, dtype=torch.float16)
        return codes, scales, zeros(16, dtype=torch.float32)

    hidden, norm = zeros(kind.hidden_size), _norm(kind, zeros, kind.hidden_size)
    for columns, has_norm, adds in _matrices(kind):
        norm_weight = norm if has_norm else None
        bias = zeros(ROWS) if has_norm and kind.has_bias else None
        four_bits.product(*packed(columns), bias, zeros(columns), zeros(ROWS), norm_weight, 1e-6, adds=adds)
    four_bits.unpacked(*packed(kind.hidden_size), kind.dtype)
    both, out = packed(kind.hidden_size, 2 * ROWS), zeros(ROWS)
    four_bits.product(*both, None, hidden, out, norm, 1e-6, is_gated=True)


def _experts(kind: Kind, zeros: Zeros) -> None:
    shared = int(kind.has_shared_expert)
    used = kind.chosen + shared
    ids, shares = zeros(used, dtype=torch.int32), zeros(used, dtype=torch.float32)
    logits = zeros(kind.experts + shared)
    experts.choose(logits, ids, shares, adds_to_one=kind.shares_add_to_one, has_shared=kind.has_shared_expert)
    ids.zero_()  # the weights below are those of one expert
    both, hidden = zeros(1, 2 * ROWS, kind.hidden_size), zeros(kind.hidden_size)
    experts.gated_products(both, ids, hidden, zeros(used, ROWS), _norm(kind, zeros, kind.hidden_size), 1e-6)
    down, between = zeros(1, ROWS, kind.expert_size), zeros(used, kind.expert_size)
    experts.add_products(down, ids, shares, between, hidden)


def _first(kind: Kind, zeros: Zeros) -> None:
    activation.silu_product(zeros(1, 2 * ROWS))
    _place(kind, zeros)


def _place(kind: Kind, zeros: Zeros) -> None:
    keys, values = (zeros(1, kind.kv_heads, CAPACITY, kind.head_dim) for _ in range(2))
    head_norm = _norm(kind, zeros, kind.head_dim)
    norm_weights = (head_norm, head_norm) if kind.has_head_norms else None
    query, angles = zeros(1, kind.heads, kind.head_dim), zeros(1, kind.rotated or kind.head_dim)
    position, projected = zeros(1, dtype=torch.long), _projected(kind, zeros)
    rotary.place(projected, norm_weights, 1e-6, angles, angles, position, query, keys, values)


def _attend(kind: Kind, zeros: Zeros) -> None:
    keys, values = (zeros(1, kind.kv_heads, CAPACITY, kind.head_dim) for _ in range(2))
    query, position = zeros(kind.heads, kind.head_dim), zeros(1, dtype=torch.long)
    between = attention.scratch(kind.heads, kind.head_dim, query.device)
    gates = _projected(kind, zeros) if kind.linear is not None else None
    attention.attend(query, keys, values, position, 1.0, between, torch.empty_like(query), gates)


def _projected(kind: Kind, zeros: Zeros) -> torch.Tensor:
    query_heads = kind.heads * (1 if kind.linear is None else 2)  # with a gate for each
    return zeros(1, (query_heads + 2 * kind.kv_heads) * kind.head_dim)


def _delta_rule(kind: Kind, zeros: Zeros) -> None:
    projected, weight, inputs, rest = _linear_layer(kind, zeros)
    mixed, read = zeros(weight.shape[0]), zeros(kind.value_size)
    delta_rule.convolve(projected[0], weight, inputs, mixed)
    decay, bias, state, norm, eps, key_heads = rest
    delta_rule.recur(mixed, projected[0], decay, bias, state, norm, eps, key_heads, read)

    convolution.convolve(projected, weight, inputs)


def _solve(kind: Kind, zeros: Zeros) -> None:
    _chunked(kind, zeros).solve()


def _pass_on(kind: Kind, zeros: Zeros) -> None:
    _chunked(kind, zeros).pass_on()


def _read(kind: Kind, zeros: Zeros) -> None:
    _chunked(kind, zeros).read()


def _chunked(kind: Kind, zeros: Zeros) -> delta_rule_prefill.Chunked:
    projected, weight, _, rest = _linear_layer(kind, zeros)
    return delta_rule_prefill.Chunked(zeros(1, weight.shape[0]), projected, *rest)


def _linear_layer(
    kind: Kind, zeros: Zeros
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, tuple[Any, ...]]:
    """Return a layer's projections of one token, taps, last inputs, and the arguments of `recur` after those."""
    assert kind.linear is not None
    key_heads, value_heads, key_dim, value_dim, taps = kind.linear
    channels = 2 * key_heads * key_dim + kind.value_size
    projected = zeros(1, channels + kind.value_size + 2 * value_heads)
    state = zeros(1, value_heads, key_dim, value_dim, dtype=torch.float32)
    decay, bias, norm = zeros(value_heads), zeros(value_heads), zeros(value_dim)
    rest = (decay, bias, state, norm, 1e-6, key_heads)
    return projected, zeros(channels, 1, taps), zeros(1, channels, taps), rest
