"""Run a reply again from its receipt, and compare the tokens.

With the same prompt, seed and sampling, and no cache reuse, the same model generates the same tokens; if it
does not (another GPU, another library version), the replay reports the first token that differs. The
conversation is not changed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import takewhile
from typing import NamedTuple

from qwen_tui.chat.branches import path_to
from qwen_tui.chat.messages import Conversation, Message, Role
from qwen_tui.engine.base import (
    ON_SERVER,
    Engine,
    Finished,
    ModelInfo,
    PromptMessage,
    Request,
    StopFlag,
    TextDelta,
    ThinkingDelta,
)
from qwen_tui.engine.sampling import sampling_of
from qwen_tui.errors import QwenTuiError
from qwen_tui.session.prompt_plan import is_seen, prompt_messages

SHOWN_CHARACTERS = 24
"""How much text is shown from where two replies diverge."""


class Replaying(NamedTuple):
    """Progress: how many tokens have been generated again."""

    reply_id: str
    done: int
    total: int


class Replayed(NamedTuple):
    """The reply was run again; if `differs_at` is None, the tokens are the same as far as they were compared."""

    reply_id: str
    compared: int
    """How many tokens of the reply were compared."""
    total: int
    differs_at: int | None = None
    """The number of the first token that differs, counted from 1."""
    was: str = ""
    """The reply's text from the first difference on."""
    became: str = ""
    reused_tokens: int = 0
    """Prompt tokens that the original run had in the cache; recomputing them rounds differently."""


class NotReplayed(NamedTuple):
    """The reply cannot be run again, or an error occurred."""

    reply_id: str
    error: QwenTuiError


ReplayEvent = Replaying | Replayed | NotReplayed


def replay(
    conversation: Conversation, reply_id: str, engine: Engine, stop: StopFlag
) -> Iterator[ReplayEvent]:
    """Run all runs of a reply again; the last event is `Replayed` or `NotReplayed`."""
    reply = conversation.message(reply_id)
    runs = reply.receipt if reply is not None else ()
    total = sum(len(run.token_ids) for run in runs)
    if not total and any(run.decode_path == ON_SERVER for run in runs):
        yield NotReplayed(reply_id, QwenTuiError("replay.on_server"))
        return
    if reply is None or not total:
        yield NotReplayed(reply_id, QwenTuiError("replay.no_receipt"))
        return
    done = 0
    try:
        for index, run in enumerate(runs):
            if not run.token_ids:  # stopped before its first token
                continue
            again, text, tokens = replace(run, token_ids=(), stop_reason=""), "", 0
            for event in engine.stream(_request(conversation, reply, index, engine.info), stop):
                if isinstance(event, TextDelta | ThinkingDelta):
                    text, tokens = text + event.text, tokens + event.tokens
                    yield Replaying(reply_id, min(done + tokens, total), total)
                elif isinstance(event, Finished):
                    again = event.run
            is_other = run.prompt_digest and run.prompt_digest != again.prompt_digest
            if is_other or run.prompt_tokens != again.prompt_tokens:
                raise QwenTuiError("replay.prompt_changed")
            same = _same(run.token_ids, again.token_ids)
            was_stopped = again.stop_reason == "stopped" and same == len(again.token_ids)
            if same < len(run.token_ids) and not was_stopped:
                was, became = _parting(_written(reply, index), text)
                place = done + same + 1
                yield Replayed(reply_id, done + same, total, place, was, became, run.reused_tokens)
                return
            done += same
            if was_stopped and same < len(run.token_ids):
                break
        yield Replayed(reply_id, done, total)
    except QwenTuiError as error:
        yield NotReplayed(reply_id, error)


def _request(conversation: Conversation, reply: Message, index: int, info: ModelInfo) -> Request:
    """Reconstruct the request of one run of a reply; raises `QwenTuiError` if that is no longer possible."""
    run = reply.receipt[index]
    model = {"model": run.model, "quantization": run.quantization, "dtype": run.dtype}
    if run.revision != info.revision or any(getattr(info, key) != value for key, value in model.items()):
        raise QwenTuiError("replay.other_model", **model)
    path = [message for message in path_to(conversation, reply.parent) if is_seen(message)]
    starts = [index for index, message in enumerate(path) if message.id == run.first_sent]
    if not starts and run.first_sent:
        raise QwenTuiError("replay.prompt_changed")
    system = (PromptMessage(Role.SYSTEM, run.system_prompt),) if run.system_prompt else ()
    begun_reply = replace(
        reply,
        content=reply.content[: run.content_start],
        thinking=reply.thinking[: run.thinking_start],
        receipt=reply.receipt[:index],
    )
    begun = (begun_reply,) if begun_reply.content or begun_reply.thinking else ()
    messages = prompt_messages((*path[starts[0] if starts else 0 :], *begun), info.context_window)
    return Request(
        messages=(*system, *messages),
        sampling=replace(sampling_of(run), max_new_tokens=len(run.token_ids)),
        thinking=run.effort or run.thinking,
        given_ids=run.token_ids[: run.given_tokens],
        thinking_budget=run.thought_closed_at or None,
        most_tokens=len(run.token_ids),
        continues=bool(begun),
        reuse=False,
        decode_path=run.decode_path,
    )


def _same(before: Sequence[object], again: Sequence[object]) -> int:
    """Return the length of the common prefix of two sequences."""
    pairs = zip(before, again, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _written(reply: Message, index: int) -> str:
    """Return the text that one run of the reply generated: thinking, then answer."""
    ends = [(run.thinking_start, run.content_start) for run in reply.receipt]
    ends.append((len(reply.thinking), len(reply.content)))
    (thinking_from, content_from), (thinking_to, content_to) = ends[index : index + 2]
    return reply.thinking[thinking_from:thinking_to] + reply.content[content_from:content_to]


def _parting(before: str, again: str) -> tuple[str, str]:
    """Return the text of each reply after the common prefix, shortened."""
    at = _same(before, again)
    return before[at : at + SHOWN_CHARACTERS], again[at : at + SHOWN_CHARACTERS]
