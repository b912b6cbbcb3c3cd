"""Weights that only another program loads are refused by the config and the names of the files."""

import json
from pathlib import Path

import pytest

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.local.loading.architecture import check_architecture
from qwen_tui.engine.local.loading.tokenizer import read_tokenizer
from qwen_tui.engine.models.checkpoint import inspect
from qwen_tui.engine.models.file_list import weights_among
from qwen_tui.engine.models.weight_formats import check_format
from qwen_tui.errors import QwenTuiError

WHOLE = ("config.json", "tokenizer.json", "model.safetensors")


@pytest.mark.parametrize(
    ("config", "names", "words"),
    [
        ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}, (), ("NVFP4", "vLLM")),
        ({"text_config": {"quantization_config": {"quant_method": "exl3"}}}, (), ("EXL3", "TabbyAPI")),
        ({"quantization": {"group_size": 64, "bits": 4}}, (), ("MLX", "mlx_lm.server")),
        ({}, ("hf_quant_config.json",), ("ModelOpt", "vLLM")),
    ],
)
def test_the_format_is_named_with_a_program_that_loads_it(
    config: dict[str, object], names: tuple[str, ...], words: tuple[str, str]
) -> None:
    with pytest.raises(QwenTuiError) as raised:
        check_format(config, names)
    assert raised.value.code == "engine.other_format"
    assert words[0] in raised.value.explanation.sentence
    assert words[1] in raised.value.explanation.hint


def test_what_transformers_loads_is_not_refused() -> None:
    for method in ("bitsandbytes", "fp8", "gptq", "mxfp4"):
        check_format({"quantization_config": {"quant_method": method}, "quantization": {"bits": 4}}, WHOLE)
    check_format({"quantization_config": 3, "quantization": "none"}, ())


@pytest.mark.parametrize(
    ("method", "code"), [("gptq", "engine.package_missing"), ("new2027", "engine.other_format")]
)
def test_a_method_that_is_unknown_or_needs_a_package_is_refused_by_the_config(
    method: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transformers.quantizers.quantizer_gptq.is_optimum_available", lambda: False)
    quantized = {"quant_method": method, "bits": 4}
    with pytest.raises(QwenTuiError) as raised:
        check_architecture({"model_type": "qwen2", "quantization_config": quantized}, Path(), ModelSpec())
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("names", "code", "word"),
    [
        (("README.md", "a-Q4_K_M.gguf", "a-Q8_0.GGUF"), "engine.other_format", "GGUF"),
        (("config.json", "pytorch_model.bin", "a.gguf"), "engine.not_safetensors", "a.gguf"),
        ((*WHOLE, "config_sentence_transformers.json"), "engine.embeds", "embeddings"),
        ((*WHOLE, "hf_quant_config.json"), "engine.other_format", "ModelOpt"),
        (("config.json", "model.safetensors"), "engine.no_tokenizer", "tokenizer"),
        (
            ("config.json", "model.safetensors", "tokenizer.model"),
            "engine.tokenizer_package",
            "sentencepiece",
        ),
        (("adapter_config.json", "adapter_model.safetensors"), "engine.adapter_alone", "LoRA"),
        (("config.json", "model-00001-of-00002.safetensors"), "engine.no_model_in_folder", "index.json"),
        (("config.json", "consolidated.safetensors"), "engine.no_model_in_folder", "model.safetensors"),
    ],
)
def test_a_list_of_files_tells_what_cannot_be_loaded(
    names: tuple[str, ...], code: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(QwenTuiError) as raised:
        weights_among(names, "me/x")
    assert raised.value.code == code
    assert word in raised.value.explanation.sentence


def test_a_tokenizer_with_code_of_its_own_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "qwen2"}')
    named = {"tokenizer_class": "MyTokenizer", "auto_map": {"AutoTokenizer": ["mine.MyTokenizer", None]}}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(named))
    with pytest.raises(QwenTuiError) as raised:
        read_tokenizer(tmp_path, trust_remote_code=False)
    assert raised.value.code == "engine.remote_code_wanted"


def test_files_and_folders_of_gguf_are_named_too(tmp_path: Path) -> None:
    file = tmp_path / "model.gguf"
    file.write_bytes(b"GGUF")
    for path in (file, tmp_path):
        with pytest.raises(QwenTuiError, match="llama-server"):
            inspect(path)
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["Qwen2ForCausalLM"]}))
    with pytest.raises(QwenTuiError, match="llama-server"):
        inspect(tmp_path)
    file.rename(tmp_path / "model-00001-of-00002.safetensors")
    with pytest.raises(QwenTuiError, match=r"index\.json is missing"):
        inspect(tmp_path)
