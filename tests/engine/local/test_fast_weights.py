"""Which models the kernels know, and that what is laid out for them are the model's own weights."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
import tiny_models
import torch
from kernels_on_cpu import attention
from transformers import AutoConfig, AutoModelForCausalLM, BitsAndBytesConfig, PreTrainedModel

from qwen_tui.engine.local.decoding import compile_ahead as compiling
from qwen_tui.engine.local.decoding.kernels.compiling import compile_all, kind_of
from qwen_tui.engine.local.decoding.matrices import Dense, FourBits
from qwen_tui.engine.local.decoding.mlp import Experts
from qwen_tui.engine.local.decoding.weights import Unsupported, _joined, check, gather

SMALL: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 64,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 32,
}

EXPERTS: dict[str, Any] = {
    "num_experts": 6,
    "num_experts_per_tok": 3,
    "moe_intermediate_size": 40,
    "mlp_only_layers": [0],
}


def made(model_type: str, **config: Any) -> PreTrainedModel:
    return AutoModelForCausalLM.from_config(AutoConfig.for_model(model_type, **{**SMALL, **config})).eval()


@pytest.mark.parametrize("model_type", ["qwen2", "qwen3", "llama", "mistral"])
def test_weights_are_joined_and_shared_with_the_model(model_type: str) -> None:
    model = made(model_type)
    ids = torch.arange(20)[None]
    with torch.no_grad():
        before = model(ids).logits
        weights = gather(model)
        assert torch.equal(model(ids).logits, before)
    layer, attention = weights.layers[1], model.model.layers[1].self_attn
    assert isinstance(layer.mixer.projections, Dense)
    assert layer.mixer.projections.weight.shape == (128, 64)
    assert torch.equal(layer.mixer.projections.weight[64:96], attention.k_proj.weight)
    assert (layer.mixer.projections.bias is not None) is (model_type == "qwen2")
    assert (layer.mixer.head_norms is not None) is (model_type == "qwen3")
    attention.k_proj.weight.data.fill_(7)
    assert (layer.mixer.projections.weight[64:96] == 7).all(), "the same memory"


@pytest.mark.parametrize(
    ("model_type", "config", "why"),
    [
        ("gemma", {}, "no kernels for GemmaForCausalLM"),
        ("qwen2", {"hidden_act": "gelu"}, "gelu"),
        ("llama", {"mlp_bias": True}, "biases"),
        ("llama", {"head_dim": 24}, "24 elements"),
    ],
)
def test_models_of_another_structure_are_told_apart(
    model_type: str, config: dict[str, Any], why: str
) -> None:
    with pytest.raises(Unsupported, match=why):
        check(made(model_type, **config))


def test_experts_are_those_of_the_model_and_their_shares_add_up_where_it_says_so() -> None:
    model = made("qwen3_moe", **EXPERTS, norm_topk_prob=True)
    inner, block = gather(model).layers[1].mlp, model.model.layers[1].mlp
    assert isinstance(inner, Experts)
    assert inner.gate_and_up.data_ptr() == block.experts.gate_up_proj.data_ptr()
    assert inner.shares_add_to_one
    block.experts.to(torch.bfloat16)
    with pytest.raises(Unsupported, match="experts are not all in"):
        check(model)


def test_mixed_types_are_not_taken() -> None:
    model = made("qwen2")
    model.model.layers[0].mlp.up_proj.to(torch.bfloat16)
    with pytest.raises(Unsupported, match="not all in"):
        check(model)


@pytest.mark.parametrize("quant_type", ["nf4", "fp4"])
@pytest.mark.parametrize("is_doubly_quantized", [True, False])
def test_four_bits_are_those_of_bitsandbytes(is_doubly_quantized: bool, quant_type: str) -> None:
    import bitsandbytes

    torch.manual_seed(0)
    linears = [
        bitsandbytes.nn.Linear4bit(
            128,
            rows,
            bias=False,
            compute_dtype=torch.bfloat16,
            quant_type=quant_type,
            compress_statistics=is_doubly_quantized,
        ).to("cpu")
        for rows in (64, 32)
    ]
    expected = torch.cat(
        [
            bitsandbytes.functional.dequantize_4bit(each.weight.data, each.weight.quant_state).float()
            for each in linears
        ]
    )
    matrix = _joined(linears)
    assert isinstance(matrix, FourBits)
    codes = torch.stack((matrix.codes >> 4, matrix.codes & 15), -1).long()
    values = matrix.values[codes].view(96, 128) * matrix.scales.float().repeat_interleave(64, 1)
    assert (values - expected).abs().max() <= 1e-3 * expected.abs().max()
    assert linears[1].weight.data.data_ptr() == matrix.codes[64:].data_ptr()


@pytest.mark.parametrize("model_type", ["qwen2", "qwen3", "qwen3_moe", "llama", "mistral"])
@pytest.mark.parametrize("is_four_bits", [False, True])
def test_what_is_compiled_ahead_is_what_the_model_will_need(
    model_type: str, is_four_bits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attention, "SPLITS", 2)
    model = made(model_type, **(EXPERTS if model_type == "qwen3_moe" else {}))
    weights = gather(model)
    kind = kind_of(model.config, torch.bfloat16, is_four_bits=is_four_bits)
    assert kind.has_bias is (weights.layers[0].mixer.projections.bias is not None)
    assert kind.has_head_norms is (weights.layers[0].mixer.head_norms is not None)
    assert (kind.heads, kind.kv_heads, kind.head_dim) == (weights.heads, weights.kv_heads, weights.head_dim)
    assert kind.hidden_size == weights.embedding.shape[1]
    first, last = weights.layers[0].mlp, weights.layers[1].mlp
    size = kind.intermediate_size
    assert (size, size if not kind.experts else kind.chosen * kind.expert_size) == (
        first.width,
        last.width,
    )
    if isinstance(last, Experts):
        assert (kind.experts, kind.chosen) == (last.router.shape[0], last.ids.shape[0])
    compile_all(kind._replace(intermediate_size=64), torch.device("cpu"), threads=1)


def in_four_bits(folder: Path, **more: Any) -> PreTrainedModel:
    config = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_compute_dtype=torch.bfloat16,
        bnb_4bit_use_double_quant=True,
        **more,
    )
    tiny_models.qwen2(folder, hidden_size=256, intermediate_size=512)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16, quantization_config=config)


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ({"bnb_4bit_quant_storage": torch.bfloat16}, "kept as torch.bfloat16"),
        ({"llm_int8_skip_modules": ["lm_head", "q_proj"]}, "by Linear and Linear4bit"),
        ({"llm_int8_skip_modules": ["lm_head", "k_proj", "v_proj"]}, "by Linear and Linear4bit"),
        ({"llm_int8_skip_modules": ["lm_head", "up_proj"]}, "by Linear and Linear4bit"),
    ],
)
def test_four_bits_that_the_kernels_cannot_read_are_told_apart_before_anything_is_changed(
    config: dict[str, Any], why: str, tmp_path: Path
) -> None:
    model = in_four_bits(tmp_path / "model", **config)
    before = [part.data_ptr() for part in model.parameters()]
    with pytest.raises(Unsupported, match=why):
        gather(model)
    assert [part.data_ptr() for part in model.parameters()] == before


def test_a_matrix_of_its_own_may_be_left_out_of_the_four_bits(tmp_path: Path) -> None:
    model = in_four_bits(tmp_path / "model", llm_int8_skip_modules=["down_proj", "lm_head"])
    layer = gather(model).layers[0]
    assert isinstance(layer.mixer.projections, FourBits)
    assert isinstance(layer.mlp.down, Dense)


def test_what_would_be_saved_of_four_bits_is_as_it_was(tmp_path: Path) -> None:
    model = in_four_bits(tmp_path / "model")
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    gather(model)
    after = model.state_dict()
    assert after.keys() == before.keys()
    for name, tensor in before.items():
        assert torch.equal(after[name], tensor), name
        assert after[name].dtype == tensor.dtype


def test_what_is_being_compiled_is_waited_for_when_a_model_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ended = threading.Event()

    def compile_slowly(*_: object) -> None:
        time.sleep(0.2)
        ended.set()

    monkeypatch.setattr(compiling, "_compile", compile_slowly)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda _: (9, 0))
    folder = tiny_models.qwen2(tmp_path / "model")
    on_gpu = (torch.device("cuda"), torch.bfloat16, "none")
    with pytest.raises(OSError, match="no file"), compiling.compiling(folder, *on_gpu):
        raise OSError("no file")
    assert ended.is_set()
