"""The value of a setting as a row shows it and as a person would type it."""

from qwen_tui import strings
from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.messages import Json
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import Option
from qwen_tui.strings.languages import LANGUAGES, texts
from qwen_tui.wording.cell_width import displayed

_TAILS = ("", "0", "1", "9", ".1", "00", "0000")
"""What a person may be about to type: with one of these, the beginning of a usable number becomes one."""

_NEUTRAL: dict[str, float] = {"temperature": 1.0, "top_p": 1.0, "repetition_penalty": 1.0}
"""Where stepping begins when neither the person nor the checkpoint says anything; else the minimum."""


def worded(option: Option, value: Json) -> str:
    """A value as the row shows it: `0.70`, `2,048`, `on`."""
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
    if value == "auto" or option.kind == "choice":
        return strings.say(f"panes.choice.{value}")
    return displayed(one_line(str(value)))


def worded_open(option: Option, value: Json, own: Json) -> str:
    """What stands in the place of a value that is left open: what holds instead, or what leaving it open means."""
    if value is not None:
        return worded(option, value) if own is None else f"{worded(option, value)} · {worded(option, own)}"
    if own is not None:
        return worded(option, own)
    return strings.say(_UNSET.get(option.name, "panes.unset"))


_UNSET = {
    name: f"panes.unset.{name}"
    for name in ("seed", "memory_turns", "memory_tokens", "thinking", "server", "context_window")
}


def typed(option: Option, value: Json) -> str:
    """A value as the person would type it: whole, and without separators."""
    if isinstance(value, str):
        return one_line(value)
    return "" if value is None else repr(value).removesuffix(".0")


def is_unfinished(option: Option, text: str) -> bool:
    """Whether a number that cannot be used yet is the beginning of one that can: `0` on the way to `0.8`."""
    return not all(problem_with(option, text + tail) for tail in _TAILS)


def stepped(option: Option, value: Json, steps: int) -> float | int:
    """The number `steps` arrow keys away, kept within the bounds; None begins at a neutral value."""
    low, high = option.minimum or 0, option.maximum
    start = _NEUTRAL.get(option.name, low) if value is None else value
    new = round(start + steps * option.step, 10)
    if option.above_minimum:
        low = min(start, low + option.step)
    new = max(new, low) if high is None else min(max(new, low), high)
    return int(new) if option.kind == "integer" else float(new)


def problem_with(option: Option, text: str) -> str:
    """Why a typed text is no value of this setting, in a sentence; or empty."""
    try:
        option.parse(text)
    except QwenTuiError as error:
        return error.explanation.sentence
    return ""
