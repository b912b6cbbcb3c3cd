"""Which messages the model sees: a pure function of what they cost and what there is room for.

History is cut in whole turns (a person's message and what answers it), oldest first, and with slack: once it is
over the budget, turns are dropped until at most three quarters of it are used. So the next turns keep the prefix
that the model has already read. The cut is found by replaying the conversation from its start, so it needs no
memory of its own: the same messages always give the same cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass

SLACK = 0.75
"""The share of the budget that is kept when something has to be dropped."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one message takes, and whether it opens a turn."""

    tokens: int
    opens_turn: bool
    """True for a person's message."""


@dataclass(frozen=True, slots=True)
class Window:
    """What the model sees of a conversation."""

    start: int
    """Index of the first message that is sent, and so how many are not; all after it are sent too."""
    used_tokens: int
    """The prompt with the fixed parts (system prompt, generation prompt)."""
    budget_tokens: int
    """How large the prompt may be: the context window less the room for the reply."""
    is_exact: bool = True
    """False: `used_tokens` is an estimate."""

    @property
    def fits(self) -> bool:
        """False when even the newest turn alone is over the budget."""
        return self.used_tokens <= self.budget_tokens


def reply_room(context_window: int, max_new_tokens: int) -> int:
    """How many tokens of the window are kept free for the reply: at most a quarter of it."""
    return min(max_new_tokens, context_window // 4)


def fit(
    costs: Sequence[Cost],
    fixed_tokens: int,
    budget_tokens: int,
    *,
    memory: bool = True,
    turns: int | None = None,
) -> Window:
    """Choose the messages that are sent; the last of `costs` is the newest message and always is.

    `fixed_tokens` are paid in any case. Without `memory` only the newest message is sent; `turns` limits how
    many turns are, the newest one counted. Messages before the first opened turn belong to it.
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
    """Where the sent part can begin: at each turn, the first with all that stands before it."""
    first = 0
    for newest, opening in enumerate(openings):
        # What was sent when this turn was asked: everything up to its opening message; the newest turn may
        # already hold more (a reply that is being continued).
        end = len(costs) if newest == len(openings) - 1 else opening + 1
        if turns is not None:
            first = max(first, newest + 1 - turns)
        if used(starts[first], end) > budget_tokens:
            while first < newest and used(starts[first], end) > SLACK * budget_tokens:
                first += 1
    return Window(starts[first], used(starts[first], len(costs)), budget_tokens)
