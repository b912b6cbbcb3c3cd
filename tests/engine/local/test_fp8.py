"""Checkpoints in FP8, as Qwen's own `-FP8` are saved: matrices in e4m3 with factors by block."""

import json
from pathlib import Path

import pytest
import tiny_models
import torch
from loaded_models import loaded_from
from safetensors.torch import load_file, save_file

from qwen_tui.engine.models.checkpoint import inspect
from qwen_tui.engine.models.devices import Device
from qwen_tui.engine.models.load_plan import plan
from qwen_tui.engine.models.size import size_by_config, size_of
from qwen_tui.errors import QwenTuiError

BLOCK = 16
"""Smaller than Qwen's, so that tiny matrices have several, and odd ends."""


def in_blocks(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The matrix in FP8, its factors, and what both stand for."""
    quantized = torch.empty(matrix.shape, dtype=torch.float8_e4m3fn)
    exact = torch.empty(matrix.shape)
    factors = torch.empty(-(-matrix.shape[0] // BLOCK), -(-matrix.shape[1] // BLOCK))
    for row in range(factors.shape[0]):
        for column in range(factors.shape[1]):
            place = (slice(row * BLOCK, (row + 1) * BLOCK), slice(column * BLOCK, (column + 1) * BLOCK))
            block = matrix[place].float()
            factors[row, column] = block.abs().max() / 448
            quantized[place] = (block / factors[row, column]).to(torch.float8_e4m3fn)
            exact[place] = quantized[place].float() * factors[row, column]
    return quantized, factors, exact


def in_fp8(folder: Path, form: torch.dtype = torch.float32) -> Path:
    """Save the model in this folder in FP8; returns a folder with what it then is, unquantized."""
    weights, exact = load_file(folder / "model.safetensors"), {}
    for name, weight in list(weights.items()):
        exact[name] = weight
        if name.endswith("proj.weight"):
            weights[name], factors, exact[name] = in_blocks(weight)
            weights[f"{name}_scale_inv"] = factors.to(form)
    plain = folder.with_name(f"{folder.name}-plain")
    plain.mkdir()
    for file in folder.iterdir():
        (plain / file.name).write_bytes(file.read_bytes())
    save_file(exact, plain / "model.safetensors", {"format": "pt"})
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    config = json.loads((folder / "config.json").read_text())
    config["quantization_config"] = {
        "quant_method": "fp8",
        "activation_scheme": "dynamic",
        "weight_block_size": [BLOCK, BLOCK],
        "modules_to_not_convert": ["lm_head", "model.layers.0.mlp.gate"],
    }
    (folder / "config.json").write_text(json.dumps(config))
    return plain


@pytest.mark.parametrize("build", [tiny_models.qwen3, tiny_models.qwen3_moe, tiny_models.qwen3_5])
def test_each_weight_is_the_one_that_was_saved(build: object, tmp_path: Path) -> None:
    """Also at the ends of matrices that blocks do not divide: the library itself misplaces the factors there."""
    folder = build(tmp_path / "tiny")  # type: ignore[operator]
    plain = in_fp8(folder)
    read, meant = loaded_from(folder), loaded_from(plain)
    assert (read.info.quantization, read.info.dtype) == ("fp8", "float32")
    assert read.info.parameters == meant.info.parameters
    assert read.info.memory_bytes == meant.info.memory_bytes
    assert "engine.choice.dequantized" in [reason.code for reason in read.info.reasons]
    weights = dict(meant.model.named_parameters())
    assert weights.keys() == dict(read.model.named_parameters()).keys()
    for name, weight in read.model.named_parameters():
        assert torch.equal(weight, weights[name]), name


def test_it_is_planned_as_large_as_it_becomes(tmp_path: Path) -> None:
    folder = tiny_models.qwen3(tmp_path / "tiny")
    plain = size_of(inspect(in_fp8(folder)))
    size = size_of(inspect(folder))
    assert size.parameters == pytest.approx(plain.parameters, rel=0.02)
    assert size.weight_bytes("none") == size.parameters * 2
    assert size.forms == ("none",)
    config = json.loads((folder / "config.json").read_text())
    assert size_by_config(config, 8_000_000_000).weight_bytes("none") == 16_000_000_000


def test_one_that_is_too_large_is_said_to_be_so_for_its_format(tmp_path: Path) -> None:
    folder = tiny_models.qwen3(tmp_path / "tiny")
    in_fp8(folder)
    with pytest.raises(QwenTuiError) as raised:
        plan(size_of(inspect(folder)), [Device("cuda:0", "GPU", 1_000_000, 1_000_000, has_bf16=True)])
    assert raised.value.code == "engine.does_not_fit_dequantized"
