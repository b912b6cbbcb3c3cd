"""What stands in memory is counted from the tensors themselves, and rounding is that of the real formats."""

import pytest
import tiny_models
import torch
from bitsandbytes.functional import dequantize_4bit, quantize_4bit
from loaded_models import loaded_from, with_decoder
from test_generation import asking, reply, run_of

from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.memory_facts import as_4_bits, as_8_bits, memory_facts, rounding


@pytest.fixture(scope="module", params=["generate", "decoder"])
def model(request: pytest.FixtureRequest, qwen2: Loaded) -> Loaded:
    return qwen2 if request.param == "generate" else with_decoder(qwen2)


def test_weights_and_cache_are_those_that_stand_there(model: Loaded) -> None:
    run = run_of(reply(model, asking(seed=3)))
    facts = memory_facts(model)
    assert sum(part.bytes for part in facts.weights) == sum(
        p.numel() * p.element_size() for p in model.model.parameters()
    )
    assert facts.weights[0].dtype == "float32"
    assert facts.cache.tokens == len(model.cache.ids) >= run.prompt_tokens
    assert facts.cache.bytes_per_token == 2 * 2 * 2 * 16 * 4  # keys and values, layers, heads, size, bytes
    assert facts.cache.allocated_bytes >= facts.cache.tokens * facts.cache.bytes_per_token
    assert facts.cache.token_layers == 2
    assert facts.cache.state_bytes == facts.cache.state_layers == 0
    assert facts.tokens_left == model.info.context_window - facts.cache.tokens
    assert facts.as_16_bits == 2 * model.info.parameters
    assert facts.as_4_bits < facts.as_8_bits < facts.as_16_bits
    assert 0 < facts.free_bytes <= facts.total_bytes


def test_layers_with_a_constant_state_are_counted_apart(tmp_path: object) -> None:
    hybrid = loaded_from(tiny_models.qwen3_5(tmp_path / "model"))  # type: ignore[operator]
    reply(hybrid, asking(seed=3))
    cache = memory_facts(hybrid).cache
    assert cache.state_layers > 0
    assert cache.state_bytes > 0
    assert cache.token_layers + cache.state_layers == hybrid.model.config.get_text_config().num_hidden_layers


def test_four_bits_are_those_of_bitsandbytes() -> None:
    torch.manual_seed(0)
    matrix = torch.randn(64, 128)
    packed, state = quantize_4bit(matrix, blocksize=64, quant_type="nf4", compress_statistics=False)
    assert torch.allclose(as_4_bits(matrix), dequantize_4bit(packed, state), atol=1e-3)


def test_eight_bits_are_a_row_in_127_steps() -> None:
    matrix = torch.tensor([[1.27, 0.013, -0.6], [0.0, 0.0, 0.0]])
    assert torch.allclose(as_8_bits(matrix), torch.tensor([[1.27, 0.01, -0.6], [0.0, 0.0, 0.0]]), atol=1e-6)


def test_rounding_of_a_matrix_is_measured_on_the_matrix_itself(qwen2: Loaded) -> None:
    name = memory_facts(qwen2).matrices[0]
    found = rounding(qwen2.model, name)
    matrix = qwen2.model.get_parameter(name).detach()
    assert (found.rows, found.columns) == matrix.shape
    assert found.bytes_16 == 2 * matrix.numel()
    assert found.error_4 == pytest.approx(float((matrix - as_4_bits(matrix)).norm() / matrix.norm()))
    assert 0 < found.error_8 < found.error_4 < 0.2
    assert found.sample[0][0] == pytest.approx(float(matrix[0, 0]))
