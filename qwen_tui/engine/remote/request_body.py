"""A request as a server takes it: the body of `POST /v1/chat/completions`."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from qwen_tui.chat.messages import Json, Role
from qwen_tui.engine.base import SAMPLING_FIELDS, PromptMessage, Request
from qwen_tui.engine.remote.server_kinds import SAMPLERS, Kind
from qwen_tui.errors import QwenTuiError

_NEEDED = {"model", "messages", "stream", "max_tokens", "continue_final_message", "add_generation_prompt"}
"""What a request is not the same without."""

_DOUBTFUL = {*SAMPLERS, "thinking"}
"""What the protocol does not know, so that a server may ignore it."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What is sent, and what becomes of the person's values."""

    body: dict[str, Json]
    sampling: dict[str, Json]
    """The values that are in it, by our names."""
    not_taken: tuple[str, ...]
    """Settings that were asked for and that this server does not take, by our names."""
    uncertain: tuple[str, ...] = ()
    """Settings that were sent, though nobody knows whether this server heeds them."""


def asking(
    request: Request, model: str, kind: Kind, seed: int, refused: Mapping[str, Json], most_new_tokens: int
) -> Asking:
    """Put a request into a server's words. `refused`: what it has refused before.

    `most_new_tokens`: how many of the tokens that the person wants there is room for.

    Raises `server.cannot_continue` where the request continues a reply and the server has no way to.
    """
    values = _values(request)
    body: dict[str, Json] = {
        "model": model,
        "messages": list(map(message_body, request.messages)),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": most_new_tokens,
        "seed": seed,
    }
    body |= {name: value for name, value in values.items() if name not in SAMPLERS}
    samplers = {name: value for name, value in values.items() if name in SAMPLERS}
    if kind.takes_generation_config and samplers:
        body["generation_config"] = json.dumps(samplers)
    body |= {kind.samplers[name]: value for name, value in samplers.items() if name in kind.samplers}
    if request.thinking is not None and kind.takes_template_arguments:
        body["chat_template_kwargs"] = {"enable_thinking": request.thinking}
    if request.continues:
        _continue(body, request.messages[-1], kind)
    body = {key: value for key, value in body.items() if not _is_refused(key, value, refused)}
    others = {"thinking": request.thinking, "seed": request.sampling.seed}
    wanted = (*values, *(name for name, value in others.items() if value is not None))
    not_taken = tuple(name for name in wanted if not _is_in(name, body, kind))
    taken = {name: value for name, value in values.items() if name not in not_taken}
    doubtful = () if kind.is_known else tuple(n for n in wanted if n in _DOUBTFUL and n not in not_taken)
    return Asking(body, taken | {"max_new_tokens": most_new_tokens}, not_taken, doubtful)


def named_in(refusal: str, body: dict[str, Json]) -> frozenset[str]:
    """Which keys of the body, that can be left out, an error names: a server may not know them."""
    words = set(re.findall(r"\w+", refusal))
    return frozenset(body.keys() & words) - _NEEDED


def _is_refused(key: str, value: Json, refused: Mapping[str, Json]) -> bool:
    """Whether to leave it out. A number may have been out of the server's range, and another one may do."""
    if key == "seed" or not isinstance(value, int | float):
        return key in refused
    return key in refused and refused[key] == value


def _values(request: Request) -> dict[str, Json]:
    """The person's sampling values; what they leave open is the server's to choose."""
    sampling = request.sampling
    if sampling.greedy:
        chosen: dict[str, Json] = {"temperature": 0.0, "repetition_penalty": sampling.repetition_penalty}
    else:
        chosen = {name: getattr(sampling, name) for name in SAMPLING_FIELDS}
    return {name: value for name, value in chosen.items() if value is not None}


def message_body(message: PromptMessage) -> dict[str, Json]:
    """A message as the protocol has it."""
    said: dict[str, Json] = {"role": message.role.value, "content": message.content}
    if message.thinking:  # templates that want it find it here; the others do not look
        said["reasoning_content"] = message.thinking
    return said


def _continue(body: dict[str, Json], last: PromptMessage, kind: Kind) -> None:
    if kind.continuing == "no" or last.role is not Role.ASSISTANT:
        raise QwenTuiError("server.cannot_continue", kind=kind.name)
    if not last.content:  # it was cut while it thought, and the protocol has no place for that
        raise QwenTuiError("server.cannot_continue_thinking", kind=kind.name)
    if kind.continuing == "flag":
        body |= {"continue_final_message": True, "add_generation_prompt": False}


def _is_in(name: str, body: dict[str, Json], kind: Kind) -> bool:
    if name == "thinking":
        return "chat_template_kwargs" in body
    return kind.samplers.get(name, name) in body or (name in SAMPLERS and "generation_config" in body)
