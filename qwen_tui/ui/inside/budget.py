"""The context window as a budget: what each part of a prompt takes of it, and what is reserved for the reply."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from qwen_tui.chat.messages import Message, Role, Run
from qwen_tui.engine.base import Engine, TokenCounts
from qwen_tui.session.prompt_plan import Plan, budget_tokens, survey
from qwen_tui.settings.options import Settings

SHOWN_TURNS = 6
"""The newest turns have a row each; older ones share one."""


class Share(NamedTuple):
    """A part of the window."""

    name: str
    """`system`, `template`, `turns`, `turn`, `newest`, `thoughts`, `answer` or `free`: see `inside.budget.*`."""
    tokens: int
    first: int = 0
    last: int = 0
    """Numbers of its turns, counted from 1."""


class LeftOut(NamedTuple):
    """Older messages that the model does not see."""

    messages: int
    reason: str
    """`memory`, `turns`, `tokens`, or `then` if the settings have changed since: see `inside.left_out.*`."""
    limit: int
    """The number of turns or tokens."""


class Budget(NamedTuple):
    """How a prompt fills the window."""

    window_tokens: int
    prompt_tokens: int
    shares: tuple[Share, ...]
    left_out: LeftOut | None = None
    reused_tokens: int | None = None
    """How many tokens of the prompt were in the cache; None if it has not been sent."""
    is_exact: bool = True


def budget(
    plan: Plan, settings: Settings, engine: Engine, path: Sequence[Message], run: Run | None
) -> Budget:
    """Divide the context window; asks the engine to count.

    `path` are the messages up to the newest one that is sent, and `run` is the one that was made from the plan, if
    it was carried out.
    """
    counts = engine.count(plan.request.messages, plan.request.thinking, continues=plan.request.continues)
    window = engine.info.context_window
    rooms = _rooms(settings, engine)
    used = counts.total
    shares = [*_prompt_shares(plan, counts, path), *rooms]
    shares.append(Share("free", max(0, window - used - sum(room.tokens for room in rooms))))
    return Budget(
        window,
        used,
        tuple(share for share in shares if share.tokens or share.name == "free"),
        _left_out(plan, settings, path, is_now=run is None or _is_still_so(plan, settings, engine, path)),
        run.reused_tokens if run is not None else None,
        counts.is_exact,
    )


def _rooms(settings: Settings, engine: Engine) -> list[Share]:
    """Return what is reserved for the reply: all of the window that no prompt may use."""
    window = engine.info.context_window
    reserved = window - budget_tokens(replace(settings, memory_tokens=None), engine)
    answer = min(settings.max_new_tokens, window // 4, reserved)
    return [Share("thoughts", reserved - answer), Share("answer", answer)]


def _prompt_shares(plan: Plan, counts: TokenCounts, path: Sequence[Message]) -> list[Share]:
    messages, sizes = plan.request.messages, counts.per_message
    has_system = bool(messages) and messages[0].role is Role.SYSTEM
    shares = [Share("template", counts.overhead)]
    if has_system:
        shares.insert(0, Share("system", sizes[0]))
    first = 1 + sum(message.role is Role.USER for message in path[: plan.window.start])
    turns: list[Share] = []
    for message, tokens in list(zip(messages, sizes, strict=True))[has_system:]:
        if message.role is Role.USER or not turns:
            turns.append(Share("turn", tokens, first + len(turns), first + len(turns)))
        else:
            turns[-1] = turns[-1]._replace(tokens=turns[-1].tokens + tokens)
    if not turns:
        return shares
    older, shown = turns[: -SHOWN_TURNS - 1], turns[-SHOWN_TURNS - 1 : -1]
    if older:
        shares.append(Share("turns", sum(turn.tokens for turn in older), older[0].first, older[-1].last))
    return [*shares, *shown, turns[-1]._replace(name="newest")]


def _is_still_so(plan: Plan, settings: Settings, engine: Engine, path: Sequence[Message]) -> bool:
    return survey(path, settings, engine).first_sent == plan.first_sent if plan.window.start else True


def _left_out(plan: Plan, settings: Settings, path: Sequence[Message], *, is_now: bool) -> LeftOut | None:
    count = plan.window.start
    if not count:
        return None
    if not is_now:
        return LeftOut(count, "then", 0)
    if not settings.memory:
        return LeftOut(count, "memory", 0)
    sent = sum(message.role is Role.USER for message in plan.request.messages)
    if settings.memory_turns is not None and sent >= settings.memory_turns:
        return LeftOut(count, "turns", settings.memory_turns)
    return LeftOut(count, "tokens", plan.window.budget_tokens)
