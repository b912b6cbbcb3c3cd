"""The catalogue: what is said of a model that is not here must be what it has."""

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    PreTrainedConfig,
    Qwen2Config,
    Qwen3_5TextConfig,
    Qwen3Config,
    Qwen3MoeConfig,
)

from qwen_tui.engine.models.catalogue import KNOWN, Shape, known


def config_of(shape: Shape) -> PreTrainedConfig:
    """The library's own configuration of this shape."""
    common = {
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.attention_heads,
        "num_key_value_heads": shape.kv_heads,
        "vocab_size": shape.vocab_size,
        "tie_word_embeddings": shape.is_tied,
        "max_position_embeddings": shape.context_window,
    }
    if shape.linear is not None:
        return Qwen3_5TextConfig(
            **common,
            head_dim=shape.head_dim,
            linear_num_key_heads=shape.linear.key_heads,
            linear_num_value_heads=shape.linear.value_heads,
        )
    if shape.experts:
        return Qwen3MoeConfig(
            **common,
            head_dim=shape.head_dim,
            moe_intermediate_size=shape.intermediate_size,
            num_experts=shape.experts,
            num_experts_per_tok=shape.active_experts,
        )
    return Qwen3Config(**common, head_dim=shape.head_dim) if shape.is_qwen3 else Qwen2Config(**common)


@pytest.mark.parametrize(
    "shape", dict.fromkeys(each.shape for each in KNOWN), ids=lambda s: f"{s.parameters:,}"
)
def test_parameters_are_as_many_as_the_library_makes_of_the_shape(shape: Shape) -> None:
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config_of(shape))
    assert shape.parameters == model.num_parameters()


@pytest.mark.parametrize(
    ("model", "parameters", "kv_bytes"),
    [
        ("Qwen/Qwen2.5-0.5B-Instruct", 494_032_768, 12_288),
        ("Qwen/Qwen2.5-7B-Instruct", 7_615_616_512, 57_344),
        ("Qwen/Qwen2.5-72B-Instruct", 72_706_203_648, 327_680),
        ("Qwen/Qwen3-8B", 8_190_735_360, 147_456),
        ("Qwen/Qwen3-30B-A3B", 30_532_122_624, 98_304),
        ("Qwen/Qwen3.5-9B", 8_953_803_264, 32_768),
        ("Qwen/Qwen3.8-27B", 26_895_998_464, 65_536),
    ],
)
def test_sizes_are_the_published_ones(model: str, parameters: int, kv_bytes: int) -> None:
    entry = known(model)
    assert entry is not None
    assert entry.shape.parameters == parameters
    assert entry.shape.size.kv_bytes_per_token() == kv_bytes
    assert entry.shape.size.weight_bytes("none") == 2 * parameters


def test_four_bits_are_less_than_a_third_of_a_large_model_and_nothing_of_one_with_experts() -> None:
    shares = {
        each.name: each.shape.size.weight_bytes("4bit") / each.shape.size.weight_bytes("none")
        for each in KNOWN
    }
    assert 0.28 < shares["Qwen2.5-72B-Instruct"] < 0.30
    assert 0.35 < shares["Qwen2.5-7B-Instruct"] < 0.40
    assert shares["Qwen3-30B-A3B"] > 0.95


def test_a_name_is_found_whatever_its_capitals() -> None:
    entry = known("qwen/qwen3-4b-instruct-2507")
    assert entry is not None
    assert (entry.name, entry.shape.context_window) == ("Qwen3-4B-Instruct-2507", 262_144)
    assert known("Qwen/Qwen3-5B") is None
    assert len({each.model for each in KNOWN}) == len(KNOWN)
