"""Plan what the model sees of a conversation: the prompt, and where the context begins.

Token counts come from the engine (the model's own tokenizer and template); the choice itself is the pure
function `chat.context.fit`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from qwen_tui.chat.context import Cost, Window, fit, reply_room
from qwen_tui.chat.messages import Message, Role
from qwen_tui.engine.base import Engine, PromptMessage, Request, StopFlag
from qwen_tui.engine.thinking_room import thought_room, will_think
from qwen_tui.errors import QwenTuiError
from qwen_tui.settings.options import Settings

WINDOWS_OF_TOKENS = 4
"""How many context windows' worth of token ids, thinking included, are sent along with the newest replies."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A request, and what was left out of it."""

    request: Request
    window: Window
    """Its start is an index into the whole path, as the log shows it."""
    first_sent: str
    """The id of the oldest message that the model sees; empty if there is none."""


def plan(
    path: Sequence[Message],
    settings: Settings,
    engine: Engine,
    *,
    continues: bool = False,
    stop: StopFlag | None = None,
) -> Plan:
    """Choose what to send so that the last message of `path`, a person's, is answered.

    With `continues`, the last message is a reply that the model should continue.

    Raises `QwenTuiError("chat.message_too_long")` with both numbers if the newest turn alone is too large,
    and `engine.stopped_early` if `stop` is set meanwhile.
    """
    view = survey(path, settings, engine, continues=continues, stop=stop)
    if not view.window.fits:
        tokens, limit = view.window.used_tokens, view.window.budget_tokens
        raise QwenTuiError("chat.message_too_long", tokens=tokens, limit=limit)
    return view


def survey(
    path: Sequence[Message],
    settings: Settings,
    engine: Engine,
    *,
    continues: bool = False,
    stop: StopFlag | None = None,
) -> Plan:
    """Return what the model would see of `path` now, and its size; the window may not fit."""
    seen = [message for message in path if is_seen(message) or (continues and message is path[-1])]
    system = _system(settings)
    thinking = settings.thinking_for(engine.info)
    count = partial(engine.count, thinking=thinking, continues=continues, stop=stop)
    messages = prompt_messages(seen, engine.info.context_window)
    counts = count((*system, *messages))
    costs = [
        Cost(tokens, message.role is Role.USER)
        for tokens, message in zip(counts.per_message[len(system) :], seen, strict=True)
    ]
    fixed_tokens = counts.total - sum(cost.tokens for cost in costs)
    budget = budget_tokens(settings, engine)
    window = fit(costs, fixed_tokens, budget, memory=settings.memory, turns=settings.memory_turns)
    # Per-message counts add up for the known templates, but only rendering what is really sent is exact.
    starts = [window.start, *(i for i in range(window.start + 1, len(seen)) if costs[i].opens_turn)]
    for start in starts:
        sent = (*system, *messages[start:])
        sent_counts = count(sent) if start else counts
        used = sent_counts.total
        window = Window(start, used, budget)
        if window.fits:
            break
    first_sent = seen[window.start].id if seen else ""
    start_in_path = next((index for index, message in enumerate(path) if message.id == first_sent), 0)
    return Plan(
        request=replace(_request(sent, settings, engine), continues=continues),
        window=replace(window, start=start_in_path, is_exact=sent_counts.is_exact),
        first_sent=first_sent,
    )


def upcoming(path: Sequence[Message], settings: Settings, engine: Engine) -> Plan:
    """Return the part of `path` that will be sent with the next message, which counts towards a limit in turns.

    If that is nothing, `first_sent` is empty and the window starts after the end of the path.
    """
    turns = settings.memory_turns if settings.memory else 1
    if turns is None or not path or path[-1].role is Role.USER:
        return survey(path, settings, engine)
    if turns > 1:
        return survey(path, replace(settings, memory_turns=turns - 1), engine)
    alone = _system(settings)
    counts = engine.count(alone, thinking=settings.thinking_for(engine.info))
    window = Window(len(path), counts.total, budget_tokens(settings, engine), counts.is_exact)
    return Plan(request=_request(alone, settings, engine), window=window, first_sent="")


def _request(messages: tuple[PromptMessage, ...], settings: Settings, engine: Engine) -> Request:
    return Request(
        messages=messages,
        sampling=settings.sampling,
        thinking=settings.thinking_for(engine.info),
        thinking_budget=settings.thinking_budget,
    )


def budget_tokens(settings: Settings, engine: Engine) -> int:
    """Return the maximum prompt size: the window minus the rooms for the answer and, if the model thinks, the
    thoughts, capped by the person's limit.
    """
    context_window = engine.info.context_window
    budget = context_window - reply_room(context_window, settings.max_new_tokens)
    if will_think(engine.info, settings.thinking_for(engine.info)):
        budget -= thought_room(context_window, settings.thinking_budget)
    return min(budget, settings.memory_tokens) if settings.memory_tokens is not None else budget


def prompt_messages(messages: Sequence[Message], context_window: int) -> tuple[PromptMessage, ...]:
    """Convert messages to the engine's form, with the original token ids of the newest replies.

    Token ids are limited because a conversation may be many times as long as a context window, and every
    count sends it through the pipe.
    """
    left = WINDOWS_OF_TOKENS * context_window
    taken: list[PromptMessage] = []
    for message in reversed(messages):
        runs = message.receipt
        token_ids = runs[0].token_ids if len(runs) == 1 else tuple(i for run in runs for i in run.token_ids)
        left -= len(token_ids)
        token_ids = token_ids if left >= 0 else ()
        taken.append(PromptMessage(message.role, message.content, message.thinking, token_ids))
    return tuple(reversed(taken))


def is_seen(message: Message) -> bool:
    """Return whether the model may see this message: replies without any answer text are left out."""
    return message.role is not Role.ASSISTANT or bool(message.content)


def _system(settings: Settings) -> tuple[PromptMessage, ...]:
    prompt = settings.system_prompt.strip()
    return (PromptMessage(Role.SYSTEM, prompt),) if prompt else ()
