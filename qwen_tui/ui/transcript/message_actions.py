"""Actions on messages of the log, and when they apply; shared by keys, action bar and command palette."""

import functools
from typing import NamedTuple

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.messages import Message, Role
from qwen_tui.strings import say
from qwen_tui.ui.markdown.code import suffix_of
from qwen_tui.ui.markdown.document import code_blocks
from qwen_tui.ui.markdown.parsing.blocks import Code


class Action(NamedTuple):
    """An action on a message: its name, which also selects its sentences, and its keys."""

    name: str
    keys: str
    need: int
    """Priority: if space is short, actions with the lowest need are left out first."""


ACTIONS = (
    Action("copy", "y", 9),
    Action("continue", "c", 5),
    Action("code", "u", 4),
    Action("edit", "e", 7),
    Action("regenerate", "r", 6),
    Action("earlier_variant", "left", 2),
    Action("later_variant", "right", 3),
    Action("compare", "w", 1),
    Action("receipt", "i", 1),
    Action("save_code", "s", 0),
    Action("delete", "d,delete", 8),
)
"""The actions in the order in which they are offered."""

_WHILE_BUSY = frozenset(("copy", "code", "compare", "edit", "receipt", "save_code"))
"""Actions that do not affect the messages a running turn builds on. (An edit waits for its turn.)"""


class Situation(NamedTuple):
    """The state of a message in the log."""

    text: str
    """Its text as currently shown."""
    is_last: bool = False
    is_streaming: bool = False
    is_waiting: bool = False
    """It has not been accepted yet; esc takes it back."""
    is_busy: bool = False
    """A turn of the conversation is running, and is not about to end."""
    variant: Variant | None = None


def possible(message: Message, situation: Situation) -> tuple[str, ...]:
    """Return the names of the actions that apply."""
    return tuple(action.name for action in ACTIONS if not obstacle(action.name, message, situation))


def obstacle(name: str, message: Message, situation: Situation) -> str:
    """Return the code of the sentence on why an action does not apply; empty if it does."""
    if name == "copy":
        return "" if situation.text else "chat.cannot.copy"
    if situation.is_waiting:
        return "chat.cannot.waiting"
    if situation.is_busy and name not in _WHILE_BUSY:
        return "chat.cannot.busy"
    if situation.is_streaming and name not in ("code", "save_code", "regenerate"):
        return "chat.cannot.busy"
    return "" if _applies(name, message, situation) else f"chat.cannot.{name}"


def _applies(name: str, message: Message, situation: Situation) -> bool:
    is_reply, variant = message.role is Role.ASSISTANT, situation.variant
    match name:
        case "code" | "save_code":
            return has_code(situation.text)
        case "edit":
            return message.role is Role.USER or (is_reply and bool(message.content))
        case "regenerate":
            return is_reply or message.role is Role.USER
        case "continue":
            return situation.is_last and message.can_go_on
        case "receipt":
            return is_reply
        case "compare":
            return is_reply and variant is not None
        case "earlier_variant":
            return variant is not None and variant.number > 1
        case "later_variant":
            return variant is not None and variant.number < variant.of
        case _:
            return name == "delete"


def has_code(text: str) -> bool:
    """Return whether a text has a code block."""
    may_have = "```" in text or "~~~" in text or "    " in text or "\t" in text
    return may_have and bool(code_of(text))


@functools.lru_cache(maxsize=4)
def code_of(text: str) -> tuple[Code, ...]:
    """Return the code blocks of a text; cached, because the same few texts are requested again and again."""
    return tuple(code_blocks(text))


def note_on(text: str, number: int) -> str:
    """Describe a code block of a text: `python, 12 lines, block 2 of 3`."""
    blocks = code_of(text)
    lines = blocks[number].text.count("\n") + 1
    parts = [say("chat.code.lines", lines=lines)]
    if language := blocks[number].language:
        parts.insert(0, one_line(language, 20))
    if len(blocks) > 1:
        parts.append(say("chat.code.number", number=number + 1, of=len(blocks)))
    return say("clauses.between").join(parts)


def file_name_of(text: str, number: int) -> str:
    """Suggest a file name, without a folder, for a code block of a text."""
    blocks = code_of(text)
    return (f"code-{number + 1}" if len(blocks) > 1 else "code") + suffix_of(blocks[number].language)
