"""Probe a server: which software it runs, which models it serves, and their context windows."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

import httpx2

from qwen_tui.chat.messages import Json
from qwen_tui.engine.base import StopFlag
from qwen_tui.engine.redaction import one_line
from qwen_tui.engine.remote.completion_chunk import part, token_count
from qwen_tui.engine.remote.http_calls import Answer, Calls
from qwen_tui.engine.remote.refusals import refusal
from qwen_tui.engine.remote.server_kinds import LLAMA_CPP, OLLAMA, OTHER, SGLANG, TRANSFORMERS, VLLM, Kind

log = logging.getLogger(__name__)

MODELS = "/v1/models"

_OWNERS = {"vllm": VLLM, "sglang": SGLANG, "llamacpp": LLAMA_CPP}
"""Server software by the `owned_by` of its models."""


@dataclass(frozen=True, slots=True)
class Served:
    """Result of probing a server."""

    kind: Kind
    models: tuple[str, ...]
    windows: dict[str, int]
    """Reported context windows by model, in tokens."""


def probe(calls: Calls, host: str, stop: StopFlag | None = None) -> Served:
    """Identify the server and list its models.

    Raises what `Calls.ask` does, and QwenTuiError if the server requires a key or lists no models.
    """

    def get(path: str) -> Json:
        """Request an optional endpoint; None if that fails."""
        try:
            answer = calls.ask("GET", path, stop=stop)
        except (httpx2.HTTPError, TimeoutError) as error:
            log.info("%s%s: %s", host, path, error)
            return None
        return answer.json if answer.status == 200 else None

    answer = calls.ask("GET", MODELS, stop=stop)
    listed = _models(answer.json) if answer.status == 200 else None
    kind = _kind(answer, listed or [], get)
    # transformers serve cannot list models without a hub cache, but still serves them.
    if listed is None and kind is not TRANSFORMERS:
        raise refusal(answer, host)
    models = listed or []
    windows = {str(model["id"]): size for model in models if (size := _window(model))}
    names = tuple(dict.fromkeys(str(model["id"]) for model in models))
    if kind is LLAMA_CPP:
        settings = part(get("/props"), "default_generation_settings")
        if told := token_count(part(settings, "n_ctx")):
            windows = dict.fromkeys(names, told)
    if kind is OLLAMA:
        windows |= _ollama_windows(get("/api/ps"))
    log.info("%s is %s and serves %s", host, kind.name, one_line(", ".join(names)) or "any model on request")
    return Served(kind, names, windows)


def _models(said: Json) -> list[dict[str, Json]] | None:
    """Return the model list in the protocol's form, or None if it is not one."""
    data = part(said, "data")
    if data is None and part(said, "object") == "list":
        return []
    if not isinstance(data, list):
        return None
    return [each for each in data if (name := part(each, "id")) and isinstance(name, str)]


def _kind(answer: Answer, models: list[dict[str, Json]], get: Callable[[str], Json]) -> Kind:
    owners = {str(model.get("owned_by", "")).lower() for model in models}
    for owner, kind in _OWNERS.items():
        if owner in owners:
            return kind
    if "llama.cpp" in answer.headers.get("server", ""):
        return LLAMA_CPP
    if answer.status in (401, 403):
        return OTHER
    if part(get("/api/version"), "version") is not None:
        return OLLAMA
    paths = part(get("/openapi.json"), "paths")
    if isinstance(paths, dict) and "/v1/chat/completions" in paths:
        if "/load_model" in paths and "/tokenize" not in paths:
            return TRANSFORMERS
        if "/tokenize" in paths and "/detokenize" in paths and "/version" in paths:
            return VLLM
    return OTHER


def _window(model: dict[str, Json]) -> int:
    sizes = (token_count(model.get(key)) for key in ("max_model_len", "context_length", "context_window"))
    return next(filter(None, sizes), 0)


def _ollama_windows(running: Json) -> dict[str, int]:
    """Return the windows of loaded models: Ollama sets them when it loads a model."""
    models = part(running, "models")
    each = models if isinstance(models, list) else []
    sizes = {str(part(one, "name")): token_count(part(one, "context_length")) for one in each}
    return {name: size for name, size in sizes.items() if size}
