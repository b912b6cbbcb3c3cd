"""Properties of a loaded model: its context window, defaults, end tokens and padding ids."""

from collections.abc import Mapping
from typing import Any

import torch
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import SAMPLING_FIELDS, Reason
from qwen_tui.engine.chat_format import ChatFormat
from qwen_tui.engine.local.loading.tokenizer import token_ids
from qwen_tui.engine.models import size


def context_window(config: Any) -> int:
    """Return `size.context_window` in tokens, with the library's defaults for what config.json omits."""
    return size.context_window(config.get_text_config().to_dict())


def sampling_defaults(config: GenerationConfig) -> dict[str, Json]:
    """Return the checkpoint's own sampling values; without any, it decodes greedily."""
    defaults = {name: getattr(config, name, None) for name in SAMPLING_FIELDS}
    told = {name: value for name, value in defaults.items() if value is not None}
    return {"do_sample": bool(config.do_sample), **told}


def device(model: PreTrainedModel, first: torch.device) -> str:
    """Return the device or devices that the model is on: `cuda:0`, `cuda:0, cuda:1`."""
    places = {str(place) for place in getattr(model, "hf_device_map", {}).values()}
    if len(places) < 2:
        return str(first)
    return ", ".join(sorted(f"cuda:{place}" if place.isdigit() else place for place in places))


def quantization(saved: Mapping[str, Any], chosen: str) -> str:
    """Return `none`, `4bit`, `8bit`, or the method of a checkpoint that was saved quantized otherwise.

    `saved` is what `config.json` says of it: the config of a dequantized model does not any more.
    """
    if chosen != "none":
        return chosen
    for bits in ("4bit", "8bit"):
        if saved.get(f"load_in_{bits}"):
            return bits
    return str(saved.get("quant_method", chosen))


def end_ids(
    config: GenerationConfig, tokenizer: PreTrainedTokenizerBase, end_of_turn: int | None
) -> tuple[int, ...]:
    """Return the tokens that end a reply: the checkpoint's, the tokenizer's, and the template's end of turn."""
    ids = token_ids(config.eos_token_id, tokenizer)
    return tuple(sorted({*ids, *(i for i in (tokenizer.eos_token_id, end_of_turn) if i is not None)}))


def not_understood(form: ChatFormat) -> tuple[Reason, ...]:
    """Return what a person should know of a chat template that does not serve a conversation."""
    if form.refusal:
        return (Reason("engine.template.refuses", (("detail", form.refusal),)),)
    if form.loses_text:
        return (Reason(f"engine.template.loses_{form.loses_text}"),)
    return ()


def padded_ids(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> torch.Tensor | None:
    """Return ids (N) of the output layer that the tokenizer lacks: a checkpoint's padding to a round size."""
    known = set(tokenizer.get_vocab().values())
    size = model.config.get_text_config().vocab_size
    unknown = [i for i in range(size) if i not in known]
    return torch.tensor(unknown, device=model.device) if unknown else None
