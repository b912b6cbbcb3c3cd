"""Whether a model is going to think, and how much of the context window is kept free for that."""

from qwen_tui.engine.base import ModelInfo, Thinking

THOUGHT_TOKENS = 8192
"""Room for thoughts without a budget, at most a quarter of the window."""


def will_think(info: ModelInfo, thinking: Thinking) -> bool:
    """Return whether replies of this model may begin with a thought, if that is asked of it."""
    chat_format = info.chat_format
    if chat_format is None:
        return info.thinks if thinking is None else bool(thinking) and info.can_think
    if chat_format.marks is None or (thinking is False and chat_format.switch):
        return False
    by_itself = chat_format.opens_thought or bool(chat_format.switch) or chat_format.marks.names_channels
    return by_itself or bool(thinking)


def thought_room(context_window: int, budget: int | None) -> int:
    """Return the room for thoughts, in tokens: the budget, or a share of the window.

    A budget reserves half of the window at most; a longer thought uses what the prompt leaves free.
    """
    if budget is not None:
        return min(budget, context_window // 2)
    return min(THOUGHT_TOKENS, context_window // 4)
