"""Where the value of a setting comes from, and whether it means anything now: what a row has to show."""

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import abspath, expanduser
from typing import Literal

from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.remote.address import address
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import OPTIONS, Settings, valid

Layer = Literal["conversation", "defaults"]
"""Which values are being edited: this conversation's overrides, or the person's defaults."""

FACTORY = Settings()
"""The settings of someone who has changed nothing."""

_WITHOUT_CHANCE = ("top_p", "top_k", "min_p", "seed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One setting as the layer being edited has it."""

    value: Json = None
    """The value in force; None is unset."""
    own: Json = None
    """What holds while `value` leaves it open (None or `auto`); None where that is not known."""
    mark: Literal["", "default", "override"] = ""
    """Who changed it: nobody, the person for all conversations, or this conversation."""
    resettable: bool = False
    """The layer being edited has a value that can be taken back."""
    idle: Literal["", "greedy", "forgetful"] = ""
    """Why the value means nothing now: nothing is left to chance, or no history is sent."""
    overridden_elsewhere: bool = False
    """The defaults are being edited, and this conversation has a value of its own."""
    loads: bool = False
    """The model that is loaded is not the one that the defaults ask for."""


def standing(
    name: str, layer: Layer, settings: Settings, overrides: Mapping[str, Json], info: ModelInfo | None
) -> Standing:
    """How the setting called `name` stands, seen from the layer being edited."""
    option = OPTIONS[name]
    usable = valid(overrides, per_conversation=True)[0]
    in_conversation = layer == "conversation" and option.per_conversation
    overridden = name in usable
    changed = getattr(settings, name) != getattr(FACTORY, name)
    effective = settings.with_overrides(overrides) if layer == "conversation" else settings
    return Standing(
        value=getattr(effective if in_conversation else settings, name),
        own=own_value(name, info),
        mark="override" if overridden and in_conversation else "default" if changed else "",
        resettable=overridden if in_conversation else changed,
        idle=_idle(name, effective, info),
        overridden_elsewhere=overridden and not in_conversation,
        loads=not option.per_conversation and not is_loaded(settings, info),
    )


def own_value(name: str, info: ModelInfo | None) -> Json:
    """What the checkpoint itself sets for a field of `Sampling`, and what was loaded; None where it is unknown.

    A checkpoint's file may say anything: what is no usable value counts as unknown.
    """
    if info is None:
        return None
    sampled = info.sampling_defaults.get("do_sample")
    own = {
        **info.sampling_defaults,
        "greedy": None if sampled is None else not sampled,
        "model": info.name,
        "quantization": info.quantization,
        "device": info.device,
    }
    return valid({name: own.get(name)})[0].get(name)


def is_greedy(settings: Settings, info: ModelInfo | None) -> bool:
    """Whether the likeliest token is always taken, so that nothing is left to chance."""
    if settings.greedy is None and settings.temperature is None:
        return bool(own_value("greedy", info))
    return bool(settings.greedy) or settings.temperature == 0


def is_loaded(settings: Settings, info: ModelInfo | None) -> bool:
    """Whether the loaded model is the one that these settings ask for; `auto` is content with any."""
    if info is None:
        return False
    model, quantization, device = settings.model, settings.quantization, settings.device
    if settings.server is not None or info.server:
        return _root(settings.server) == info.server and model in (None, info.model, info.name)
    return (
        (model is None or model in (info.model, info.name) or abspath(expanduser(model)) == info.model)
        and quantization in ("auto", info.quantization)
        and (device == "auto" or info.device == device or info.device.startswith(f"{device}:"))
    )


def _root(server: str | None) -> str:
    """A server's address as it is called once it has answered."""
    try:
        return address(server or "").root
    except QwenTuiError:
        return ""


def _idle(name: str, effective: Settings, info: ModelInfo | None) -> Literal["", "greedy", "forgetful"]:
    if name in _WITHOUT_CHANCE and is_greedy(effective, info):
        return "greedy"
    if name == "temperature" and effective.greedy:
        return "greedy"
    if name in ("memory_turns", "memory_tokens") and not effective.memory:
        return "forgetful"
    return ""
