"""The catalogue: what is said of a model that is not here must be what it has."""

import pytest
import torch
from transformers import AutoModelForCausalLM

from qwen_tui.engine.local.loading.random_checkpoint import config_of
from qwen_tui.engine.models.catalogue import KNOWN, Shape, known


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
        ("Qwen/Qwen3.5-35B-A3B", 34_660_610_688, 20_480),
        ("Qwen/Qwen3-Next-80B-A3B-Instruct", 79_674_391_296, 24_576),
        ("Qwen/Qwen3.8-27B", 26_895_998_464, 65_536),
    ],
)
def test_sizes_are_the_published_ones(model: str, parameters: int, kv_bytes: int) -> None:
    entry = known(model)
    assert entry is not None
    assert entry.shape.parameters == parameters
    assert entry.shape.size.kv_bytes_per_token() == kv_bytes
    assert entry.shape.size.weight_bytes("none") == 2 * parameters


@pytest.mark.parametrize(
    "name",
    [
        *("Qwen3.5-0.8B", "Qwen3.5-2B", "Qwen3.5-4B", "Qwen3.5-122B-A10B", "Qwen3.5-397B-A17B"),
        *("Qwen3.6-35B-A3B", "Qwen3.6-27B", "Qwen3-Coder-480B-A35B-Instruct", "Qwen3-235B-A22B"),
    ],
)
def test_a_shape_adds_up_to_the_size_in_its_name(name: str) -> None:
    entry = known(f"Qwen/{name}")
    assert entry is not None
    billions = float(name.split("-")[1 if "Coder" not in name else 2].removesuffix("B"))
    assert entry.shape.parameters == pytest.approx(billions * 1e9, rel=0.07)


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
