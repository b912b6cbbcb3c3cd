"""What a server's chat template adds around the messages, found by rendering or counting sample messages."""

from collections.abc import Sequence
from typing import NamedTuple

from qwen_tui.chat.messages import Role
from qwen_tui.engine.base import PromptMessage

QUESTION = PromptMessage(Role.USER, "Which river is longest?")
ANSWER = PromptMessage(Role.ASSISTANT, "Nobody agrees.")
SECOND = PromptMessage(Role.USER, QUESTION.content)
"""The samples: the two questions are equal, so that they have as many tokens."""


class Frame(NamedTuple):
    """Tokens of a prompt that belong to no message."""

    lead: int
    """Before a first message that is not a system prompt: the template's own system prompt, or a BOS token."""
    generation: int
    """After the last message, to open the model's turn."""

    def around(self, messages: Sequence[PromptMessage], *, continues: bool) -> int:
        """Return how many of a prompt's tokens belong to none of its messages."""
        lead = 0 if messages[0].role is Role.SYSTEM else self.lead
        return lead if continues else lead + self.generation


def opening_of(alone: str | None, talk: str | None) -> str | None:
    """Return the text before a user's message, from the rendered samples; None if they do not show it.

    `alone` is `QUESTION`, `talk` is `QUESTION`, `ANSWER`, `SECOND`, both without a generation prompt. What stands
    between the answer and the second question closes the answer, then opens the question.
    """
    if alone is None or talk is None or QUESTION.content not in alone or ANSWER.content not in talk:
        return None
    lead, _, user_closing = alone.rpartition(QUESTION.content)
    between, found, _ = talk.rpartition(ANSWER.content)[2].partition(SECOND.content)
    if not found:
        return None
    # Most templates close every message alike. A default system prompt ends so as well, which would make the
    # closing look like a part of the opening.
    if user_closing and lead.endswith(opening := between.removeprefix(user_closing)):
        return opening
    cuts = (at for at in range(len(between) + 1) if lead.endswith(between[at:]))
    # `</s>[INST]` and `<s>[INST]` have the end of a mark in common, too.
    return next((between[at:] for at in cuts if between[:at].count("<") == between[:at].count(">")), None)


def before_question(rendered: str | None, opening: str | None) -> str | None:
    """Return a rendered conversation without the `SECOND` at its end and the text that opens it."""
    if rendered is None or opening is None:
        return None
    head, found, _ = rendered.rpartition(SECOND.content)
    return head.removesuffix(opening) if found and head.endswith(opening) else None
