"""The declarations of all settings, one field each, from which config file, command line and panel follow.

A value comes from the conversation's overrides, else from the config file, else from the field's default.
`None` as the value of a sampling field means the checkpoint's own value. Bounds are those of transformers'
logits warpers, which `GenerationConfig` itself does not check.
"""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from qwen_tui import strings
from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import EFFORTS, ModelInfo, ModelSpec, Quantization, Sampling, Thinking
from qwen_tui.engine.dtypes import Dtype
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.stop_strings import stop_strings
from qwen_tui.strings.languages import LANGUAGES

USUAL_EFFORTS = ("low", "medium", "high")
"""Efforts that most templates with any know."""

Kind = Literal["text", "prose", "number", "integer", "switch", "choice"]
Group = Literal["sampling", "system", "memory", "model", "screen"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """How one field of `Settings` is typed, checked and shown."""

    name: str
    kind: Kind
    group: Group
    minimum: float | None = None
    maximum: float | None = None
    above_minimum: bool = False
    """The minimum itself is not allowed."""
    step: float = 1
    """How much one press of an arrow key changes the value in the panel."""
    choices: tuple[str, ...] = ()
    optional: bool
    """None is a valid value, meaning unset; true for exactly the fields whose default is None."""
    per_conversation: bool = True
    """A conversation may override it."""

    @property
    def label(self) -> str:
        """The name on the screen."""
        return strings.say(f"settings.{self.name}.label")

    @property
    def help(self) -> str:
        """What the setting does, in one sentence."""
        return strings.say(f"settings.{self.name}.help")

    def check(self, value: Json) -> Json:
        """Validate and convert a value; raises `QwenTuiError` (`settings.*`) that says what would be valid."""
        if value is None:
            if self.optional:
                return None
            raise QwenTuiError("settings.missing", name=self.label)
        if self.kind in ("number", "integer"):
            return self._check_number(value)
        if self.kind == "switch":
            if isinstance(value, bool):
                return value
            raise QwenTuiError("settings.not_a_switch", name=self.label, value=_shown(value))
        if not isinstance(value, str):
            raise QwenTuiError("settings.not_text", name=self.label, value=_shown(value))
        if self.choices and value not in self.choices:
            choices = ", ".join(self.choices)
            raise QwenTuiError("settings.not_a_choice", name=self.label, value=_shown(value), choices=choices)
        return value

    def parse(self, text: str) -> Json:
        """Parse a person's input; empty means unset, except for prose. Raises like `check`."""
        if self.kind == "prose":
            return self.check(text)
        text = text.strip()
        if not text:
            return self.check(None)
        if self.kind == "switch":
            return self.check(_switch_words().get(text.lower(), text))
        if self.kind in ("number", "integer"):
            try:
                return self.check(float(text) if self.kind == "number" else int(text))
            except ValueError:
                raise self._number_error(text) from None
        return self.check(text)

    def _check_number(self, value: Json) -> float | int:
        is_usable = isinstance(value, int | float) and not isinstance(value, bool)
        # An int may be too large for a float; a float may be NaN, infinite or fractional.
        if is_usable and isinstance(value, float):
            is_usable = math.isfinite(value) and (self.kind == "number" or value.is_integer())
        if is_usable and self.minimum is not None:
            is_usable = value > self.minimum if self.above_minimum else value >= self.minimum
        if not is_usable or (self.maximum is not None and value > self.maximum):
            raise self._number_error(value)
        return int(value) if self.kind == "integer" else float(value) + 0.0  # turns -0.0 into 0.0

    def _number_error(self, value: Json) -> QwenTuiError:
        return QwenTuiError("settings.out_of_range", name=self.label, value=_shown(value), bounds=self.bounds)

    @property
    def bounds(self) -> str:
        """The allowed range in words: `a number from 0 to 1`."""
        kind = strings.say("settings.an_integer" if self.kind == "integer" else "settings.a_number")
        low = "" if self.minimum is None else _shown(self.minimum)
        high = "" if self.maximum is None else _shown(self.maximum)
        form = ("above" if self.above_minimum else "from") + ("_to" if high else "")
        return strings.say(f"settings.bounds.{form}", kind=kind, low=low, high=high) if low else kind


def _switch_words() -> dict[str, bool]:
    """What may be typed for a switch: English in every language, and the words that the screen shows."""
    english = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
    return {strings.say("panes.on").lower(): True, strings.say("panes.off").lower(): False, **english}


def _shown(value: Json) -> str:
    text = f"{value:,.10g}" if isinstance(value, float) else " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"


def _option(default: Json = None, **how: Any) -> Any:
    return field(default=default, metadata={"how": {"optional": default is None, **how}})


def _everywhere(default: Json = None, *, group: Group = "model", **how: Any) -> Any:
    """Declare an option, of the model unless another group is given, that conversations cannot override."""
    return _option(default, group=group, per_conversation=False, **how)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings with their values. Frozen: `with_overrides` and `dataclasses.replace` return new ones."""

    temperature: float | None = _option(kind="number", group="sampling", minimum=0, maximum=5, step=0.05)
    top_p: float | None = _option(
        kind="number", group="sampling", minimum=0, maximum=1, above_minimum=True, step=0.05
    )
    top_k: int | None = _option(kind="integer", group="sampling", minimum=0, maximum=10_000)
    min_p: float | None = _option(kind="number", group="sampling", minimum=0, maximum=1, step=0.01)
    repetition_penalty: float | None = _option(
        kind="number", group="sampling", minimum=0.01, maximum=10, step=0.01
    )
    presence_penalty: float | None = _option(kind="number", group="sampling", minimum=-2, maximum=2, step=0.1)
    frequency_penalty: float | None = _option(
        kind="number", group="sampling", minimum=-2, maximum=2, step=0.1
    )
    max_new_tokens: int = _option(
        2048, kind="integer", group="sampling", minimum=1, maximum=1_000_000, step=64
    )
    stop: str | None = _option(kind="text", group="sampling")
    seed: int | None = _option(kind="integer", group="sampling", minimum=0, maximum=2**32 - 1)
    greedy: bool | None = _option(kind="switch", group="sampling")
    system_prompt: str = _option("", kind="prose", group="system")
    memory: bool = _option(True, kind="switch", group="memory")
    memory_turns: int | None = _option(kind="integer", group="memory", minimum=1, maximum=1_000_000)
    memory_tokens: int | None = _option(
        kind="integer", group="memory", minimum=16, maximum=100_000_000, step=256
    )
    thinking: bool | None = _option(kind="switch", group="model")
    effort: str | None = _option(kind="choice", group="model", choices=EFFORTS)
    thinking_budget: int | None = _option(
        kind="integer", group="model", minimum=16, maximum=1_000_000, step=256
    )
    model: str | None = _everywhere(kind="text")
    quantization: Quantization = _everywhere("auto", kind="choice", choices=get_args(Quantization))
    dtype: Dtype = _everywhere("auto", kind="choice", choices=get_args(Dtype))
    device: str = _everywhere("auto", kind="text")
    trust_remote_code: bool = _everywhere(False, kind="switch")
    idle_unload_minutes: float = _everywhere(0.0, kind="number", minimum=0, maximum=100_000, step=5)
    server: str | None = _everywhere(kind="text")
    context_window: int | None = _everywhere(kind="integer", minimum=256, maximum=100_000_000, step=1024)
    quantized_cache_gb: int | None = _everywhere(kind="integer", minimum=0, maximum=100_000, step=10)
    save_traces: bool = _everywhere(False, kind="switch")
    language: str = _everywhere("auto", kind="choice", group="screen", choices=("auto", *LANGUAGES))
    bell: str = _everywhere("auto", kind="choice", group="screen", choices=("auto", "always", "never"))
    theme: str = _everywhere("qwen-dark", kind="text", group="screen")

    @property
    def sampling(self) -> Sampling:
        """The sampling values in the engine's form."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(Sampling)}
        return Sampling(**{**values, "stop": stop_strings(self.stop or "")})

    def thinking_for(self, info: ModelInfo) -> Thinking:
        """Return how this model is asked to think; an effort that its template does not know is left out."""
        if self.thinking is False or self.effort not in efforts_of(info):
            return self.thinking
        return self.effort

    @property
    def model_spec(self) -> ModelSpec:
        """The model that these settings ask for."""
        return ModelSpec(**{f.name: getattr(self, f.name) for f in dataclasses.fields(ModelSpec)})

    @property
    def quantized_cache_bytes(self) -> int | None:
        """Size limit of the quantized weights on disk; None leaves it to `QuantizedCache`."""
        return None if self.quantized_cache_gb is None else self.quantized_cache_gb * 10**9

    def with_overrides(self, overrides: Mapping[str, Json]) -> "Settings":
        """Apply a conversation's overrides; invalid ones are ignored."""
        return replace(self, **valid(overrides, per_conversation=True)[0])


def efforts_of(info: ModelInfo) -> tuple[str, ...]:
    """Return the efforts that change something for this model; for a server, the ones in common use."""
    if info.chat_format is not None:
        return info.chat_format.efforts
    return USUAL_EFFORTS if info.server and info.can_think else ()


OPTIONS: dict[str, Option] = {
    f.name: Option(name=f.name, **f.metadata["how"]) for f in dataclasses.fields(Settings)
}
"""The declaration of every field, by name, in the order of the panel."""


def valid(
    values: Mapping[str, Json], *, per_conversation: bool = False
) -> tuple[dict[str, Json], list[QwenTuiError]]:
    """Split values into usable ones and the errors of the others, each naming its key."""
    good: dict[str, Json] = {}
    errors: list[QwenTuiError] = []
    for name, value in values.items():
        option = OPTIONS.get(name)
        if option is None or (per_conversation and not option.per_conversation):
            errors.append(QwenTuiError("settings.unknown_key", key=_shown(name), close=_closest(name)))
            continue
        try:
            good[name] = option.check(value)
        except QwenTuiError as error:
            errors.append(error)
    return good, errors


def _closest(name: str) -> str:
    import difflib  # only a mistake in the config file needs it

    close = difflib.get_close_matches(str(name), OPTIONS, n=1)
    return close[0] if close else next(iter(OPTIONS))
