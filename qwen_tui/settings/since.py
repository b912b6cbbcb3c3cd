"""Which sampling values have changed since a reply was made."""

from collections.abc import Mapping, Sequence

from qwen_tui.chat.messages import Json, Message
from qwen_tui.engine.base import PENALTIES, SAMPLING_FIELDS, ModelInfo
from qwen_tui.settings.options import Settings
from qwen_tui.settings.resolution import is_greedy, own_value


def values_now(settings: Settings, info: ModelInfo | None) -> dict[str, Json]:
    """Return `greedy` and the sampling values that a reply would be made with now; empty without a model."""
    if info is None:
        return {}
    greedy = is_greedy(settings, info)
    names: Sequence[str] = PENALTIES if greedy else SAMPLING_FIELDS
    values = {name: getattr(settings, name) for name in names}
    return {
        "greedy": greedy,
        **{
            name: own_value(name, settings, info) if value is None else value
            for name, value in values.items()
        },
    }


def changed_since(message: Message, now: Mapping[str, Json]) -> dict[str, Json]:
    """Return the value now (see `values_now`) of each sampling value that a reply was made with another of."""
    if not message.receipt or not now:
        return {}
    then = message.receipt[-1].sampling
    if bool(then.get("do_sample", True)) is now["greedy"]:
        return {"temperature": 0.0 if now["greedy"] else now.get("temperature")}
    return {
        name: value
        for name, value in now.items()
        if name != "greedy" and None not in (value, then.get(name)) and value != then[name]
    }
