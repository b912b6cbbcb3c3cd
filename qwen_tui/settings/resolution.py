"""Resolve a setting for display: where its value comes from, and whether it has an effect."""

from collections.abc import Mapping
from dataclasses import dataclass
from os.path import abspath, expanduser
from typing import Literal

from qwen_tui import strings
from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import ModelInfo
from qwen_tui.engine.dtypes import DTYPES
from qwen_tui.engine.remote.address import address
from qwen_tui.engine.sampling import defaults_for
from qwen_tui.engine.thinking_room import will_think
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import OPTIONS, Settings, efforts_of, valid

Scope = Literal["conversation", "defaults"]
"""Which values are edited: this conversation's overrides, or the person's defaults."""

LEAST_TEMPERATURE = 1e-4
"""Below this temperature the engine decodes greedily, as in `engine.local`."""

Idle = Literal["", "greedy", "greedy_until_set", "cold", "forgetful", "thoughtless"]
"""Why a setting has no effect."""

FACTORY = Settings()
"""The settings of someone who has changed nothing."""

_SAMPLING_ONLY = ("top_p", "top_k", "min_p", "seed")
_LOADED = ("model", "quantization", "dtype", "device", "server")
"""Settings that take effect when the model is loaded."""
_ON_THIS_MACHINE = ("quantization", "dtype", "device", "idle_unload_minutes")
"""Settings that mean nothing for a model on a server."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedSetting:
    """A setting as a row shows it: its value, where it comes from, and whether it has an effect."""

    value: Json = None
    """The effective value; None is unset."""
    own: Json = None
    """What applies while `value` is None or `auto`; None if unknown."""
    mark: Literal["", "default", "override"] = ""
    """Who changed it: nobody, the person for all conversations, or this conversation."""
    resettable: bool = False
    """Whether the edited scope has a value that can be reset."""
    idle: Idle = ""
    """Why the value has no effect: see the sentences `panes.idle.*`."""
    applies: bool = True
    """False if the setting means nothing for this model, so that it need not be shown."""
    overridden_elsewhere: bool = False
    """The defaults are being edited, and this conversation overrides this one."""
    loads: bool = False
    """The loaded model is not the one that the defaults ask for."""
    restarts: bool = False
    """The value takes effect at the next start of the program."""
    rereads: bool = False
    """A change changes the first tokens of the prompt, so that all of it is read again."""
    choices: tuple[str, ...] = ()
    """The values of a choice that this model knows."""


def resolve(
    name: str, scope: Scope, settings: Settings, overrides: Mapping[str, Json], info: ModelInfo | None
) -> ResolvedSetting:
    """Resolve the setting `name` for the scope being edited."""
    option = OPTIONS[name]
    in_conversation = scope == "conversation" and option.per_conversation
    overridden = name in valid(overrides, per_conversation=True)[0]
    changed = getattr(settings, name) != getattr(FACTORY, name)
    effective = settings.with_overrides(overrides) if scope == "conversation" else settings
    return ResolvedSetting(
        value=getattr(effective, name),
        own=own_value(name, effective, info),
        mark="override" if overridden and in_conversation else "default" if changed else "",
        resettable=overridden if in_conversation else changed,
        idle=_idle(name, effective, info),
        applies=_applies(name, settings, info),
        overridden_elsewhere=overridden and not in_conversation,
        loads=name in _LOADED and not is_loaded(settings, info),
        rereads=name == "system_prompt" or (info is not None and name in info.rereads),
        choices=efforts_of(info) if name == "effort" and info is not None else option.choices,
        restarts=name == "language" and strings.chosen(settings.language) != strings.language(),
    )


def own_value(name: str, settings: Settings, info: ModelInfo | None) -> Json:
    """Return the value that an unset setting amounts to: the checkpoint's own value, or what was loaded.

    None if unknown. A checkpoint's file may contain anything: an invalid value counts as unknown.
    """
    if name == "greedy":
        return _is_greedy_if_left_open(settings, info)
    if name == "language":
        return strings.chosen(None)
    if info is None:
        return None
    dtype = next((short for short, long in DTYPES.items() if long == info.dtype), None)
    loaded = {"model": info.name, "quantization": info.quantization, "dtype": dtype, "device": info.device}
    defaults = defaults_for(info, settings.thinking)
    return valid({name: {**defaults, **loaded}.get(name)})[0].get(name)


def is_greedy(settings: Settings, info: ModelInfo | None) -> bool:
    """Return whether the next reply is decoded greedily, by the engine's rules."""
    if settings.greedy is not None:
        temperature = settings.temperature
        return settings.greedy or _is_cold(
            own_value("temperature", settings, info) if temperature is None else temperature
        )
    return bool(_is_greedy_if_left_open(settings, info))


def _is_greedy_if_left_open(settings: Settings, info: ModelInfo | None) -> bool | None:
    """Return what applies while `greedy` is unset: setting a temperature asks for sampling."""
    if settings.temperature is not None:
        return _is_cold(settings.temperature)
    samples = info.sampling_defaults.get("do_sample") if info is not None else None
    return None if samples is None else not samples or _is_cold(own_value("temperature", settings, info))


def _is_cold(temperature: Json) -> bool:
    return isinstance(temperature, int | float) and temperature < LEAST_TEMPERATURE


def is_loaded(settings: Settings, info: ModelInfo | None) -> bool:
    """Return whether the loaded model is the one that these settings ask for; `auto` matches any."""
    if info is None:
        return False
    model, quantization, device = settings.model, settings.quantization, settings.device
    if settings.server is not None or info.server:
        return _root(settings.server) == info.server and model in (None, info.model, info.name)
    return (
        (model is None or model in (info.model, info.name) or abspath(expanduser(model)) == info.model)
        and quantization in ("auto", info.quantization)
        and DTYPES.get(settings.dtype, info.dtype) == info.dtype
        and (device == "auto" or info.device == device or info.device.startswith(f"{device}:"))
    )


def _root(server: str | None) -> str:
    """Return a server's address in the form used once it has answered."""
    try:
        return address(server or "").root
    except QwenTuiError:
        return ""


def _applies(name: str, settings: Settings, info: ModelInfo | None) -> bool:
    if name == "thinking":
        return info is not None and info.can_think
    if name == "effort":
        return info is not None and bool(efforts_of(info))
    if name == "thinking_budget":
        return info is not None and (info.can_think or will_think(info, None))
    if name == "context_window":
        return settings.server is not None
    return settings.server is None or name not in _ON_THIS_MACHINE


def _idle(name: str, effective: Settings, info: ModelInfo | None) -> Idle:
    if name in ("effort", "thinking_budget"):
        return "thoughtless" if effective.thinking is False else ""
    if name in ("memory_turns", "memory_tokens"):
        return "" if effective.memory else "forgetful"
    if not is_greedy(effective, info):
        return ""
    if name in _SAMPLING_ONLY or (name == "temperature" and effective.greedy):
        return "greedy"
    if name == "temperature" and effective.temperature is None:
        return "greedy_until_set"
    return "cold" if name == "greedy" and effective.greedy is False else ""
