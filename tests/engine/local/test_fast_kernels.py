"""Each kernel against what it stands for, written in plain torch."""

import pytest
import torch
from kernels_on_cpu import (
    attention,
    convolution,
    delta_rule,
    delta_rule_prefill,
    dense,
    experts,
    four_bits,
    rotary,
)
from torch.nn.functional import rms_norm, scaled_dot_product_attention, silu

EPS = 1e-6

NF4 = torch.tensor(
    [
        *(-1.0, -0.6961928, -0.52507305, -0.3949175, -0.28444138, -0.18477343, -0.09105004, 0.0),
        *(0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1.0),
    ]
)
"""The values of the codes, as the paper on QLoRA has them."""


def close(got: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-5) -> None:
    assert float((got.float() - expected).norm() / expected.norm()) < tolerance


@pytest.mark.parametrize(("rows", "columns"), [(37, 192), (8, 512), (6, 9000)])
@pytest.mark.parametrize("has_norm", [True, False])
@pytest.mark.parametrize("has_bias", [True, False])
@pytest.mark.parametrize("adds", [True, False])
def test_a_product(rows: int, columns: int, has_norm: bool, has_bias: bool, adds: bool) -> None:
    torch.manual_seed(0)
    weight, x, out = torch.randn(rows, columns), torch.randn(columns), torch.randn(rows)
    gain, bias = (torch.rand(columns), torch.randn(rows))
    expected = weight @ (rms_norm(x, (columns,), gain, EPS) if has_norm else x)
    expected = expected + (bias if has_bias else 0) + (out if adds else 0)
    dense.product(weight, bias if has_bias else None, x, out, gain if has_norm else None, EPS, adds=adds)
    close(out, expected)


@pytest.mark.parametrize(("inner", "columns"), [(8, 512), (5, 200)])
def test_a_gated_product(inner: int, columns: int) -> None:
    torch.manual_seed(0)
    weight, x, gain, out = (
        torch.randn(2 * inner, columns),
        torch.randn(columns),
        torch.rand(columns),
        torch.empty(inner),
    )
    gate, up = (weight @ rms_norm(x, (columns,), gain, EPS)).split(inner)
    dense.gated_product(weight, x, out, gain, EPS)
    close(out, silu(gate) * up)


@pytest.mark.parametrize(("rows", "columns"), [(37, 192), (6, 4400)])
@pytest.mark.parametrize("has_norm", [True, False])
@pytest.mark.parametrize("adds", [True, False])
def test_a_product_in_eight_bits(rows: int, columns: int, has_norm: bool, adds: bool) -> None:
    torch.manual_seed(0)
    codes = torch.randint(-127, 128, (rows, columns), dtype=torch.int8)
    scales, bias, x, gain, out = (torch.rand(n) for n in (rows, rows, columns, columns, rows))
    matrix = codes * scales[:, None]
    expected = matrix @ (rms_norm(x, (columns,), gain, EPS) if has_norm else x) + bias + (out if adds else 0)
    dense.product(codes, bias, x, out, gain if has_norm else None, EPS, adds=adds, scales=scales)
    close(out, expected)


def test_a_gated_product_in_eight_bits() -> None:
    torch.manual_seed(0)
    codes, scales = torch.randint(-127, 128, (10, 300), dtype=torch.int8), torch.rand(10)
    x, gain, out = torch.randn(300), torch.rand(300), torch.empty(5)
    gate, up = ((codes * scales[:, None]) @ rms_norm(x, (300,), gain, EPS)).split(5)
    dense.gated_product(codes, x, out, gain, EPS, scales)
    close(out, silu(gate) * up)


@pytest.mark.parametrize("slowness", [0.0, 30.0])
def test_the_gated_delta_rule(slowness: float) -> None:
    """Two tokens, so that the second finds what the first has left; 30 is where a softplus is the number itself."""
    from transformers.models.qwen3_5 import modeling_qwen3_5 as library

    torch.manual_seed(0)
    keys, heads, size, taps = 2, 4, 16, 4
    channels = 2 * keys * size + heads * size
    weight, decay, bias, gain = (
        torch.randn(*shape) for shape in ((channels, 1, taps), (heads,), (heads,), (size,))
    )
    convolved, state = torch.randn(1, channels, taps), torch.randn(1, heads, size, size)
    expected_convolved, expected_state = convolved.clone(), state.clone()
    for _ in range(2):
        projected = torch.randn(channels + heads * size + 2 * heads)
        projected[-heads:] += slowness
        mixed, out = torch.empty(channels), torch.empty(heads * size)
        delta_rule.convolve(projected, weight, convolved, mixed)
        delta_rule.recur(mixed, projected, decay, bias, state, gain, EPS, keys, out)
        column = projected[None, :channels, None]
        expected = library.causal_conv1d_update(column, expected_convolved, weight[:, 0], None, "silu")
        close(mixed, expected.flatten())
        close(convolved, expected_convolved)
        query, key, value = (
            part.view(1, 1, -1, size) for part in mixed.split([keys * size, keys * size, heads * size])
        )
        gates, written, slow = projected[channels:].split([heads * size, heads, heads])
        read, expected_state = library.torch_recurrent_gated_delta_rule(
            query,
            key,
            value,
            g=-decay.exp() * torch.nn.functional.softplus(slow + bias)[None, None],
            beta=written.sigmoid()[None, None],
            initial_state=expected_state,
            output_final_state=True,
            use_qk_l2norm_in_kernel=True,
        )
        normed = rms_norm(read.view(heads, size), (size,), gain, EPS)
        close(out, (normed * silu(gates.view(heads, size))).flatten())
        close(state, expected_state)


