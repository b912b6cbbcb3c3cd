"""How long a reply may be: thinking and answer have rooms of their own, so that a thought never uses up the answer.

A thought may use the whole context window except for the room of the answer, or a budget if there is one. Then the
program writes the closing mark, and the model continues with the answer.
"""

from typing import NamedTuple

from qwen_tui.chat.context import reply_room
from qwen_tui.engine.base import Request
from qwen_tui.engine.local.loading.load import Loaded
from qwen_tui.engine.local.prompts.prompt import Prompt


class Rooms(NamedTuple):
    """Limits of one reply, in generated tokens; None is no limit."""

    total: int
    """All tokens: the rest of the context window, or less."""
    answer: int | None = None
    """Tokens outside thinking."""
    thought: int | None = None
    """Tokens of thinking, after which the closing mark is written."""
    closing_ids: tuple[int, ...] = ()
    """The tokens of the closing mark."""


def rooms(loaded: Loaded, request: Request, prompt: Prompt) -> Rooms:
    """Return the limits of a reply to this prompt."""
    window = loaded.info.context_window
    left = window - len(prompt.ids)
    wanted = request.sampling.max_new_tokens
    prompts = loaded.prompts
    may_think = prompt.thinks or prompts.form.marks is not None or prompts.think_ids is not None
    if request.ignores_end or not may_think:
        return Rooms(min(request.most_tokens or wanted, left))
    closing = tuple(prompts.encode(prompts.marks.close))
    begun = len(prompt.begun_ids) if prompt.thinks else 0
    budget = None if request.thinking_budget is None else request.thinking_budget - begun
    if request.most_tokens:
        return Rooms(min(request.most_tokens, left), None, budget, closing)
    thought = left - reply_room(window, wanted) - len(closing)
    return Rooms(left, wanted, thought if budget is None else min(thought, budget), closing)
