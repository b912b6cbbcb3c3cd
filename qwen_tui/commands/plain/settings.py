"""Commands of the line mode for settings, of the conversation and of all, and for choosing a model."""

from collections.abc import Iterator
from dataclasses import fields, replace

from qwen_tui.chat.messages import Json
from qwen_tui.commands.conversations.by_name import nearest
from qwen_tui.commands.plain.chat import PlainChat
from qwen_tui.engine.base import ModelSpec
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings import config_file
from qwen_tui.settings.options import OPTIONS, Option, Settings
from qwen_tui.settings.resolution import resolve
from qwen_tui.strings import say
from qwen_tui.wording.settings import worded, worded_open


def show(chat: PlainChat, words: str) -> None:
    """Print all settings with their values, or one with what it does."""
    if words:
        option = _option(words)
        chat.lines.show([_line(chat, option), option.help])
    else:
        chat.lines.show(_all(chat))


def set_here(chat: PlainChat, words: str) -> None:
    """Set a value for this conversation, or for all if it cannot differ; without a value, reset it."""
    option, value, is_reset = _typed(words, "set NAME [VALUE]")
    if not option.per_conversation:
        _set_default(chat, option, value)
        return
    overrides = {**chat.session.conversation.overrides, option.name: value}
    if is_reset or (value is None and getattr(chat.settings, option.name) is None):
        del overrides[option.name]
    chat.session.change(lambda conversation: replace(conversation, overrides=overrides))
    chat.keep()
    chat.lines.note(_line(chat, option))


def set_default(chat: PlainChat, words: str) -> None:
    """Set a value for all conversations, in the config file; without a value, reset it."""
    option, value, _ = _typed(words, "default NAME [VALUE]")
    _set_default(chat, option, value)


def choose_model(chat: PlainChat, words: str) -> None:
    """Load another model for this run, or say which one is loaded."""
    if words:
        chat.settings = replace(chat.settings, model=words, server=None)
        chat.load()
        chat.lines.note(say("plain.loading"))
    elif (engine := chat.engine) is not None:
        chat.lines.show([engine.info.name])
    else:
        chat.lines.note(say("plain.loading"))


def _set_default(chat: PlainChat, option: Option, value: Json) -> None:
    checked = getattr(Settings(), option.name) if value is None else option.check(value)
    chat.settings = replace(chat.settings, **{option.name: checked})
    if option.name in {field.name for field in fields(ModelSpec)}:
        chat.load()
    config_file.save(chat.where.config_file, {option.name: value})
    chat.lines.note(_line(chat, option))


def _typed(words: str, usage: str) -> tuple[Option, Json, bool]:
    """Return the option, the value, and whether the value is to be reset."""
    name, _, text = words.partition(" ")
    if not name:
        raise QwenTuiError("plain.needs", usage=usage)
    option = _option(name)
    text = text.strip()
    return option, option.parse(text) if text else None, not text


def _option(name: str) -> Option:
    name = name.lower().replace("-", "_")
    if name not in OPTIONS:
        close = next(iter(nearest(name, OPTIONS)), "temperature")
        raise QwenTuiError("plain.no_setting", name=name, close=close)
    return OPTIONS[name]


def _all(chat: PlainChat) -> Iterator[str]:
    info = chat.engine.info if chat.engine is not None else None
    for name, option in OPTIONS.items():
        if resolve(name, "conversation", chat.settings, chat.session.conversation.overrides, info).applies:
            yield _line(chat, option)


def _line(chat: PlainChat, option: Option) -> str:
    info = chat.engine.info if chat.engine is not None else None
    now = resolve(option.name, "conversation", chat.settings, chat.session.conversation.overrides, info)
    is_open = now.value in (None, "auto", "")
    value = worded_open(option, now.value or None, now.own) if is_open else worded(option, now.value)
    where = say(f"plain.set.{now.mark}") if now.mark else ""
    return say("plain.setting", name=option.name, label=option.label, value=value, where=where)