@pytest.mark.parametrize("slowness", [0.0, 30.0])
def test_the_gated_delta_rule_of_many_tokens_is_that_of_one_after_another(slowness: float) -> None:
    """A chunk and a part of another, with memory before them; equal keys make the system ill-conditioned."""
    torch.manual_seed(0)
    keys, heads, key_dim, value_dim, taps, tokens = 1, 2, 32, 16, 4, delta_rule_prefill.CHUNK + 6
    channels = 2 * keys * key_dim + heads * value_dim
    weight, decay, bias, gain = (
        torch.randn(*shape) for shape in ((channels, 1, taps), (heads,), (heads,), (value_dim,))
    )
    projected = torch.randn(tokens, channels + heads * value_dim + 2 * heads)
    projected[:40, keys * key_dim : 2 * keys * key_dim] = 1.0
    projected[:, -heads:] += slowness
    convolved, state = torch.randn(1, channels, taps), torch.randn(1, heads, key_dim, value_dim)
    expected_convolved, expected_state = convolved.clone(), state.clone()
    mixed = convolution.convolve(projected, weight, convolved)
    out = delta_rule_prefill.recur(mixed, projected, decay, bias, state, gain, EPS, keys)
    for row in range(tokens):
        expected_mixed, expected = torch.empty(channels), torch.empty(heads * value_dim)
        delta_rule.convolve(projected[row], weight, expected_convolved, expected_mixed)
        arguments = (decay, bias, expected_state, gain, EPS, keys, expected)
        delta_rule.recur(expected_mixed, projected[row], *arguments)
        close(mixed[row], expected_mixed)
        close(out[row], expected, 1e-4)
    close(convolved, expected_convolved)
    close(state, expected_state, 1e-4)


@pytest.mark.parametrize("adds_to_one", [True, False])
@pytest.mark.parametrize(("count", "chosen"), [(4, 2), (60, 6), (128, 8)])
def test_the_experts_that_are_chosen(count: int, chosen: int, adds_to_one: bool) -> None:
    torch.manual_seed(0)
    logits, ids, shares = torch.randn(count), torch.empty(chosen, dtype=torch.int32), torch.empty(chosen)
    experts.choose(logits, ids, shares, adds_to_one=adds_to_one)
    expected = logits.softmax(0).topk(chosen)
    assert ids.tolist() == expected.indices.tolist()
    close(shares, expected.values / (expected.values.sum() if adds_to_one else 1))


@pytest.mark.parametrize("adds_to_one", [True, False])
@pytest.mark.parametrize(
    "said",
    [[torch.nan] * 5, [0.5, torch.nan, 2.0, 0.1, 0.2], [0.5, torch.inf, 2.0, 0.1, 0.2], [-torch.inf] * 5],
)
def test_where_a_router_says_what_is_no_number_the_ids_are_those_of_experts_and_the_shares_are_no_numbers(
    said: list[float], adds_to_one: bool
) -> None:
    ids, shares = torch.empty(3, dtype=torch.int32), torch.empty(3)
    experts.choose(torch.tensor(said), ids, shares, adds_to_one=adds_to_one)
    assert len(set(ids.tolist()) & set(range(5))) == 3
    assert shares.isnan().all()


