"""The terminal's title, and the bell for a reply that ends while nobody looks.

xterm, "Control Sequences": OSC 2 sets the title; CSI 22 t puts it aside and CSI 23 t brings it back.
"""

from qwen_tui.chat.cleaning import one_line
from qwen_tui.chat.messages import Message, Status
from qwen_tui.wording.cell_width import displayed

PUT_ASIDE, BRING_BACK = "\x1b[22;2t", "\x1b[23;2t"

LONG_SECONDS = 10.0
"""A reply that takes at least this long may ring."""

MOST_CHARACTERS = 60
"""Length of a conversation's name in the title."""


def title(name: str, *, is_busy: bool) -> str:
    """Return the sequence for the title: the conversation's name, after a mark while a reply is generated."""
    parts = [displayed(one_line(name, MOST_CHARACTERS)), "qwen-tui"]
    return f"\x1b]2;{'● ' if is_busy else ''}{' · '.join(filter(None, parts))}\x07"


def rings(reply: Message, bell: str, has_focus: bool | None) -> bool:
    """Whether the end of this reply rings, with the setting `bell`: `auto`, `always` or `never`.

    `auto` rings only while the terminal is known to be in the background: `has_focus` is None if it does not say.
    """
    seconds = sum(run.first_token_seconds + run.decode_seconds for run in reply.receipt[-1:])
    if reply.status is Status.STOPPED or seconds < LONG_SECONDS:
        return False
    return bell == "always" or (bell == "auto" and has_focus is False)
