"""Classify a checkpoint by its `config.json`: only a causal language model can chat."""

from collections.abc import Mapping
from typing import Any

from qwen_tui.engine.redaction import one_line
from qwen_tui.errors import QwenTuiError

_CAUSAL = ("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")
"""Class name endings of models that can generate text."""

_SCORING = ("Classification", "ForMultipleChoice", "ForQuestionAnswering", "RewardModel")
_READING = ("Model", "ForMaskedLM", "ForPreTraining", "ForSentenceEmbedding")
"""Encoders: a class without a head, or with one that fills in single words."""


def is_for_another_purpose(config: Mapping[str, Any]) -> bool:
    """Whether the config says that the model does not generate text from text."""
    if brings_its_own(config):
        return False
    architectures = _architectures(config)
    is_causal = not architectures or any(name.endswith(_CAUSAL) for name in architectures)
    return config.get("is_encoder_decoder") is True or not is_causal


def brings_its_own(config: Mapping[str, Any]) -> bool:
    """Whether the checkpoint's own code makes it a causal model, whatever its class (ChatGLMModel)."""
    auto_map = config.get("auto_map")
    return isinstance(auto_map, Mapping) and "AutoModelForCausalLM" in auto_map


def not_for_chat(config: Mapping[str, Any]) -> QwenTuiError:
    """Return the error that says what kind of model it is instead."""
    name = next(iter(_architectures(config)), str(config.get("model_type", "")))
    return QwenTuiError(f"engine.{_kind(config, name)}", architecture=one_line(name))


def _kind(config: Mapping[str, Any], name: str) -> str:
    if name.endswith(_SCORING):
        return "classifies"
    if any(f"{sense}_config" in config for sense in ("vision", "audio", "thinker")):
        return "not_only_text"
    if config.get("is_encoder_decoder") is True:
        return "encoder_decoder"
    if name.endswith(_READING):
        return "embeds"
    return "not_causal"


def _architectures(config: Mapping[str, Any]) -> list[str]:
    architectures = config.get("architectures")
    return [str(name) for name in architectures] if isinstance(architectures, list) else []
