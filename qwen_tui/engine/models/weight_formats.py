"""Refuse files that cannot be loaded here, by the config or the names of the files."""

import importlib.util
from collections.abc import Collection, Mapping
from typing import Any

from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

OTHER_FORMATS = (".bin", ".pt", ".pth", ".gguf")
"""File endings of unsupported weight formats."""

GGUF = ".gguf"

MODELOPT = "hf_quant_config.json"
"""File of NVIDIA's ModelOpt; its older checkpoints say nothing in `config.json`."""

_PROGRAMS = {"modelopt": "vLLM", "exl2": "TabbyAPI", "exl3": "TabbyAPI"}
"""A program that loads what was quantized by this method, where transformers (5.23) does not."""


def check_format(config: Mapping[str, Any], names: Collection[str]) -> None:
    """Raise QwenTuiError if the weights are in another program's format; `names` are those of the files."""
    quantized = quantization_in(config)
    method = str(quantized.get("quant_method", ""))
    if method in _PROGRAMS:
        raise another_program(str(quantized.get("quant_algo") or method.upper()), _PROGRAMS[method])
    own = config.get("quantization")
    if not method and isinstance(own, Mapping) and "bits" in own:
        raise another_program("MLX", "mlx_lm.server")
    if not method and MODELOPT in names:
        raise another_program("ModelOpt", "vLLM")


def quantization_in(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what the config says about how the weights are quantized; empty if nothing."""
    parts = (config, config.get("text_config"))
    found = (part.get("quantization_config") for part in parts if isinstance(part, Mapping))
    return next((each for each in found if isinstance(each, Mapping)), {})


def is_dequantized(config: Mapping[str, Any]) -> bool:
    """Whether the weights are dequantized as they are read, so that they take as much memory as any others."""
    return quantization_in(config).get("quant_method") == "fp8"


def not_safetensors(names: Collection[str]) -> QwenTuiError | None:
    """Return the error for weights in files of other kinds, if there are any."""
    others = sorted(name for name in names if name.lower().endswith(OTHER_FORMATS))
    if not others:
        return None
    if all(name.lower().endswith(GGUF) for name in others):
        return another_program("GGUF", "llama-server")
    return QwenTuiError("engine.not_safetensors", file=one_line(others[0]))


def check_tokenizer_package(names: Collection[str]) -> None:
    """Raise QwenTuiError if the only tokenizer is a SentencePiece model and the packages for it are missing."""
    if "tokenizer.model" not in names or any(name in names for name in ("tokenizer.json", "vocab.json")):
        return
    packages = {"sentencepiece": "sentencepiece", "google.protobuf": "protobuf"}
    missing = [package for module, package in packages.items() if not _is_installed(module)]
    if missing:
        raise QwenTuiError("engine.tokenizer_package", packages=" ".join(missing))


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # not even the package that it is in
        return False


def another_program(form: str, program: str) -> QwenTuiError:
    """Return the error for weights in a format that this program loads."""
    return QwenTuiError("engine.other_format", form=one_line(form), program=program)
