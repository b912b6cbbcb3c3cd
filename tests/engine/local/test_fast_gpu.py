"""Decoding by graphs and kernels on a CUDA device: run with `-m gpu`."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import tiny_models
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import Finished, ModelSpec, PromptMessage, Request, Sampling
from qwen_tui.engine.local.decoding import decode_path as choosing
from qwen_tui.engine.local.decoding.sampling import Values
from qwen_tui.engine.opening import open_engine

pytestmark = pytest.mark.gpu

WAYS = {"kernels": choosing._kernels, "graph": choosing._graph}

WIDE = {
    "hidden_size": 1024,
    "intermediate_size": 2816,
    "num_hidden_layers": 6,
    "num_attention_heads": 16,
}


def read(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, device_map={"": 0}).eval()
    model.generation_config.eos_token_id = None
    return model


def decoded_as_by_generate(model: PreTrainedModel, way: str, tokens: int, new_tokens: int) -> None:
    ids = torch.randint(3, 300, (1, tokens), generator=torch.Generator().manual_seed(1)).cuda()
    with torch.no_grad():
        decoder = choosing.checked(model, WAYS[way], 4096)
        assert decoder.step.name == way
        mask = torch.ones_like(ids)
        out = model.generate(
            ids, attention_mask=mask, max_new_tokens=new_tokens, do_sample=False, repetition_penalty=1.1
        )
        model(input_ids=ids[:, :-1], past_key_values=decoder.cache.empty_states(), use_cache=True)
        got = list(decoder.decode(ids[0], new_tokens, Values(repetition_penalty=1.1), 0))
        assert got == out[0, tokens:].tolist()


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "make",
    [
        tiny_models.qwen2,
        tiny_models.qwen3,
        tiny_models.qwen3_moe,
        tiny_models.llama,
        tiny_models.qwen3_5,
    ],
)
def test_in_float32_the_tokens_are_those_of_generate(
    make: Callable[[Path], Path], way: str, tmp_path: Path
) -> None:
    decoded_as_by_generate(read(make(tmp_path / "model"), torch.float32), way, 100, 130)


@pytest.mark.parametrize("way", WAYS)
def test_they_stay_the_same_when_the_cache_is_moved_on_the_way(way: str, tmp_path: Path) -> None:
    model = read(tiny_models.qwen2(tmp_path / "model", window=4096), torch.float32)
    decoded_as_by_generate(model, way, 900, 1300)


@pytest.mark.parametrize("quantization", ["none", "4bit"])
def test_the_engine_decodes_by_kernels_and_a_seed_repeats_a_reply(quantization: str, tmp_path: Path) -> None:
    folder = tiny_models.qwen2(tmp_path / "wide", window=8192, **WIDE)
    spec = ModelSpec(model=str(folder), quantization=quantization)
    engine = open_engine(spec, tmp_path / "log", lambda _: None, threading.Event())
    try:
        sampling = Sampling(max_new_tokens=200, seed=3, temperature=0.8, top_k=20, top_p=0.9)
        request = Request(
            messages=(PromptMessage(Role.USER, "hello"),), sampling=sampling, reuse=False, ignores_end=True
        )
        runs = [list(engine.stream(request, threading.Event()))[-1] for _ in range(2)]
        assert isinstance(runs[0], Finished)
        assert isinstance(runs[1], Finished)
        assert runs[0].run.decode_path == "kernels", (tmp_path / "log").read_text()
        assert runs[0].run.token_ids == runs[1].run.token_ids
        assert len(set(runs[0].run.token_ids)) > 20
    finally:
        engine.close()


def test_a_model_without_kernels_is_decoded_by_a_graph() -> None:
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "olmoe",
        vocab_size=320,
        hidden_size=64,
        intermediate_size=32,
        num_experts=8,
        num_experts_per_tok=2,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        initializer_range=0.2,
        eos_token_id=None,
    )
    model = AutoModelForCausalLM.from_config(config).eval().cuda()
    chosen = choosing.fast_decoder(model, 512)
    assert chosen.decoder is not None
    assert chosen.decoder.step.name == "graph"
    assert chosen.reason.code == "engine.decoding.kernels_failed"
    decoded_as_by_generate(model, "graph", 100, 130)


@pytest.mark.parametrize(("rows", "columns"), [(4608, 3584), (3584, 18944), (512, 1024)])
def test_four_bits_are_those_of_bitsandbytes(rows: int, columns: int) -> None:
    import bitsandbytes

    from qwen_tui.engine.local.decoding.weights import _joined

    torch.manual_seed(0)
    linear = bitsandbytes.nn.Linear4bit(
        columns, rows, bias=True, compute_dtype=torch.bfloat16, quant_type="nf4", compress_statistics=True
    )
    linear = linear.to(torch.bfloat16).cuda()
    x = torch.randn(columns, dtype=torch.bfloat16, device="cuda")
    full = bitsandbytes.functional.dequantize_4bit(linear.weight.data, linear.weight.quant_state).float()
    out = torch.empty(rows, dtype=torch.bfloat16, device="cuda")
    _joined([linear]).product(x, out)
    expected = full @ x.float() + linear.bias.float()
    assert (out.float() - expected).norm() / expected.norm() < 5e-3
