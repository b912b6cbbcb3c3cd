"""What can be done to a message of the log, and when: keys, action bar and command palette share this."""

import functools
from typing import NamedTuple

from qwen_tui.chat.branches import Variant
from qwen_tui.chat.messages import Message, Role
from qwen_tui.ui.markdown.document import code_blocks
from qwen_tui.ui.markdown.parsing.blocks import Code


class Action(NamedTuple):
    """Something that can be done to a message: its name, which names its sentences too, and its keys."""

    name: str
    keys: str


ACTIONS = (
    Action("copy", "y"),
    Action("continue", "c"),
    Action("code", "u"),
    Action("edit", "e"),
    Action("regenerate", "r"),
    Action("earlier_variant", "left"),
    Action("later_variant", "right"),
    Action("receipt", "i"),
    Action("save_code", "s"),
    Action("delete", "d,delete"),
)
"""The most useful first: where there is little room, the last ones are not named."""

_WHILE_BUSY = frozenset(("copy", "code", "edit", "receipt", "save_code"))
"""What does not touch the messages that a running turn builds on. (An edited question waits for its turn.)"""


class Situation(NamedTuple):
    """What there is to know about a message beside itself."""

    text: str
    """Its text as it is seen now."""
    is_last: bool = False
    is_streaming: bool = False
    is_waiting: bool = False
    """It has not been accepted yet; esc takes it back."""
    is_busy: bool = False
    """A turn of the conversation is running, and is not about to end."""
    variant: Variant | None = None


def possible(message: Message, situation: Situation) -> tuple[str, ...]:
    """The names of the actions that apply, the most useful first."""
    return tuple(action.name for action in ACTIONS if is_possible(action.name, message, situation))


def is_possible(name: str, message: Message, situation: Situation) -> bool:
    """Whether an action applies to a message now."""
    if name == "copy":
        return bool(situation.text)
    if situation.is_waiting or (situation.is_busy and name not in _WHILE_BUSY):
        return False
    if name in ("code", "save_code"):
        return has_code(situation.text)
    if situation.is_streaming:
        return name == "regenerate" and not situation.is_busy
    is_reply, variant = message.role is Role.ASSISTANT, situation.variant
    match name:
        case "edit":
            return message.role is Role.USER or (is_reply and bool(message.content))
        case "regenerate":
            return is_reply or message.role is Role.USER
        case "continue":
            return situation.is_last and message.can_go_on
        case "receipt":
            return is_reply
        case "earlier_variant":
            return variant is not None and variant.number > 1
        case "later_variant":
            return variant is not None and variant.number < variant.of
        case _:
            return name == "delete"


def has_code(text: str) -> bool:
    """Whether a text has a code block."""
    may_have = "```" in text or "~~~" in text or "    " in text or "\t" in text
    return may_have and bool(code_of(text))


@functools.lru_cache(maxsize=4)
def code_of(text: str) -> tuple[Code, ...]:
    """The code blocks of a text; the last few texts are remembered, since they are asked about again and again."""
    return tuple(code_blocks(text))
