"""The value of a setting as text: as shown in a row, and as typed."""

from qwen_tui import strings
from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import Engine
from qwen_tui.engine.sampling import NEUTRAL_PENALTIES
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import Option, Settings
from qwen_tui.strings.languages import LANGUAGES, texts
from qwen_tui.wording.cell_width import displayed

_TAILS = ("", "0", "1", "9", ".1", "00", "0000")
"""Endings that a person may be about to type; one of them turns the start of a valid number into one."""

_NEUTRAL: dict[str, float] = {"temperature": 1.0, "top_p": 1.0, **NEUTRAL_PENALTIES}
"""Where stepping starts if neither the person nor the checkpoint sets a value; all others start at the minimum."""


def worded(option: Option, value: Json) -> str:
    """Format a value for display: `0.70`, `2,048`, `on`."""
    if isinstance(value, bool):
        return strings.say("panes.on" if value else "panes.off")
    if isinstance(value, int | float) and option.kind == "number":
        places = len(f"{option.step:g}".partition(".")[2])
        fixed = f"{value:.{places}f}"
        return fixed if float(fixed) == value else f"{value:.6g}"
    if isinstance(value, int) and option.name != "seed":
        return f"{value:,}"
    if option.name == "language" and value in LANGUAGES:
        return texts(str(value)).NAME
    if option.name == "effort":
        return strings.say(f"panes.effort.{value}")
    if value == "auto" or option.kind == "choice":
        return strings.say(f"panes.choice.{value}")
    return displayed(one_line(str(value)))


def worded_open(option: Option, value: Json, own: Json) -> str:
    """Return the text for an unset value: the value that applies instead, or what unset means."""
    if value is not None:
        return worded(option, value) if own is None else f"{worded(option, value)} · {worded(option, own)}"
    if own is not None:
        return worded(option, own)
    return strings.say(_UNSET.get(option.name, "panes.unset"))


_UNSET = {
    name: f"panes.unset.{name}"
    for name in (
        *("seed", "stop", "memory_turns", "memory_tokens", "server", "context_window"),
        *("thinking", "effort", "thinking_budget"),
    )
}


def thinking_in_words(settings: Settings, engine: Engine | None) -> str:
    """Return how replies of this model are asked to think, or empty if that is left to its template."""
    thinking = settings.thinking_for(engine.info) if engine is not None else None
    if engine is None or thinking is None or not (engine.info.can_think or isinstance(thinking, str)):
        return ""
    if isinstance(thinking, str):
        return strings.say("composer.effort", effort=strings.say(f"panes.effort.{thinking}"))
    return strings.say("composer.thinking.on" if thinking else "composer.thinking.off")


def typed(option: Option, value: Json) -> str:
    """Return a value as the person would type it: in full, without separators."""
    if isinstance(value, str):
        return one_line(value)
    return "" if value is None else repr(value).removesuffix(".0")


def is_unfinished(option: Option, text: str) -> bool:
    """Return whether an invalid number is the start of a valid one: `0` on the way to `0.8`."""
    return not all(problem_with(option, text + tail) for tail in _TAILS)


def stepped(option: Option, value: Json, steps: int) -> float | int:
    """Return the number `steps` arrow keys away, within the bounds; None starts at a neutral value."""
    low, high = option.minimum or 0, option.maximum
    start = _NEUTRAL.get(option.name, low) if value is None else value
    new = round(start + steps * option.step, 10)
    if option.above_minimum:
        low = min(start, low + option.step)
    new = max(new, low) if high is None else min(max(new, low), high)
    return int(new) if option.kind == "integer" else float(new)


def problem_with(option: Option, text: str) -> str:
    """Return a sentence on why a typed text is invalid for this setting, or empty."""
    try:
        option.parse(text)
    except QwenTuiError as error:
        return error.explanation.sentence
    return ""