@pytest.mark.parametrize(("inner", "columns", "chosen"), [(8, 512, 3), (5, 200, 3), (257, 10, 2)])
def test_products_of_experts(inner: int, columns: int, chosen: int) -> None:
    torch.manual_seed(0)
    both, down = torch.randn(6, 2 * inner, columns), torch.randn(6, columns, inner)
    x, gain, between, out = (
        torch.randn(columns),
        torch.rand(columns),
        torch.empty(chosen, inner),
        torch.randn(columns),
    )
    ids, shares = torch.tensor([4, 0, 5], dtype=torch.int32)[:chosen], torch.rand(chosen)
    gate, up = (both[ids] @ rms_norm(x, (columns,), gain, EPS)).split(inner, dim=1)
    experts.gated_products(both, ids, x, between, gain, EPS)
    close(between, silu(gate) * up)
    expected = out + shares @ (down[ids] @ between[:, :, None])[:, :, 0]
    experts.add_products(down, ids, shares, between, out)
    close(out, expected)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_product_in_half_precision_is_summed_up_in_float32(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    weight, x = torch.randn(16, 1024).to(dtype), torch.randn(1024).to(dtype)
    out = torch.empty(16, dtype=torch.float32)
    dense.product(weight, None, x, out)
    close(out, weight.float() @ x.float())


@pytest.mark.parametrize("tokens", [1, 3])
@pytest.mark.parametrize("has_head_norms", [True, False])
def test_rotated_heads_find_their_places(has_head_norms: bool, tokens: int) -> None:
    torch.manual_seed(0)
    heads, groups, size, room, where = 6, 2, 32, 12, 7
    projected = torch.randn(tokens, (heads + 2 * groups) * size)
    places = [where + token for token in range(tokens)]
    angles = torch.arange(room)[:, None] * torch.rand(size // 2)
    cosines, sines = (part.repeat(1, 2) for part in (angles.cos(), angles.sin()))
    gains = (torch.rand(size), torch.rand(size)) if has_head_norms else None
    query, keys, values = (
        torch.zeros(tokens, heads, size),
        torch.zeros(1, groups, room, size),
        torch.zeros(1, groups, room, size),
    )

    def rotated(part: torch.Tensor, gain: torch.Tensor | None) -> torch.Tensor:
        part = rms_norm(part, (size,), gain, EPS) if gain is not None else part
        one, two = part.chunk(2, -1)
        return part * cosines[places, None] + torch.cat((-two, one), -1) * sines[places, None]

    q, k, v = projected.view(tokens, -1, size).split([heads, groups, groups], 1)
    rotary.place(projected, gains, EPS, cosines, sines, torch.tensor([where]), query, keys, values)
    close(query, rotated(q, gains[0] if gains else None))
    close(keys[0, :, places].transpose(0, 1), rotated(k, gains[1] if gains else None))
    assert torch.equal(values[0, :, places].transpose(0, 1), v)
    others = [place for place in range(room) if place not in places]
    assert not keys[..., others, :].any()
    assert not values[..., others, :].any()


@pytest.mark.parametrize("length", [1, 31, 32, 33, 150])
@pytest.mark.parametrize(("heads", "groups"), [(7, 1), (4, 4), (34, 2)])
def test_attention_reads_as_far_as_there_is_something(
    length: int, heads: int, groups: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "SPLITS", 4)
    torch.manual_seed(0)
    size, room = 16, 160
    query = torch.randn(heads, size)
    keys, values = torch.randn(1, groups, room, size), torch.randn(1, groups, room, size)
    keys[..., length:, :] = torch.nan
    values[..., length:, :] = torch.nan
    out = torch.empty_like(query)
    between = attention.scratch(heads, size, torch.device("cpu"))
    attention.attend(query, keys, values, torch.tensor([length - 1]), 0.3, between, out)
    k, v = (part[..., :length, :].repeat_interleave(heads // groups, 1) for part in (keys, values))
    expected = scaled_dot_product_attention(query[None, :, None], k, v, scale=0.3)
    close(out, expected[0, :, 0])


def packed(rows: int, columns: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes and scales as bitsandbytes packs them, and the matrix (rows, columns) that they stand for."""
    codes = torch.randint(0, 256, (rows, columns // 2), dtype=torch.uint8)
    scales = (0.5 + torch.rand(rows, columns // 64)).half()
    values = torch.stack((NF4[(codes >> 4).long()], NF4[(codes & 15).long()]), -1).view(rows, columns)
    return codes, scales, values * scales.float().repeat_interleave(64, 1)


@pytest.mark.parametrize(("rows", "columns"), [(4, 64), (8, 1280)])
@pytest.mark.parametrize("has_norm", [True, False])
@pytest.mark.parametrize("adds", [True, False])
def test_a_product_in_four_bits(rows: int, columns: int, has_norm: bool, adds: bool) -> None:
    torch.manual_seed(0)
    codes, scales, matrix = packed(rows, columns)
    x, gain, bias, out = (torch.randn(n).bfloat16() for n in (columns, columns, rows, rows))
    gain = gain if adds else gain.float() + 0.001
    normed = rms_norm(x.float(), (columns,), gain.float(), EPS) if has_norm else x.float()
    expected = matrix @ normed + bias + (out if adds else 0)
    four_bits.product(codes, scales, NF4, bias, x, out, gain if has_norm else None, EPS, adds=adds)
    close(out, expected, 8e-3)


def test_a_gated_product_in_four_bits() -> None:
    torch.manual_seed(0)
    codes, scales, matrix = packed(12, 512)
    x, gain, out = torch.randn(512).bfloat16(), torch.rand(512).bfloat16(), torch.empty(6).bfloat16()
    gate, up = (matrix @ rms_norm(x.float(), (512,), gain.float(), EPS)).split(6)
    four_bits.product(codes, scales, NF4, None, x, out, gain, EPS, is_gated=True)
    close(out, silu(gate) * up, 8e-3)


def test_a_matrix_in_four_bits_is_unpacked() -> None:
    torch.manual_seed(0)
    codes, scales, matrix = packed(20, 192)
    assert torch.equal(four_bits.unpacked(codes, scales, NF4, torch.float32), matrix)
