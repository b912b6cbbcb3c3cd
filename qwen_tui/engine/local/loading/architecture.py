"""Check from its config, before reading a checkpoint, whether transformers supports it as a causal model.

transformers itself reports this late, in long messages that blame something else.
"""

import copy
import logging
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import transformers
from packaging.version import InvalidVersion, Version
from transformers import CONFIG_MAPPING, AutoConfig
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
from transformers.quantizers.auto import AUTO_QUANTIZATION_CONFIG_MAPPING, AutoHfQuantizer

from qwen_tui.engine.base import ModelSpec
from qwen_tui.engine.models.model_kind import brings_its_own, not_for_chat
from qwen_tui.engine.models.weight_formats import another_program, quantization_in
from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

log = logging.getLogger(__name__)


def check_architecture(config: Mapping[str, Any], folder: Path, spec: ModelSpec) -> None:
    """Raise QwenTuiError if transformers has no causal model of this kind; `folder` contains `config.json`."""
    named = config.get("model_type")
    model_type = named if isinstance(named, str) else ""
    _check_quantization(config)
    is_trusted = "auto_map" in config and spec.trust_remote_code
    if is_trusted or model_type in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES:
        return
    if "auto_map" in config and (model_type not in CONFIG_MAPPING or brings_its_own(config)):
        raise QwenTuiError("engine.remote_code_wanted")
    if not model_type:
        raise QwenTuiError("engine.bad_config", path=one_line(folder), detail="engine.damage.no_model_type")
    if model_type in CONFIG_MAPPING:
        raise not_for_chat(config)
    known = {"model_type": one_line(model_type), "installed": transformers.__version__}
    saved_with = one_line(config.get("transformers_version", ""))
    with suppress(InvalidVersion):
        if Version(saved_with) > Version(transformers.__version__):
            raise QwenTuiError("engine.too_new", **known, saved_with=saved_with)
    raise QwenTuiError("engine.unknown_architecture", **known)


def _check_quantization(config: Mapping[str, Any]) -> None:
    """Raise QwenTuiError if transformers does not load weights quantized this way, or needs another package."""
    quantized = copy.deepcopy(dict(quantization_in(config)))
    method = str(quantized.get("quant_method", ""))
    if not method or method == "bitsandbytes":
        return
    if method not in AUTO_QUANTIZATION_CONFIG_MAPPING:
        raise another_program(method, "vLLM")
    try:
        AutoHfQuantizer.from_config(quantized, pre_quantized=True).validate_environment(
            device_map={"": "cpu"}
        )
    except ImportError as error:
        raise QwenTuiError("engine.package_missing", detail=one_line(error)) from error
    except Exception as error:  # such as a GPU that is missing: loading says so
        log.info("quantized by %s: %s", method, error)


def check_values(config: Mapping[str, Any], folder: Path, spec: ModelSpec) -> None:
    """Raise QwenTuiError if transformers rejects the values in `config.json`.

    Otherwise they would fail while the tokenizer is created, which then seems broken.
    """
    try:
        AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=spec.trust_remote_code)
    except Exception as error:  # validation may raise anything, and so may the model's own code
        if "auto_map" in config and spec.trust_remote_code:
            raise QwenTuiError("engine.remote_code_failed", detail=one_line(error)) from error
        raise QwenTuiError("engine.bad_config", path=one_line(folder), detail=one_line(error)) from error
