"""Choose which messages the model sees: a pure function of their token counts and the budget.

History is dropped in whole turns (a person's message and the replies to it), oldest first, and with slack:
once the budget is exceeded, turns are dropped until at most three quarters of it are used, so that the next
turns share the prefix that the model has already read. The cut is found by replaying the conversation from
its start, so it needs no state: the same messages always give the same cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SLACK = 0.75
"""Share of the budget that may remain in use once turns have to be dropped."""


@dataclass(frozen=True, slots=True)
class Cost:
    """The token count of one message, and whether it opens a turn."""

    tokens: int
    opens_turn: bool
    """True for a person's message."""


@dataclass(frozen=True, slots=True)
class Window:
    """The part of a conversation that the model sees."""

    start: int
    """Index of the first message that is sent, which is also the number of messages left out."""
    used_tokens: int
    """Size of the prompt, including the fixed parts (system prompt, generation prompt)."""
    budget_tokens: int
    """Maximum size of the prompt: the context window minus the room for the reply."""
    is_exact: bool = True
    """False if `used_tokens` is an estimate."""

    @property
    def fits(self) -> bool:
        """False if the newest turn alone exceeds the budget."""
        return self.used_tokens <= self.budget_tokens


def reply_room(context_window: int, max_new_tokens: int) -> int:
    """Return how many tokens of the window are reserved for the reply: at most a quarter of it."""
    return min(max_new_tokens, context_window // 4)


def fit(
    costs: Sequence[Cost],
    fixed_tokens: int,
    budget_tokens: int,
    *,
    memory: bool = True,
    turns: int | None = None,
) -> Window:
    """Choose the messages to send; the last of `costs`, the newest message, is always sent.

    `fixed_tokens` are always part of the prompt. Without `memory` only the newest turn is sent; `turns`
    limits the number of turns, including the newest. Messages before the first opened turn belong to it.
    """
    openings = [index for index, cost in enumerate(costs) if cost.opens_turn] or [0]
    before = [0]
    for cost in costs:
        before.append(before[-1] + cost.tokens)

    def used(start: int, end: int) -> int:
        return fixed_tokens + before[end] - before[start]

    if not memory:
        start = openings[-1]
        return Window(start, used(start, len(costs)), budget_tokens)

    starts = [0, *openings[1:]]
    """Possible start indices: one for each turn; the first turn includes everything before it."""
    first = 0
    for newest, opening in enumerate(openings):
        # What was sent when this turn was asked: everything up to its opening message. The newest turn may
        # already have more (a reply that is being continued).
        end = len(costs) if newest == len(openings) - 1 else opening + 1
        if turns is not None:
            first = max(first, newest + 1 - turns)
        if used(starts[first], end) > budget_tokens:
            while first < newest and used(starts[first], end) > SLACK * budget_tokens:
                first += 1
    return Window(starts[first], used(starts[first], len(costs)), budget_tokens)
