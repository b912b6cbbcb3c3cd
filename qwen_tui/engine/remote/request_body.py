"""Build the request body of `POST /v1/chat/completions` for a kind of server."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from qwen_tui.chat.messages import Json, Role
from qwen_tui.engine.base import (
    NO_EFFORT,
    PENALTIES,
    SAMPLING_FIELDS,
    PromptMessage,
    Request,
    Sampling,
    Thinking,
)
from qwen_tui.engine.remote.logprobs import ASKED
from qwen_tui.engine.remote.server_kinds import SAMPLERS, Kind
from qwen_tui.errors import QwenTuiError

_NEEDED = {"model", "messages", "stream", "max_tokens", "continue_final_message", "add_generation_prompt"}
"""Keys that must never be left out of a request."""

_DOUBTFUL = {*SAMPLERS, "thinking", "effort"}
"""Settings outside the protocol, which a server may ignore."""


@dataclass(frozen=True, slots=True)
class Asking:
    """A request body, and which of the user's values are in it."""

    body: dict[str, Json]
    sampling: dict[str, Json]
    """The values that are sent, by our names."""
    not_taken: tuple[str, ...]
    """Requested settings that this server does not support, by our names."""
    uncertain: tuple[str, ...] = ()
    """Settings that are sent although the server may ignore them."""


def asking(
    request: Request, model: str, kind: Kind, seed: int, refused: Mapping[str, Json], most_new_tokens: int
) -> Asking:
    """Build the body of a request for this kind of server.

    Raises `server.cannot_branch` if the reply is to begin with given tokens.

    `refused` are keys that the server has refused before, with their values. `most_new_tokens` limits the reply
    to the room left in the context window. Raises `server.cannot_continue` if the request continues a reply and
    the server does not support that, `server.cannot_continue_thinking` if the reply was cut while thinking.
    """
    if request.given_ids:
        raise QwenTuiError("server.cannot_branch", kind=kind.name)
    values = _values(request)
    body: dict[str, Json] = {
        "model": model,
        "messages": list(map(message_body, request.messages)),
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": most_new_tokens,
        "seed": seed,
    }
    left_out = SAMPLERS if kind.takes_penalties else (*SAMPLERS, *PENALTIES)
    body |= {name: value for name, value in values.items() if name not in left_out}
    samplers = {name: value for name, value in values.items() if name in SAMPLERS}
    if kind.takes_generation_config and (config := samplers | _sampled(request.sampling)):
        body["generation_config"] = json.dumps(config)
    body |= {kind.samplers[name]: value for name, value in samplers.items() if name in kind.samplers}
    if request.thinking is not None and kind.takes_template_arguments:
        body["chat_template_kwargs"] = template_arguments(request.thinking)
    if request.thinking_budget is not None and kind.thinking_budget:
        body[kind.thinking_budget] = request.thinking_budget
    if request.trace and kind.takes_logprobs:
        body |= ASKED
    if request.continues:
        _continue(body, request.messages[-1], kind)
    body = {key: value for key, value in body.items() if not _is_refused(key, value, refused)}
    others = {
        "effort" if isinstance(request.thinking, str) else "thinking": request.thinking,
        "thinking_budget": request.thinking_budget,
        "seed": request.sampling.seed,
    }
    wanted = (*values, *(name for name, value in others.items() if value is not None))
    not_taken = tuple(name for name in wanted if not _is_in(name, body, kind))
    taken = {name: value for name, value in values.items() if name not in not_taken}
    doubtful = () if kind.is_known else tuple(n for n in wanted if n in _DOUBTFUL and n not in not_taken)
    return Asking(body, taken | {"max_new_tokens": most_new_tokens}, not_taken, doubtful)


def named_in(refusal: str, body: dict[str, Json]) -> frozenset[str]:
    """Return the optional keys of the body that an error mentions: the server may not know them."""
    words = set(re.findall(r"\w+", refusal))
    return frozenset(body.keys() & words) - _NEEDED


def _is_refused(key: str, value: Json, refused: Mapping[str, Json]) -> bool:
    """Whether to leave a key out. A refused number may only have been out of range, so another one is sent."""
    if key == "seed" or not isinstance(value, int | float):
        return key in refused
    return key in refused and refused[key] == value


def _values(request: Request) -> dict[str, Json]:
    """Return the user's sampling values; the server chooses the rest."""
    sampling = request.sampling
    if sampling.greedy:
        chosen: dict[str, Json] = {
            "temperature": 0.0,
            **{name: getattr(sampling, name) for name in PENALTIES},
        }
    else:
        chosen = {name: getattr(sampling, name) for name in SAMPLING_FIELDS}
    chosen["stop"] = list(sampling.stop) or None
    return {name: value for name, value in chosen.items() if value is not None}


def _sampled(sampling: Sampling) -> dict[str, Json]:
    """Return what makes transformers sample where the checkpoint by itself does not.

    As with a local model, setting a temperature means sampling, and temperature 0 means greedy.
    """
    is_wanted = sampling.greedy is False or (sampling.greedy is None and sampling.temperature is not None)
    return {"do_sample": True} if is_wanted and sampling.temperature != 0 else {}


def template_arguments(thinking: Thinking) -> dict[str, Json]:
    """Return the variables that ask a chat template for thinking, for none, or for an effort."""
    if isinstance(thinking, str):
        return {"enable_thinking": thinking != NO_EFFORT, "reasoning_effort": thinking}
    return {} if thinking is None else {"enable_thinking": thinking}


def message_body(message: PromptMessage) -> dict[str, Json]:
    """Return a message in the protocol's form."""
    said: dict[str, Json] = {"role": message.role.value, "content": message.content}
    if message.thinking:  # templates without support for it ignore this key
        said["reasoning_content"] = message.thinking
    return said


def _continue(body: dict[str, Json], last: PromptMessage, kind: Kind) -> None:
    if kind.continuing == "no" or last.role is not Role.ASSISTANT:
        raise QwenTuiError("server.cannot_continue", kind=kind.name)
    if not last.content:  # cut while thinking, which the protocol cannot continue
        raise QwenTuiError("server.cannot_continue_thinking", kind=kind.name)
    if kind.continuing == "flag":
        body |= {"continue_final_message": True, "add_generation_prompt": False}


def _is_in(name: str, body: dict[str, Json], kind: Kind) -> bool:
    if name in ("thinking", "effort"):
        return "chat_template_kwargs" in body
    if name == "thinking_budget":
        return kind.thinking_budget in body
    return kind.samplers.get(name, name) in body or (name in SAMPLERS and "generation_config" in body)
